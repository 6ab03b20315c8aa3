// From the words behind the program's name to a verb that has run.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/verbs.h"

namespace gpustage {

// The exit status. What is wrong with the words is said with the nearest one that would do.
int RunCommandLine(std::vector<std::string> words);

// A line a verb.
std::string ListOfVerbs();

}  // namespace gpustage
