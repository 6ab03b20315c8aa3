#include "harness/embed/place.h"

#include <optional>

#include "harness/cli/places.h"

namespace gpustage {
namespace {

struct Shared {
  Workspace workspace;
  Worker worker;
  explicit Shared(Workspace entered) : workspace(std::move(entered)), worker(workspace, FindRecorders(), false) {}
};

Result<std::unique_ptr<Shared>> Enter() {
  const Isolation isolation = ProbeIsolation();
  TRY(Workspace workspace, Workspace::Enter(isolation, false));
  return std::make_unique<Shared>(std::move(workspace));
}

}  // namespace

Result<Worker*> SharedWorker() {
  static const Result<std::unique_ptr<Shared>> shared = Enter();
  if (!shared) return shared.error();
  return &(*shared)->worker;
}

}  // namespace gpustage
