// How far each library of a GPU got in each process, what it was lost at, and what that stands on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/loader/need.h"
#include "harness/evidence/path/fact.h"
#include "harness/evidence/path/families.h"
#include "harness/evidence/path/reason.h"
#include "harness/evidence/records/event.h"
#include "harness/scenario/model/cause.h"
#include "harness/scenario/model/claim_parts.h"

namespace gpustage {

// How sure a step of the funnel is.
enum class StepState {
  kNotObservable,
  kSeen,
  kDerived,
  kDidNotHappen,
  kNotNeeded,  // nobody did it, and the library was got without: asked for by a name that was known
};

// How a statement is known: an event shows it, it follows from events, or the system was asked
// after the run.
enum class Known { kNotObservable, kSeen, kDerived, kAsked };
std::string ToString(Known known);  // "not observable", "seen", "derived", "asked"
std::optional<Known> ParseKnown(const std::string& word);

// A step, and what shows it: an event, which may be another process's; 0: none does.
struct StepSeen {
  StepState state = StepState::kNotObservable;
  EventId event = 0;
  friend bool operator==(const StepSeen&, const StepSeen&) = default;
};

// Where a device was lost, and why: the first step that did not happen.
struct PathLoss {
  Step at = Step::kListed;
  Cause cause = Cause::kUnknown;
  Known known = Known::kSeen;      // how the reason is known
  Reason reason = {};              // in whose words harness/words tells it
  std::string loader_says = {};    // ld.so's own words of it, when it was asked
  int64_t code = 0;                // that the call gave at which it was lost; 0: no call failed
  bool failed = false;             // a device is missing because of it: funnel_passes.h says when
  EventId said = 0;                // the log line that says so; 0: none does
  std::vector<Fact> because = {};  // what it stands on, down to the last fact that was seen
  friend bool operator==(const PathLoss&, const PathLoss&) = default;
};

// One library of a GPU in one process.
struct FunnelRow {
  std::string library;  // path inside the root; the name that was asked for where it is nowhere
  int pid = 0;          // 0: no process touched it
  std::string role;
  std::map<Step, StepSeen> steps;
  std::optional<Step> reached;   // the last step that happened
  std::optional<PathLoss> loss;  // none: nothing was lost, or it cannot be said
  EventId event = 0;             // where its path ends: what shows the loss, or the last step
  Reason remark;                 // what is odd about it
  Cause odd = Cause::kUnknown;   // the same in a word, where nothing was lost
  Family family = Family::kBackend;
  Family stack = Family::kRuntime;  // by which it comes to its devices
  bool linked = false;           // asked for by its bare name: by a link, or a dlopen that searches
  std::string file = {};         // what its name ended at, where a link was followed
  std::string rule = {};         // that found it: "LD_LIBRARY_PATH[2]"
  std::vector<Need> needs = {};  // in the order of the search
  std::optional<Step> lost_at() const { return loss ? std::optional(loss->at) : std::nullopt; }
  Cause cause() const { return loss ? loss->cause : odd; }
  bool failed() const { return loss && loss->failed; }
  friend bool operator==(const FunnelRow&, const FunnelRow&) = default;
};

// A scanner's end that is no end of its work.
struct BadEnd {
  int pid = 0;
  bool before_main = false;  // the loader ended it: what it was linked to could not be loaded
  std::string object = {};   // before_main: the library that the loader names
  EventId said = 0;          // the last line that it printed; 0: none
  EventId last = 0;          // the last call, load or path that it asked for
  friend bool operator==(const BadEnd&, const BadEnd&) = default;
};

// What is known of the machine and the tree without watching anybody.
struct Setting {
  int devices = -1;         // NVIDIA's that the machine has; -1: not known
  bool any_device = true;   // of whatever maker it, or a library with a machine of its own, has one
  bool own_device = false;  // a library with a machine of its own has one of NVIDIA's
  int amd = -1;             // AMD's; -1: not known
  int others = -1;          // of all makers but NVIDIA, AMD's too; -1: not known
  std::vector<std::string> libraries;  // paths of the GPU libraries of the tree, links included
  std::map<std::string, std::string> versions;  // of drivers, by their paths
  std::string kernel_driver;                    // the version of the kernel's module
  friend bool operator==(const Setting&, const Setting&) = default;
};
// Whether the machine has, as far as is known, a GPU that a program can come to by this family.
bool MayHave(const Setting& setting, Family stack);

}  // namespace gpustage
