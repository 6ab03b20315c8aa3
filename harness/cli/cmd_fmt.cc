#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/format_file.h"

namespace gpustage {
namespace {

struct FmtOptions {
  std::vector<std::string> paths;
  bool check = false;
};

int Fmt(const FmtOptions& options) {
  const Result<std::vector<std::string>> files = DiscoverScenarios(options.paths);
  if (!files) return PrintError(files.error(), kBadInput);
  int status = kAsExpected;
  for (const std::string& file : *files) {
    const Result<std::string> text = ReadFile(file);
    if (!text) return PrintError(text.error(), kBadInput);
    const Result<std::string> formatted = FormatScenario(*text, file);
    if (!formatted) {
      status = PrintError(formatted.error(), kBadInput);
      continue;
    }
    if (*formatted == *text) continue;
    fmt::print("{}\n", file);
    if (options.check && status == kAsExpected) status = kSomeBad;
    if (options.check) continue;
    if (const Status written = WriteFile(file, *formatted); !written)
      return PrintError(written.error(), kBadInput);
  }
  return status;
}

}  // namespace

Action DeclareFmt(CLI::App& app) {
  const auto options = std::make_shared<FmtOptions>();
  AddFooter(
      app,
      "Ends of lines, blanks behind them, blank lines, and claim, source and tags first. Comments "
      "stay with what they are about, and what the file says is looked at before it is written.");
  AddOption(app, "path", options->paths, "scenario files or folders").Kind("SCENARIO").Required();
  AddFlag(app, "--check", options->check, "change nothing; exit status 1 where something would be");
  return [options](const Program&) { return Fmt(*options); };
}

}  // namespace gpustage
