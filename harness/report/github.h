// GitHub workflow commands: what is bad stands at the line of the expectation in a pull request.
#pragma once

#include <string>

#include "harness/report/report.h"

namespace gpustage {

// "::error file=scenarios/a.yaml,line=31,col=5,title=…::…": one a place and verdict, since GitHub
// shows ten of a step and drops the rest; further runs that do not hold the same line are named in
// it. Problems, moved devices and new silences have no place; what failed in the baseline already
// is a warning. `root` is the top folder of the repository: paths below it are written from there.
std::string GithubAnnotations(const Report& report, const std::string& root);

}  // namespace gpustage
