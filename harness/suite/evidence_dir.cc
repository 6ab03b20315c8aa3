#include "harness/suite/evidence_dir.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/files.h"
#include "harness/base/limits.h"
#include "harness/base/output_file.h"
#include "harness/report/trace.h"
#include "harness/report/utf8.h"

namespace gpustage {
namespace {

constexpr std::string_view kEvidenceSuffix = ".jsonl";
constexpr size_t kTemporary = 20;  // bytes that a file has more in its name while it is written

Status MakeFolder(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return Error{fmt::format("cannot make {}: {}", folder, failure.message())};
  return Ok();
}

KeptRun WithoutEvidence(const CaseReport& report, const RunReport& run) {
  return Keep(report, {run.spec, run.verdict, {}});
}

// One part of a path of what a scenario says: labels of axes may hold slashes, and be long.
std::string AsFileName(const std::string& text, const std::string& suffix) {
  std::string name;
  for (const char c : text)
    name += c == '/' || c == '%' || static_cast<unsigned char>(c) < 0x20
                ? fmt::format("%{:02X}", static_cast<unsigned char>(c))
                : std::string(1, c);
  if (name.size() + suffix.size() <= limits::kFileName - kTemporary) return name + suffix;
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: what is cut off tells it from others
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  const std::string tail = fmt::format("~{:016x}{}", hash, suffix);
  return Utf8(name.substr(0, limits::kFileName - kTemporary - tail.size())) + tail;
}

}  // namespace

std::string EvidenceFile(const std::string& id, const std::string& run) {
  const size_t slash = id.substr(0, id.find('@')).rfind('/');
  const std::string folder = slash == std::string::npos ? "" : id.substr(0, slash + 1);
  return folder + AsFileName(id.substr(folder.size()) + "." + run, std::string(kEvidenceSuffix));
}

Status MakeEvidenceFolder(const std::string& folder) {
  TRY(MakeFolder(folder));
  if (access(folder.c_str(), W_OK) != 0)
    return Error{fmt::format("the evidence cannot be kept: {} is not writable", folder)};
  return Ok();
}

Status WriteEvidence(const std::string& folder, const CaseReport& report) {
  for (const RunReport& run : report.runs) {
    if (run.evidence.events.empty()) continue;  // it was skipped
    const std::string file = folder + "/" + EvidenceFile(report.c.id, run.spec.name);
    TRY(MakeFolder(ParentOf(file)));
    TRY(OutputFile kept, OutputFile::Open(file, false));
    WriteEvidenceLines(WithoutEvidence(report, run), run.recorded, kept.stream());
    TRY(kept.Close());
  }
  return Ok();
}

bool IsEvidence(const std::string& path) {
  if (!IsDirectory(path)) return FileExists(path) && path.ends_with(kEvidenceSuffix);
  const Result<std::vector<std::string>> files = FilesBelow(path, kEvidenceSuffix);
  return files && !files->empty();
}

Result<std::vector<KeptRun>> ReadEvidence(const std::string& path) {
  std::vector<std::string> files = {path};
  if (IsDirectory(path)) {
    TRY(files, FilesBelow(path, kEvidenceSuffix));
  }
  std::vector<KeptRun> runs;
  for (const std::string& file : files) {
    TRY(const std::string text, ReadFileStart(file, limits::kKeptBytes + 1));
    if (text.size() > limits::kKeptBytes)
      return Error{fmt::format("{} is longer than what is kept of any run: {} MiB", file,
                               limits::kKeptBytes >> 20)};
    TRY(KeptRun run, ParseEvidenceLines(text, file));
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace gpustage
