#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/kept.h"
#include "harness/cli/places.h"
#include "harness/pipeline.h"
#include "harness/report/json.h"
#include "harness/report/suspects.h"
#include "harness/report/text.h"

namespace gpustage {
namespace {

// Ids are cut only where a terminal is too narrow for them: a log in a file keeps them whole.
TextStyle StyleOfTerminal(const std::vector<Case>& cases) {
  constexpr int kOtherColumns = 66, kNarrowest = 24;
  TextStyle style;
  style.name_width = 0;
  for (const Case& c : cases) style.name_width = std::max(style.name_width, static_cast<int>(c.id.size()));
  winsize size = {};
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  style.colour = terminal && std::getenv("NO_COLOR") == nullptr;
  if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.width = size.ws_col;
    style.name_width = std::min(style.name_width, std::max(kNarrowest, style.width - kOtherColumns));
  }
  return style;
}

// Checked before anything runs, so that a long run is not lost to a slip of the pen.
Result<std::vector<std::string>> JsonFiles(const std::vector<std::string>& reports) {
  std::vector<std::string> files;
  for (const std::string& report : reports) {
    if (!report.starts_with("json=") || report.size() == 5)
      return Error{fmt::format("unknown report {}; expected json=FILE", Quote(report))};
    files.push_back(report.substr(5));
    if (!IsDirectory(ParentOf(files.back()))) return Error{fmt::format("no directory {} for the report", ParentOf(files.back()))};
  }
  return files;
}

// Runs the cases on `jobs` threads; a finished one is printed at once, and all are given back in the order of the list.
std::vector<CaseReport> RunAll(const std::vector<Case>& cases, int jobs, Worker& worker, const TextStyle& style) {
  std::vector<CaseReport> reports(cases.size());
  std::atomic<size_t> next = 0;
  std::mutex printing;
  const auto work = [&] {
    for (size_t i = next++; i < cases.size(); i = next++) {
      reports[i] = RunCase(cases[i], worker);
      const std::lock_guard lock(printing);
      for (const RunReport& run : reports[i].runs) fmt::print("{}\n", ProgressLine(reports[i], run, style));
      std::fflush(stdout);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < jobs; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return reports;
}

// The first scanner or part of --require that was missing, with the sentence of its skip; "" when none was.
std::string MissingRequired(const std::vector<std::string>& require, const std::vector<CaseReport>& reports) {
  for (const std::string& name : require) {
    std::string why = fmt::format("no case of this selection uses {}", name);
    bool ran = false;
    for (const CaseReport& report : reports)
      for (const RunReport& run : report.runs) {
        const bool about = run.spec.scanner.name == name;
        if (run.verdict.kind != VerdictKind::kSkip && about) ran = true;
        if (run.verdict.kind == VerdictKind::kSkip && (about || run.verdict.because.find(name) != std::string::npos))
          return fmt::format("{} is required: {}", name, run.verdict.because);
      }
    if (!ran) return fmt::format("{} is required: {}", name, why);
  }
  return "";
}

}  // namespace

int CmdRun(const RunOptions& options) {
  const auto json_files = JsonFiles(options.reports);
  if (!json_files) return PrintError(json_files.error(), kBadInput);
  if (!options.evidence_dir.empty())
    if (const Status made = MakeEvidenceFolder(options.evidence_dir); !made) return PrintError(made.error(), kBadInput);
  const Result<std::vector<Case>> cases = SelectCases(options.selection);
  if (!cases) return PrintError(cases.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const auto start = std::chrono::steady_clock::now();
  const Result<Workspace> workspace = Workspace::Enter(isolation, options.keep);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  Recorders recorders = FindRecorders();
  recorders.level = options.evidence;
  Worker worker(*workspace, std::move(recorders), options.keep);
  const TextStyle style = StyleOfTerminal(*cases);
  const int jobs = std::clamp(options.jobs > 0 ? options.jobs : static_cast<int>(std::thread::hardware_concurrency()), 1,
                              static_cast<int>(cases->size()));
  const std::vector<CaseReport> reports = RunAll(*cases, jobs, worker, style);
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs)
      if (const std::string block = FailureBlock(report, run, style); !block.empty()) fmt::print("\n{}", block);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("\n{}", TotalsText(reports, seconds.count()));
  fmt::print("{}", SuspectsTable(reports));
  if (options.keep) fmt::print("trees kept in {}\n", workspace->directory());
  for (const std::string& file : *json_files)
    if (const Status written = WriteFile(file, JsonReport(reports)); !written) return PrintError(written.error(), kBadInput);
  if (!options.evidence_dir.empty())
    if (const Status kept = WriteEvidence(options.evidence_dir, reports); !kept) return PrintError(kept.error(), kBadInput);
  const Totals totals = Count(reports);
  if (totals.Bad()) return kSomeBad;
  if (const std::string missing = MissingRequired(options.require, reports); !missing.empty()) {
    fmt::print(stderr, "gpustage: {}\n", missing);
    return totals.pass + totals.xfail == 0 ? kNothingRan : kSomeBad;
  }
  return kAsExpected;
}

}  // namespace gpustage
