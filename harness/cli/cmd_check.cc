#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/stage/plan.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/check_runs.h"

namespace gpustage {
namespace {

constexpr size_t kMostShown = 20;

// A combination of values that is wrong is so in many cells: each sentence once.
int CheckFiles(const CaseFilter& selection) {
  const Result<CaseSelection> selected = Select(selection);
  if (!selected) return PrintError(selected.error(), kBadInput);
  std::vector<std::string> mistakes;
  for (size_t place = 0; place < selected->size(); ++place) {
    const Result<Case> c = selected->Read(place);
    const Status planned = c ? Ok() : c.error();
    Status all = planned;
    if (c)
      if (const Result<StagePlan> plan = PlanStage(*c, {}); !plan) all = plan.error();
    if (c && all) all = CheckRuns(*c);
    if (all) continue;
    std::string said = Rendered(all.error());
    if (std::find(mistakes.begin(), mistakes.end(), said) == mistakes.end())
      mistakes.push_back(std::move(said));
  }
  for (size_t i = 0; i < std::min(mistakes.size(), kMostShown); ++i)
    fmt::print(stderr, "{}\n", mistakes[i]);
  if (mistakes.size() > kMostShown)
    fmt::print(stderr, "gpustage: and {} more\n", mistakes.size() - kMostShown);
  if (!mistakes.empty()) return kBadInput;
  fmt::print("{} cases of {} files: no mistake found\n", selected->size(),
             selected->Ranges().size());
  return kAsExpected;
}

}  // namespace

Action DeclareCheck(CLI::App& app) {
  const auto selection = std::make_shared<CaseFilter>();
  AddFooter(app, "Nothing is staged or run: whether a claim holds is for run to say.");
  AddSelection(app, *selection);
  return [selection](const Program&) { return CheckFiles(*selection); };
}

}  // namespace gpustage
