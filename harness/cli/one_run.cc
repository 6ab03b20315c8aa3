#include "harness/cli/one_run.h"

#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/cli/host_tools.h"

namespace gpustage {
namespace {

Result<size_t> WhichRun(const Case& c, const std::string& wanted) {
  std::vector<std::string> names;
  for (size_t i = 0; i < c.runs.size(); ++i) {
    const RunSpec& run = c.runs[i];
    if (run.fixed) continue;
    if (wanted.empty() ? run.scanner.missing.empty() : run.name == wanted) return i;
    names.push_back(run.name);
  }
  if (wanted.empty())
    return Error{fmt::format("no run of {} can be started here: {}", c.id,
                             c.runs.empty() ? "it has none" : c.runs.front().scanner.missing)};
  return Error{fmt::format("{} has no run {}{}", c.id, Quote(wanted), DidYouMean(wanted, names))};
}

}  // namespace

Result<OneRun> FindOneRun(const std::string& scenario, const std::string& wanted) {
  TRY(Case c, SingleCase(scenario));
  TRY(const size_t run, WhichRun(c, wanted));
  return OneRun{std::move(c), run};
}

}  // namespace gpustage
