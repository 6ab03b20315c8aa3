// How far each library of a GPU got in each process, what it was lost at, and what that stands on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/path/fact.h"
#include "harness/evidence/path/families.h"
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

// What a library asked the loader for.
struct Tried {
  std::string path;
  std::string rule;  // "LD_LIBRARY_PATH[2]", "RPATH", "RUNPATH", "ld.so.cache", "default directory"
  friend bool operator==(const Tried&, const Tried&) = default;
};

struct Need {
  std::string name;       // as it is asked for: "libcudart.so.12"
  std::string requester;  // path of the library that asks; "" is the program
  std::vector<Tried> tried;
  std::string found;  // the file that was mapped; "" is none
  std::string rule;   // that found it
  EventId event = 0;  // of the search
  // Nothing was mapped for it, and yet a file of that name was opened: what is loaded already,
  // under the name `same_as`, or, where that is "", one that was refused.
  std::optional<Tried> opened = {};
  std::string same_as = {};
  friend bool operator==(const Need&, const Need&) = default;
};
// "LD_LIBRARY_PATH 12, ld.so.cache 1, default directories 30".
std::string CountByRule(const Need& need);
// "by LD_LIBRARY_PATH[2]", "in a default directory"
std::string ByRule(const std::string& rule);

// One library of a GPU in one process. The device is lost at the first step that did not happen.
struct FunnelRow {
  std::string library;  // path inside the root; the name that was asked for where it is nowhere
  int pid = 0;          // 0: no process touched it
  std::string role;
  std::map<Step, StepState> steps;
  std::map<Step, EventId> events = {};  // what shows a step; it may be another process's
  std::optional<Step> reached;          // the last step that happened
  std::optional<Step> lost_at;          // none: nothing was lost, or it cannot be said
  std::string reason;                   // the sentence a user understands; "" when nothing was lost
  std::string loader_says = {};         // ld.so's own words of it, when it was asked
  Cause cause = Cause::kUnknown;
  int64_t code = 0;            // that the call gave at which it was lost; 0: no call failed
  Known known = Known::kSeen;  // how the reason is known
  std::string
      remark;  // what is odd about a library of which nothing was lost; cause says it in a word
  EventId event = 0;    // what shows it
  bool failed = false;  // a device is missing because of it: silent.h says when
  EventId said = 0;     // the log line that says so; 0: none does
  Family family = Family::kBackend;
  Family stack = Family::kRuntime;  // by which it comes to its devices
  bool linked = false;           // asked for by its bare name: by a link, or a dlopen that searches
  std::string file = {};         // what its name ended at, where a link was followed
  std::string rule = {};         // that found it: "LD_LIBRARY_PATH[2]"
  std::vector<Need> needs = {};  // in the order of the search
  std::vector<Fact> below = {};  // what the reason stands on, down to the last fact that was seen
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
