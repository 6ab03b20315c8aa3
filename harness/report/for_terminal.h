// What a scanner printed is bytes; a terminal and the log of a CI server obey some of them.
#pragma once

#include <string>
#include <string_view>

namespace gpustage {

// A name or a sentence in one line: a control character is shown as "\x1b", a newline as "\n"; so
// are the characters that turn the direction of writing, and bytes that are not UTF-8.
std::string OneLine(std::string_view text);

// A whole page of ours, before it is printed: newlines and, where we colour, our colours stay; all
// other control characters are shown as OneLine shows them, and a line that GitHub, GitLab or Azure
// would take for a command ("::error", "##[group]") is none any more.
std::string ForTerminal(std::string_view text);

}  // namespace gpustage
