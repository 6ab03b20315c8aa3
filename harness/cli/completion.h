// Completion of a command line: the shells' scripts ask the program, which knows its verbs, their
// options and the names of scenarios, scanners, devices and layouts.
#pragma once

#include <string>
#include <vector>

namespace gpustage {

// `shell` is bash or zsh.
std::string CompletionScript(const std::string& shell);

// What may stand where the last of the words stands; they begin behind the program's name.
std::vector<std::string> Completions(const std::vector<std::string>& words);

}  // namespace gpustage
