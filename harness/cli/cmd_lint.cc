#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/lint.h"

namespace gpustage {
namespace {

struct LintOptions {
  CaseFilter selection;
  bool rules = false;
};

int PrintRules() {
  for (const LintRule& rule : LintRules())
    fmt::print("{}\n  {}\n  fix: {}\n", rule.name, rule.reason, rule.fix);
  return kAsExpected;
}

int LintSelected(const LintOptions& options) {
  if (options.rules) return PrintRules();
  const Result<CaseSelection> selected = Select(options.selection);
  if (!selected) return PrintError(selected.error(), kBadInput);
  const Result<std::vector<OddThing>> findings = Lint(*selected, options.selection.paths.empty());
  if (!findings) return PrintError(findings.error(), kBadInput);
  for (const OddThing& finding : *findings) {
    const std::string about = finding.what.empty() ? "" : fmt::format(" ({})", finding.what);
    fmt::print("{}\n", Rendered({fmt::format("{}: {}{}; {}", finding.rule->name,
                                             finding.rule->reason, about, finding.rule->fix),
                                 finding.pos}));
  }
  fmt::print("{} files, {} rules: {}\n", selected->Ranges().size(), LintRules().size(),
             findings->empty() ? "nothing odd" : fmt::format("{} findings", findings->size()));
  return findings->empty() ? kAsExpected : kSomeBad;
}

}  // namespace

Action DeclareLint(CLI::App& app) {
  const auto options = std::make_shared<LintOptions>();
  AddFooter(
      app,
      "Nothing is staged or run. check says what is wrong; this says what is right and cannot be "
      "meant. Exit status 1 when there is a finding.");
  AddSelection(app, options->selection);
  AddFlag(app, "--rules", options->rules, "all that is looked for, with the reason and the fix");
  return [options](const Program&) { return LintSelected(*options); };
}

}  // namespace gpustage
