#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/report_files.h"
#include "harness/cli/screen.h"

namespace gpustage {
namespace {

Result<Report> ReadAll(const MergeOptions& options) {
  std::vector<NamedReport> parts;
  for (const std::string& file : options.files) {
    TRY(Report part, ReadReport(file));
    parts.push_back({file, std::move(part)});
  }
  TRY(Report report, Merge(std::move(parts)));
  if (!options.baseline.empty()) {
    TRY(const Report before, ReadReport(options.baseline));
    report.baseline = ChangesSince(before.runs, options.baseline, report.runs);
  }
  return report;
}

}  // namespace

int CmdMerge(const MergeOptions& options) {
  const Result<std::vector<ReportFile>> files = ParseReportFiles(options.reports);
  if (!files) return PrintError(files.error(), kBadInput);
  const Result<Report> report = ReadAll(options);
  if (!report) return PrintError(report.error(), kBadInput);
  std::FILE* const out = TakeStdout(*files) ? stderr : stdout;
  PrintOutcome(*report, StyleFor(out, {}, options.color), out);
  if (const Status written = WriteReports(*report, *files); !written)
    return PrintError(written.error(), kBadInput);
  fmt::print(stderr, "{}", ProblemsText(*report));
  return ExitStatus(*report);
}

}  // namespace gpustage
