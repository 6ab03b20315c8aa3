#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/pipeline.h"
#include "harness/report/trace.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

Result<std::vector<KeptRun>> RunNow(const std::vector<Case>& cases, const Isolation& isolation) {
  TRY(const Workspace workspace, Workspace::Enter(isolation, false));
  CaseRunner runner(workspace, FindRecorders(), false);
  std::vector<KeptRun> runs;
  for (const Case& c : cases) {
    const CaseReport report = RunCase(c, runner);
    for (const RunReport& run : report.runs) runs.push_back(Keep(report, run));
  }
  return runs;
}

// Whether it is a file, or cells of one: "a.yaml@mask=none".
bool IsOfFile(const std::string& path) {
  return IsEvidence(path) || FileExists(path) || FileExists(path.substr(0, path.rfind('@')));
}

// The command that shows this one of the runs again, as a shell takes it.
std::string Again(const CaseFilter& selection, const std::vector<KeptRun>& runs,
                  const KeptRun& run) {
  const std::string& path = selection.paths.front();
  const bool of_catalog = !IsOfFile(path);
  const auto like_it = [&](const KeptRun& other) { return !of_catalog || other.id == run.id; };
  const bool alone = std::count_if(runs.begin(), runs.end(), like_it) == 1;
  std::string command = "gpustage trace " + ShellWord(of_catalog ? run.id : path);
  for (const std::string& scanner : selection.scanners)
    command += " --scanner " + ShellWord(scanner);
  if (!alone) command += " --filter " + ShellWord(run.id + " " + run.run);
  return command;
}

}  // namespace

int CmdTrace(const TraceCommand& command) {
  const std::string& path = command.selection.paths.front();
  TraceOptions options = command.options;
  options.colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  for (const std::string& kind : options.kinds)
    if (std::find(TraceKinds().begin(), TraceKinds().end(), kind) == TraceKinds().end())
      return PrintError(
          {fmt::format("no kind of event {}{}", Quote(kind), DidYouMean(kind, TraceKinds()))},
          kBadInput);
  std::vector<KeptRun> runs;
  if (IsEvidence(path)) {
    Result<std::vector<KeptRun>> kept = ReadEvidence(path);
    if (!kept) return PrintError(kept.error(), kBadInput);
    runs = *std::move(kept);
    std::erase_if(runs, [&](const KeptRun& run) {
      return (run.id + " " + run.run).find(command.selection.filter) == std::string::npos;
    });
  } else {
    const Result<std::vector<Case>> cases = SelectCases(command.selection);
    if (!cases) return PrintError(cases.error(), kBadInput);
    const Isolation isolation = ProbeIsolation();
    Result<std::vector<KeptRun>> now = RunNow(*cases, isolation);
    if (!now) return PrintError(now.error(), kCannotHere);
    runs = *std::move(now);
  }
  if (runs.empty()) return PrintError({fmt::format("no run in {} matches", path)}, kBadInput);
  if (command.json) {
    fmt::print("{}", TraceJson(runs, options));
    return kAsExpected;
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    options.again = Again(command.selection, runs, runs[i]);
    fmt::print("{}{}", i == 0 ? "" : "\n", TraceText(runs[i], options));
  }
  return kAsExpected;
}

}  // namespace gpustage
