// `gpustage help WORD`: what a key, a step, a cause or a way to be broken means, which values it
// takes, and an example. All of it stands in scenario.schema.json, which editors read, too, and
// which tests hold to the readers.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gpustage {

// None: it is no word of a scenario.
std::optional<std::string> TopicText(const std::string& word, size_t width);
// All of them, sorted, each once.
std::vector<std::string> TopicWords();

}  // namespace gpustage
