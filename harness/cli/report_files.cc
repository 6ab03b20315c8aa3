#include "harness/cli/report_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iterator>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/report/github.h"
#include "harness/report/json.h"
#include "harness/report/junit.h"
#include "harness/report/markdown.h"
#include "harness/report/text.h"

namespace gpustage {
namespace {

std::string TopOfRepository() {
  const char* const workspace = std::getenv("GITHUB_WORKSPACE");
  char here[4096];
  if (workspace != nullptr) return workspace;
  return getcwd(here, sizeof here) == nullptr ? "" : here;
}

std::string WholeText(const Report& report, const TextStyle& shown) {
  std::vector<std::string> ids;
  for (const ReportedRun& run : report.runs) ids.push_back(run.id);
  TextStyle style = PlainStyle(ids);
  style.program = shown.program;
  style.scanners = shown.scanners;
  return TextReport(report, style);
}

struct Kind {
  const char* name;
  std::function<std::string(const Report&)> write;
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {"json", JsonReport},
      {"junit", JunitReport},
      {"github", [](const Report& r) { return GithubAnnotations(r, TopOfRepository()); }},
      {"markdown", MarkdownSummary},
      {"text", nullptr}};  // needs more than the report
  return kinds;
}

const Kind* FindKind(const std::string& name) {
  const auto found = std::find_if(Kinds().begin(), Kinds().end(),
                                  [&](const Kind& kind) { return kind.name == name; });
  return found == Kinds().end() ? nullptr : &*found;
}

Error UnknownReport(const std::string& word) {
  std::vector<std::string> forms;
  for (const Kind& kind : Kinds()) forms.push_back(fmt::format("{}=FILE", kind.name));
  return Error{fmt::format("unknown report {}; expected {}", Quote(word), JoinOr(forms))};
}

}  // namespace

Result<std::vector<ReportFile>> ParseReportFiles(const std::vector<std::string>& words) {
  std::vector<ReportFile> files;
  for (const std::string& word : words) {
    const size_t sign = word.find('=');
    if (sign == std::string::npos || sign + 1 == word.size() ||
        FindKind(word.substr(0, sign)) == nullptr)
      return UnknownReport(word);
    ReportFile file = {word.substr(0, sign), word.substr(sign + 1)};
    const auto same = std::find_if(files.begin(), files.end(), [&](const ReportFile& other) {
      return other.file == file.file;
    });
    if (same != files.end())
      return Error{fmt::format("{} and {} are both to be written to {}", same->kind, file.kind,
                               Quote(file.file))};
    const std::string folder = file.file.find('/') == std::string::npos ? "." : ParentOf(file.file);
    if (file.file != "-" && !IsDirectory(folder))
      return Error{fmt::format("no directory {} for the report", folder)};
    if (file.file != "-" && IsDirectory(file.file))
      return Error{
          fmt::format("the {} report cannot be written: {} is a directory", file.kind, file.file)};
    if (file.file != "-" && access(folder.c_str(), W_OK) != 0)
      return Error{
          fmt::format("the {} report cannot be written: {} is not writable", file.kind, folder)};
    files.push_back(std::move(file));
  }
  return files;
}

bool TakeStdout(const std::vector<ReportFile>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const ReportFile& file) { return file.file == "-"; });
}

Status WriteReports(const Report& report, const TextStyle& shown,
                    const std::vector<ReportFile>& files) {
  for (const ReportFile& file : files) {
    const std::string text =
        file.kind == "text" ? WholeText(report, shown) : FindKind(file.kind)->write(report);
    if (file.file != "-") {
      TRY(WriteFile(file.file, text));
    } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
               std::fflush(stdout) != 0) {
      return Error{fmt::format("the {} report could not be written to standard output", file.kind)};
    }
  }
  return Ok();
}

Result<Report> ReadReport(const std::string& file) {
  TRY(const std::string text, ReadFile(file));
  return ParseJsonReport(text, file);
}

}  // namespace gpustage
