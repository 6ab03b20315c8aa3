// What the processes of a run asked of the machine, and what they were refused: where changes can
// matter, and where they cannot.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/diagnose/flat_case.h"
#include "harness/evidence/evidence.h"

namespace gpustage {

// The kernel said no, though it is there.
struct Refusal {
  std::string path;
  EventKind how = EventKind::kOpen;
  bool writes = false;
  EventId event = 0;
};
// A library was looked for by name and found nowhere.
struct Lack {
  std::string name;
  std::string requester;                 // path; "" is the program
  std::vector<std::string> directories;  // in the order of the search
  int pid = 0;
  EventId event = 0;
};
struct FailedCall {
  std::string function;
  int64_t code = 0;
  EventId event = 0;
};
// The loss to speak of, as far as it is a value. All that `why` takes from the funnel is here.
struct RunLoss {
  bool any = false;
  std::string library;
  std::optional<Step> at;
  Cause cause = Cause::kUnknown;
  int pid = 0;
  std::string reason;
  EventId event = 0;
  // Paths, names of libraries, variables and functions of the chain of losses, the nearest first.
  std::vector<std::string> named;
};

struct SeenByRun {
  bool complete = false;             // all that was asked of the kernel is known
  bool vulkan = false;               // a loader of Vulkan was loaded, which lists whatever is there
  std::set<std::string> paths;       // as they were named, and what their links ended at
  std::set<std::string> listed;      // directories
  std::vector<std::string> missing;  // paths that were not there, in order, once each
  std::vector<Refusal> refused;
  std::vector<Lack> lacks;
  std::vector<std::string> loaded;  // real paths; the last loaded first
  std::vector<FailedCall> failed_calls;
  std::vector<std::string> candidates;  // of the funnel
  std::set<std::string> processes;      // that were started, by their roles
  RunLoss loss;
};

SeenByRun LookedAt(const Evidence& evidence, const FlatTree& tree);
// Whether a change of this path could have been seen: it was asked for, or its directory was
// listed.
bool CouldSee(const SeenByRun& looked, const FlatTree& tree, const std::string& path);
// Whether the chain of losses names what is here called by its path or its name.
bool IsNamed(const RunLoss& loss, const FlatTree& tree, const std::string& subject);
// What a run was like, in short: two runs of which it differs did not fail for the same reason.
std::string Signature(const SeenByRun& looked);

}  // namespace gpustage
