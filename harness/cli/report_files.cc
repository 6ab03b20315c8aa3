#include "harness/cli/report_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>

#include "harness/base/output_file.h"
#include "harness/base/text.h"
#include "harness/report/github.h"
#include "harness/report/html.h"
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

Status WriteGithub(const Report& report, const RunList& runs, std::ostream& out) {
  return WriteGithubAnnotations(report, runs, TopOfRepository(), out);
}

struct Kind {
  const char* name;
  Status (*write)(const Report&, const RunList&, std::ostream&);  // none: styled is there
  Status (*styled)(const Report&, const RunList&, const TextStyle&, std::ostream&) = nullptr;
};

// The next commands are those of what was shown.
Status WriteText(const Report& report, const RunList& runs, const TextStyle& shown,
                 std::ostream& out) {
  size_t longest = 0;
  TRY(runs.Each([&](const ReportedRun& run) -> Status {
    longest = std::max(longest, run.id.size());
    return Ok();
  }));
  TextStyle style = PlainStyle(longest);
  style.program = shown.program;
  style.scanners = shown.scanners;
  return WriteTextReport(report, runs, style, out);
}

constexpr Kind kKinds[] = {{"json", WriteJsonReport},    {"junit", WriteJunitReport},
                           {"github", WriteGithub},      {"markdown", WriteMarkdownSummary},
                           {"text", nullptr, WriteText}, {"html", nullptr, WriteHtmlReport}};

const Kind* FindKind(const std::string& name) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const Kind& kind) { return kind.name == name; });
  return found == std::end(kKinds) ? nullptr : found;
}

Error UnknownReport(const std::string& word) {
  std::vector<std::string> forms;
  for (const Kind& kind : kKinds) forms.push_back(fmt::format("{}=FILE", kind.name));
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
    if (!IsStdout(file.file))
      if (const Status writable = OutputFile::Check(file.file); !writable)
        return Error{fmt::format("the {} report cannot be written: {}", file.kind,
                                 writable.error().message)};
    files.push_back(std::move(file));
  }
  return files;
}

bool WantsPage(const std::vector<ReportFile>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const ReportFile& file) { return file.kind == "html"; });
}

bool TakeStdout(const std::vector<ReportFile>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const ReportFile& file) { return IsStdout(file.file); });
}

namespace {

// What other tools of the step have written there stays.
bool IsStepSummary(const std::string& file) {
  const char* const summary = std::getenv("GITHUB_STEP_SUMMARY");
  return summary != nullptr && file == summary;
}

Status WriteOne(const Report& report, const RunList& runs, const TextStyle& shown,
                const ReportFile& file) {
  const auto write = [&](const Report& all, const RunList& list, std::ostream& out) {
    const Kind& kind = *FindKind(file.kind);
    return kind.write == nullptr ? kind.styled(all, list, shown, out) : kind.write(all, list, out);
  };
  if (IsStdout(file.file)) {
    TRY(write(report, runs, std::cout));
    if (!std::cout.flush())
      return Error{fmt::format("the {} report could not be written to standard output", file.kind)};
    return Ok();
  }
  TRY(OutputFile out, OutputFile::Open(file.file, IsStepSummary(file.file)));
  TRY(write(report, runs, out.stream()));
  return out.Close();
}

}  // namespace

Status WriteReports(const Report& report, const RunList& runs, const TextStyle& shown,
                    const std::vector<ReportFile>& files) {
  Status all = Ok();
  for (const ReportFile& file : files)
    if (Status written = WriteOne(report, runs, shown, file); !written && all)
      all = std::move(written);
  return all;
}

}  // namespace gpustage
