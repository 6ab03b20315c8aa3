#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/pipeline.h"
#include "harness/report/for_terminal.h"
#include "harness/report/trace.h"
#include "harness/run/interrupt.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

Result<std::vector<KeptRun>> RunNow(const std::vector<Case>& cases, const Isolation& isolation) {
  TRY(const Workspace workspace, Workspace::Enter(isolation, false));
  CaseRunner runner(workspace, FindRecorders(), false);
  std::vector<KeptRun> runs;
  CatchInterrupts();
  for (const Case& c : cases) {
    if (Interrupted() != 0) break;
    const CaseReport report = RunCase(c, runner);
    for (const RunReport& run : report.runs) runs.push_back(Keep(report, run));
  }
  return runs;
}

// The command that shows this one of the runs again.
std::string Again(const std::string& path, bool of_catalog, size_t runs, const KeptRun& run) {
  const bool alone = runs == 1;
  const std::string filter = alone ? "" : fmt::format(" --filter \"{} {}\"", run.id, run.run);
  return fmt::format("gpustage trace {}{}", of_catalog ? run.id : path, filter);
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
    if (Interrupted() != 0) return 128 + Interrupted();
  }
  if (runs.empty()) return PrintError({fmt::format("no run in {} matches", path)}, kBadInput);
  if (command.json) {
    fmt::print("{}", TraceJson(runs, options));
    return kAsExpected;
  }
  const bool of_catalog = !IsEvidence(path) && !FileExists(path);
  std::map<std::string, size_t> of_case;
  for (const KeptRun& run : runs) ++of_case[of_catalog ? run.id : ""];
  for (size_t i = 0; i < runs.size(); ++i) {
    options.again = Again(path, of_catalog, of_case[of_catalog ? runs[i].id : ""], runs[i]);
    fmt::print("{}{}", i == 0 ? "" : "\n", ForTerminal(TraceText(runs[i], options)));
  }
  return kAsExpected;
}

}  // namespace gpustage
