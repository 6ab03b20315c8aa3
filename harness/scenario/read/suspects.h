// suspects: of a scenario that weighs the causes of a report.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/read/readers.h"

namespace gpustage {

// What the values of an axis stand for. A line that rules one out is expected of
// its runs, too.
struct Suspects {
  struct Look {
    std::string say;                // a command, or a part of the log
    std::vector<std::string> runs;  // that do it; none: nobody does it here
    YamlNode in;                    // where they stand
  };
  struct One {
    Suspect suspect;
    std::string look;
    std::string see;
    SourcePos see_pos;
    std::optional<Fix> fix;
    SourcePos pos;
  };
  std::string axis;  // "": the scenario has none
  std::map<std::string, Look> looks;
  std::vector<Expectation> report;  // what each gives that no line rules out
  std::vector<Expectation> fixed;   // what each gives after its fix
  std::map<std::string, One> of;    // by the value of the axis
  SourcePos pos;
};
Result<Suspects> ReadSuspects(const YamlNode& node, const std::vector<Axis>& axes,
                              Fixtures& fixtures);
// What they name of the runs must be there. `runs` are those of all cases, each with the version
// that its scanner was given in.
Status CheckRuns(const Suspects& suspects, const std::vector<std::string>& runs);
Status AddSuspect(const Suspects& suspects, Case& c);

}  // namespace gpustage
