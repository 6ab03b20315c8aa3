// What the failing cells of a scenario have in common and the others have not: counted, not
// guessed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/report/run_list.h"

namespace gpustage {

// Values of one axis or of two; the run is an axis, too, where a scenario has several.
struct CommonTerm {
  std::map<std::string, std::string> axes;
  int failing = 0;  // of the cells that have them
  int others = 0;
  friend bool operator==(const CommonTerm&, const CommonTerm&) = default;
};

struct Common {
  std::string scenario;
  int failing = 0;  // runs of it that are bad
  int others = 0;   // that are not; skips are none of both
  // Any of these holds of `covered` of the failing ones. Empty: no value tells them apart.
  std::vector<CommonTerm> terms;
  int covered = 0;
  std::string loss;  // `libcudart.so.12 lost at "loaded"`, of most of them; "" where none was lost
  int lost = 0;
  friend bool operator==(const Common&, const Common&) = default;
};

// Of each scenario that has two bad runs or more and of which there is something to say; those of
// which most fail come first.
Result<std::vector<Common>> CommonOf(const RunList& runs);

// "all 4 failing runs have mask=1 or gpu=two; none of the 11 others has".
std::string CommonSentence(const Common& common);
// All of them for a terminal. "" when there is none.
std::string CommonText(const std::vector<Common>& all);

}  // namespace gpustage
