#include "harness/suite/evidence_dir.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/files.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr std::string_view kSuffix = ".jsonl";

Status MakeFolder(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return Error{fmt::format("cannot make {}: {}", folder, failure.message())};
  return Ok();
}

}  // namespace

Status MakeEvidenceFolder(const std::string& folder) {
  TRY(MakeFolder(folder));
  if (access(folder.c_str(), W_OK) != 0)
    return Error{fmt::format("the evidence cannot be kept: {} is not writable", folder)};
  return Ok();
}

Status WriteEvidence(const std::string& folder, const std::vector<CaseReport>& reports) {
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) {
      if (run.evidence.events.empty()) continue;  // it was skipped
      const std::string file =
          fmt::format("{}/{}.{}{}", folder, report.c.id, run.spec.name, kSuffix);
      TRY(MakeFolder(ParentOf(file)));
      TRY(WriteFile(file, EvidenceLines(Keep(report, run))));
    }
  return Ok();
}

bool IsEvidence(const std::string& path) {
  if (!IsDirectory(path)) return FileExists(path) && path.ends_with(kSuffix);
  const Result<std::vector<std::string>> files = FilesBelow(path, kSuffix);
  return files && !files->empty();
}

Result<std::vector<KeptRun>> ReadEvidence(const std::string& path) {
  std::vector<std::string> files = {path};
  if (IsDirectory(path)) {
    TRY(files, FilesBelow(path, kSuffix));
  }
  std::vector<KeptRun> runs;
  for (const std::string& file : files) {
    TRY(const std::string text, ReadFile(file));
    TRY(KeptRun run, ParseEvidenceLines(text, file));
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace gpustage
