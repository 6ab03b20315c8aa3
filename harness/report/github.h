// GitHub workflow commands: what is bad stands at the line of the expectation in a pull request.
#pragma once

#include <iosfwd>
#include <string>

#include "harness/report/report.h"
#include "harness/report/run_list.h"

namespace gpustage {

// "::error file=scenarios/a.yaml,line=31,col=5,title=…::…": one a place and verdict; further runs
// that do not hold the same line are named in it. GitHub shows ten errors and ten warnings of a
// step and drops the rest: the tenth says how many more there are. Problems, moved devices and new
// silences have no place; what failed in the baseline already is a warning. `root` is the top
// folder of the repository: paths below it are written from there.
Status WriteGithubAnnotations(const Report& report, const RunList& runs, const std::string& root,
                              std::ostream& out);

}  // namespace gpustage
