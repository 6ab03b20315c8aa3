#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/cli/verbs.h"
#include "harness/evidence/records/decode.h"
#include "harness/report/suspects.h"
#include "harness/suite/case_selection.h"

namespace gpustage {
namespace {

struct ExplainLogOptions {
  std::string file;   // Ollama's log; "-" is standard input
  bool page = false;  // the page of all causes instead
};

constexpr char kReport[] = "scanner-not-loading/the-report";

int ExplainLog(const ExplainLogOptions& options) {
  CaseFilter selection;
  selection.paths = {kReport};
  const Result<std::vector<Case>> cases = SelectCases(selection);
  if (!cases) return PrintError(cases.error(), kBadInput);
  if (options.page) {
    fmt::print("{}", SuspectsPage(*cases));
    return kAsExpected;
  }
  if (options.file.empty())
    return PrintError({"explain-log needs a file, or - for standard input"}, kBadInput);
  const Result<std::string> text = ReadFile(options.file == "-" ? "/dev/stdin" : options.file);
  if (!text) return PrintError(text.error(), kBadInput);
  const auto is_service = [](const RunSpec& run) {
    return run.scanner.log_format == LogFormat::kSlog;
  };
  const std::vector<RunSpec>& runs = cases->front().runs;
  const auto service = std::find_if(runs.begin(), runs.end(), is_service);
  if (service == runs.end())
    return PrintError({fmt::format("{} has no run with such a log", kReport)}, kBadInput);
  RawRun raw;
  raw.output.push_back({0, Stream::kStderr, PlainOllamaLog(*text)});
  const Evidence log = Decode(raw, service->scanner, {});
  const auto is_slog = [](const LogLine& line) { return line.message != line.text; };
  if (std::none_of(log.log.begin(), log.log.end(), is_slog))
    return PrintError(
        {fmt::format(
            "{} has no line of Ollama's log: expected lines such as time=… level=DEBUG msg=…",
            options.file)},
        kBadInput);
  fmt::print("{}", ExplainLogText(Weigh(*cases, log), log));
  return kAsExpected;
}

}  // namespace

Action DeclareExplainLog(CLI::App& app) {
  const auto options = std::make_shared<ExplainLogOptions>();
  app.add_option("log", options->file, "a file, or - for standard input")->type_name("FILE");
  app.add_flag("--page", options->page, "the page of all known causes, as Markdown");
  return [options](const Program&) { return ExplainLog(*options); };
}

}  // namespace gpustage
