// Words for people: quoting, the nearest known word, and the caret under what is wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

// ASCII's capitals made small; all other bytes as they are.
std::string InSmallLetters(std::string_view text);

bool Contains(const std::vector<std::string>& words, std::string_view word);

// As a shell reads it back: in single quotes where it must be.
std::string ShellWord(const std::string& word);

// In double quotes; what a terminal would not show is written \xNN, so that a scenario can say it
// back.
std::string Quote(std::string_view bytes);

// The word that `wrong` was probably meant to be; none if no word is near.
std::optional<std::string> NearestWord(std::string_view wrong,
                                       const std::vector<std::string>& words);

// What follows "unknown key "expcet"": `; did you mean "expect"?`, or all words when none is near.
std::string DidYouMean(std::string_view wrong, const std::vector<std::string>& words);

// The word of such a `; did you mean "expect"?` at the end of a message: what to put in its place.
std::optional<std::string> MeantWord(std::string_view message);

// "a", "a or b", "a, b or c"; and with "and".
std::string JoinOr(const std::vector<std::string>& words);
std::string JoinAnd(const std::vector<std::string>& words);

// The error as a user reads it, without a last newline:
//   scenarios/a.yaml:7:5: unknown key "expcet"; did you mean "expect"?
//       7 |     expcet: {devices: 0}
//         |     ^~~~~~
// `source` is the text of the file that the position names.
std::string RenderError(const Error& error, std::string_view source);

}  // namespace gpustage
