#include "harness/embed/place.h"

#include <optional>

#include "harness/base/files.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

// A thread enters a namespace, not a process: the others would not see the trees.
bool HasThreads() {
  const Result<std::string> status = ReadFile("/proc/self/status");
  return status && status->find("\nThreads:\t1\n") == std::string::npos;
}

Workshop Enter() {
  Workshop shop;
  if (HasThreads()) {
    shop.has_threads = true;
    return shop;
  }
  static std::optional<Workspace> workspace;  // a runner works in it to the end of the process
  Result<Workspace> entered = Workspace::Enter(ProbeIsolation(), false);
  if (!entered) {
    shop.refused = entered.error().message;
    return shop;
  }
  workspace.emplace(*std::move(entered));
  shop.runner = std::make_unique<CaseRunner>(*workspace, FindRecorders(), false);
  return shop;
}

}  // namespace

const Workshop& SharedWorkshop() {
  static const Workshop shop = Enter();
  return shop;
}

}  // namespace gpustage
