// The answer to a pasted log, as text and as the Markdown of a comment: what it says by itself,
// which causes that leaves, and what would tell more. A command and a line are never broken.
#pragma once

#include <cstddef>
#include <string>

#include "harness/logs/weigh.h"

namespace gpustage {

// Wrapped at `width` columns.
std::string ExplanationText(const Knowledge& knowledge, const LogReading& log,
                            const Explanation& explanation, size_t width);

// "Ollama 0.17.4 at level INFO, 2 starts, the last of them whole. No GPU: …", in one line.
std::string Headline(const LogReading& log, const Explanation& explanation);
// The same of a paste: the text around it may say what the paste does not, so nothing is said of
// what is not in it. "" where there is nothing else to say.
std::string HeadlineOfPaste(const LogReading& log, const Explanation& explanation);

// Of what a program says nothing at this log's level.
std::string SilentText(const Knowledge& knowledge, const LogReading& log, size_t width);

// How to get a log that says more; "" where this one says all.
std::string DeeperText(const Knowledge& knowledge, const LogReading& log);

}  // namespace gpustage
