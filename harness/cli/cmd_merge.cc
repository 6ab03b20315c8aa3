#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/report_files.h"
#include "harness/cli/screen.h"
#include "harness/cli/verbs.h"
#include "harness/suite/earlier_report.h"
#include "harness/suite/spool.h"

namespace gpustage {
namespace {

struct MergeOptions {
  std::vector<std::string> files;    // JSON reports
  std::vector<std::string> reports;  // "junit=FILE"
  std::string color = "auto";
  std::string baseline;
};

Result<Report> ReadAll(const MergeOptions& options, Spool& spool) {
  Merger merger;
  size_t count = 0;
  for (const std::string& file : options.files) {
    TRY(Report part, ReadReport(file, [&](const ReportedRun& run) -> Status {
          TRY(merger.AddRun(file, run));
          return spool.Add(run, count++);
        }));
    TRY(merger.AddReport(file, std::move(part)));
  }
  spool.Order(merger.Order());
  Report report = std::move(merger).Whole();
  if (!options.baseline.empty()) {
    TRY(Baseline baseline, ReadBaseline(options.baseline));
    TRY(spool.Each([&](const ReportedRun& run) -> Status {
      baseline.AddNow(run);
      return Ok();
    }));
    report.baseline = std::move(baseline).Changes();
  }
  return report;
}

int MergeReports(const MergeOptions& options) {
  const Result<std::vector<ReportFile>> files = ParseReportFiles(options.reports);
  if (!files) return PrintError(files.error(), kBadInput);
  Result<Spool> spool = Spool::Make();
  if (!spool) return PrintError(spool.error(), kCannotHere);
  const Result<Report> report = ReadAll(options, *spool);
  if (!report) return PrintError(report.error(), kBadInput);
  std::FILE* const out = TakeStdout(*files) ? stderr : stdout;
  const TextStyle style = StyleFor(out, 0, options.color);
  const Status told = PrintOutcome(*report, *spool, style, out);
  const Status written = WriteReports(*report, *spool, style, *files);
  for (const Status& status : {told, written})
    if (!status) return PrintError(status.error(), kBadInput);
  Print(stderr, ProblemsText(*report));
  return ExitStatus(*report);
}

}  // namespace

Action DeclareMerge(CLI::App& app) {
  const auto options = std::make_shared<MergeOptions>();
  AddFooter(app, "Totals, reports and the exit status are those of one run of all the cases.");
  AddOption(app, "file", options->files, "JSON reports").Kind("FILE").Required();
  AddReports(app, options->reports, options->baseline, options->color);
  return [options](const Program&) { return MergeReports(*options); };
}

}  // namespace gpustage
