#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/one_run.h"
#include "harness/cli/verbs.h"
#include "harness/diagnose/diff.h"
#include "harness/diagnose/packages.h"
#include "harness/diagnose/trials.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct DiffCommand {
  std::string a, b;               // scenarios, cases, or files of kept evidence
  std::vector<std::string> runs;  // of both, or one each; none: the first that can be started here
};

Result<DiffSide> KeptSide(const std::string& path) {
  TRY(const std::vector<KeptRun> runs, ReadEvidence(path));
  if (runs.size() != 1)
    return Error{fmt::format("{} keeps {} runs; name the file of one", path, runs.size())};
  return DiffSide{fmt::format("{} [{}]", runs.front().id, runs.front().run), std::nullopt,
                  runs.front().evidence};
}

Result<DiffSide> RunSide(const OneRun& one, const Packages& packages, CaseRunner& runner) {
  TRY(FlatCase flat, Flatten(one.c, one.run, packages.images(), runner));
  Trials trials(runner, 1, 1, nullptr);
  const AttemptResult attempt = trials.Explained(flat);
  if (!attempt->failure.empty()) return Error{attempt->failure};
  return DiffSide{fmt::format("{} [{}]", one.c.id, one.c.runs[one.run].name), std::move(flat),
                  attempt->evidence};
}

int Differ(const DiffCommand& command) {
  std::vector<OneRun> runs(2);
  const std::string names[] = {command.a, command.b};
  for (size_t i = 0; i < runs.size(); ++i) {
    if (IsEvidence(names[i])) continue;
    const std::string run = command.runs.empty() ? "" : command.runs[i % command.runs.size()];
    Result<OneRun> one = FindOneRun(names[i], run);
    if (!one) return PrintError(one.error(), kBadInput);
    runs[i] = *std::move(one);
  }
  const Result<Packages> packages = Packages::Read(FindCatalog({}));
  if (!packages) return PrintError(packages.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  std::vector<DiffSide> sides;
  for (size_t i = 0; i < runs.size(); ++i) {
    Result<DiffSide> side =
        IsEvidence(names[i]) ? KeptSide(names[i]) : RunSide(runs[i], *packages, runner);
    if (!side) return PrintError(side.error(), kCannotHere);
    sides.push_back(*std::move(side));
  }
  const Diff diff = DiffOf(sides[0], sides[1]);
  fmt::print("{}", DiffText(diff, sides[0].name, sides[1].name));
  return diff.IsEmpty() ? kAsExpected : kSomeBad;
}

}  // namespace

Action DeclareDiff(CLI::App& app) {
  const auto command = std::make_shared<DiffCommand>();
  AddOption(app, "a", command->a, "scenario, case, or a file of run --evidence-dir")
      .Kind("SCENARIO")
      .Required();
  AddOption(app, "b", command->b, "another").Kind("SCENARIO").Required();
  AddOption(app, "--run", command->runs,
            "which of their runs; twice: of each, so that two versions of a scanner are held "
            "against one another; else the first that can be started here")
      .Kind("NAME")
      .OneEach();
  return [command](const Program&) { return Differ(*command); };
}

}  // namespace gpustage
