#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/diagnose/why.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

std::atomic<bool> g_stop = false;

// The run to ask about: the one that is named, or the first that can be started here.
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

Result<Case> TheCase(const CaseFilter& selection) {
  TRY(std::vector<Case> cases, SelectCases(selection));
  if (cases.size() == 1) return std::move(cases.front());
  return Error{fmt::format("{} has {} cases; one of them: gpustage why {}",
                           Quote(selection.paths.front()), cases.size(), cases.front().id)};
}

Result<WhyReport> Find(const Case& c, size_t run, const WhyOptions& options, CaseRunner& runner) {
  TRY(const Knowledge knowledge, Knowledge::Read(FindCatalog({})));
  TRY(const FlatCase flat, Flatten(c, run, knowledge.packages.images(), runner));
  TRY(WhyReport report, Why(flat, knowledge, runner, options));
  report.id = c.id;
  report.run = c.runs[run].name;
  return report;
}

// On a terminal, one line that is written over.
void ShowProgress(int starts, const Mending* best) {
  const std::string found = best == nullptr ? "nothing yet" : ToString(best->changes.front());
  fmt::print(stderr, "\r\033[K{} starts, {}", starts, found.substr(0, 70));
}

}  // namespace

int CmdWhy(const WhyCommand& command) {
  const Result<Case> c = TheCase(command.selection);
  if (!c) return PrintError(c.error(), kBadInput);
  const Result<size_t> run = WhichRun(*c, command.run);
  if (!run) return PrintError(run.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  WhyOptions options;
  options.budget = command.budget;
  options.jobs = command.jobs > 0
                     ? command.jobs
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  options.stop = &g_stop;
  // The best answer so far is still told.
  signal(SIGINT, [](int) { g_stop = true; });
  signal(SIGTERM, [](int) { g_stop = true; });
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal) options.progress = ShowProgress;
  const Result<WhyReport> report = Find(*c, *run, options, runner);
  if (terminal) fmt::print(stderr, "\r\033[K");
  if (!report) return PrintError(report.error(), kCannotHere);
  fmt::print("{}", command.json ? WhyJson(*report) : WhyText(*report, command.answers));
  if (report->interrupted) return 128 + SIGINT;
  return report->healthy || !report->answers.empty() ? kAsExpected : kSomeBad;
}

}  // namespace gpustage
