#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "harness/cli/commands.h"
#include "harness/cli/options.h"
#include "harness/cli/report_files.h"
#include "harness/cli/screen.h"
#include "harness/cli/verbs.h"

namespace gpustage {
namespace {

struct MergeOptions {
  std::vector<std::string> files;    // JSON reports
  std::vector<std::string> reports;  // "junit=FILE"
  std::string color = "auto";
  std::string baseline;
};

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

int MergeReports(const MergeOptions& options) {
  const Result<std::vector<ReportFile>> files = ParseReportFiles(options.reports);
  if (!files) return PrintError(files.error(), kBadInput);
  const Result<Report> report = ReadAll(options);
  if (!report) return PrintError(report.error(), kBadInput);
  std::FILE* const out = TakeStdout(*files) ? stderr : stdout;
  const TextStyle style = StyleFor(out, {}, options.color);
  PrintOutcome(*report, style, out);
  if (const Status written = WriteReports(*report, style, *files); !written)
    return PrintError(written.error(), kBadInput);
  fmt::print(stderr, "{}", ProblemsText(*report));
  return ExitStatus(*report);
}

}  // namespace

Action DeclareMerge(CLI::App& app) {
  const auto options = std::make_shared<MergeOptions>();
  app.footer("Totals, reports and the exit status are those of one run of all the cases.");
  app.add_option("file", options->files, "JSON reports")->type_name("FILE")->required();
  AddReports(app, options->reports, options->baseline, options->color);
  return [options](const Program&) { return MergeReports(*options); };
}

}  // namespace gpustage
