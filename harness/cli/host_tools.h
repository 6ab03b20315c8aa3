// What exec and shell have in common: one case, staged, with programs of this machine in it.
#pragma once

#include <string>
#include <vector>

#include "harness/run/raw_run.h"
#include "harness/scenario/model/case.h"
#include "harness/stage/base_system.h"

namespace gpustage {

// The case that the words name; an error when there are several.
Result<Case> SingleCase(const std::string& scenario);

// argv[0] is a program of the tree, or becomes the path inside of this machine's program, which
// joins `base` with what it needs.
Status BringProgram(const Case& c, std::vector<std::string>& argv, std::vector<HostFile>& base);

// A shell, the tools that one expects beside it, and a debugger, as far as this machine has them.
struct Tools {
  std::vector<HostFile> files;
  std::vector<std::string>
      directories;    // of this machine, read-only: what Python and terminals read
  std::string shell;  // "/usr/bin/bash", "" when there is none
};
Result<Tools> ToolsOfHost();

// As a shell says it: 128 and the signal. A box that could not be started is said on stderr.
int ExitStatusOf(const Outcome& outcome);

}  // namespace gpustage
