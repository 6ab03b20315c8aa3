#include "harness/scenario/model/run_spec.h"

#include <fmt/format.h>

#include <utility>

namespace gpustage {

std::string RunName(const std::string& name, const ScannerSpec& scanner) {
  return scanner.version.empty() ? name : fmt::format("{}@{}", name, scanner.version);
}

bool IsNamed(const RunSpec& run, const std::string& wanted) {
  const std::string suffix = run.fixed ? kFixedSuffix : "";
  if (run.name == wanted || run.name == wanted + suffix) return true;
  const std::string name = wanted.substr(0, wanted.find('@'));
  return run.name == RunName(name, run.scanner) + suffix &&
         Means(wanted, name, run.scanner.version);
}

void DropRuns(std::vector<RunSpec>& runs, const std::function<bool(const RunSpec&)>& unwanted) {
  std::vector<RunSpec> kept;
  std::vector<TreeOp> owed;
  for (RunSpec& run : runs) {
    owed.insert(owed.end(), run.change.begin(), run.change.end());
    if (unwanted(run)) continue;
    run.change = std::exchange(owed, {});
    kept.push_back(std::move(run));
  }
  runs = std::move(kept);
}

}  // namespace gpustage
