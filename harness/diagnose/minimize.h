// The smallest machine in which the same devices are lost for the same reason, and in which the
// change that was proven works.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/diagnose/scenario_text.h"
#include "harness/diagnose/why.h"

namespace gpustage {

// What can be left out of a machine.
struct Part {
  enum class Kind { kEntry, kVariable, kFault, kGroup };
  Kind kind = Kind::kEntry;
  std::string name;   // path, variable, group
  size_t number = 0;  // of the fault
  friend bool operator==(const Part&, const Part&) = default;
};

std::vector<Part> PartsOf(const FlatCase& flat);
FlatCase Without(const FlatCase& flat, const std::vector<Part>& parts);

// The library, the step, the cause and what the chain of losses names.
bool IsSameLoss(const RunLoss& a, const RunLoss& b);

struct Minimized {
  FlatCase flat;
  std::optional<Mending> mending;  // that was proven, and works here, too
  RunLoss loss;                    // as a start alone shows it: what trials are held to
  Cause cause = Cause::kUnknown;   // of the smallest, with the system asked after the run
  std::optional<int64_t> count;
  size_t parts_before = 0;
  size_t parts = 0;
  size_t floor = 0;  // parts that the mended machine needs to have its devices
  int starts = 0;
  bool interrupted = false;  // it could be smaller
};

Result<Minimized> Minimize(const FlatCase& flat, const WhyReport& report, CaseRunner& runner,
                           const WhyOptions& options);

// The whole machine, without a word of what is wrong with it but how its files are made.
Result<std::string> MachineText(const FlatCase& flat, const Case& original, size_t run,
                                const ProposalContext& knowledge);
// For programs: `text` is the scenario.
std::string MinimizedJson(const Minimized& small, const std::string& text);
// `original`: how its author wrote the broken libraries that are left. An error names one that
// cannot be written.
Result<std::string> MinimizedText(const Minimized& small, const Case& original, size_t run,
                                  const ProposalContext& knowledge);

}  // namespace gpustage
