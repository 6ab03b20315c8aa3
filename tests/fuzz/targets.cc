#include "tests/fuzz/targets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "harness/base/elf_file.h"
#include "harness/base/files.h"
#include "harness/evidence/records/decode.h"
#include "harness/evidence/records/journal.h"
#include "harness/evidence/records/log_lines.h"
#include "harness/evidence/scanners/ollama/ollama_log.h"
#include "harness/evidence/store/recording.h"
#include "harness/evidence/store/store.h"
#include "harness/logs/answer.h"
#include "harness/logs/issue.h"
#include "harness/logs/read_log.h"
#include "harness/scenario/read/scenario.h"
#include "harness/stage/loader_cache.h"
#include "harness/suite/earlier_report.h"
#include "harness/suite/installation.h"
#include "tests/support/journal_bytes.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

// A file in memory with these bytes, for readers that take a file.
class FileOf {
 public:
  explicit FileOf(std::string_view bytes) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) abort();
  }
  ~FileOf() { close(fd_); }
  FileOf(const FileOf&) = delete;
  int fd() const { return fd_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

const Knowledge& TheKnowledge() {
  static const Knowledge knowledge = *ReadKnowledge(InSources("/fixtures/logs"));
  return knowledge;
}

std::vector<std::string> FilesBelow(const char* folder) {
  std::vector<std::string> contents;
  const Result<std::vector<std::string>> files = DiscoverScenarios({InSources(folder)});
  if (files)
    for (const std::string& file : *files)
      if (Result<std::string> text = ReadFile(file)) contents.push_back(*std::move(text));
  return contents;
}

std::vector<std::string> None() { return {}; }

// Two of our own, and a header that ends.
std::vector<std::string> Libraries() {
  std::vector<std::string> found = {
      "\x7f"
      "ELF\2\1\1"};
  for (const char* name : {"cudart-12", "nvml"})
    if (Result<std::string> bytes = ReadFile(FindCatalog({}).fakes + "/" + name + ".so"))
      found.push_back(*std::move(bytes));
  return found;
}

void ReadScenarioText(std::string_view bytes) {
  static const Catalog catalog = FindCatalog({});
  const FileOf file(bytes);
  (void)LoadCases(file.path(), catalog);
}

void ReadElf(std::string_view bytes) {
  const FileOf file(bytes);
  const std::optional<ElfFile> elf = ElfFile::Read(file.fd());
  if (!elf) return;
  for (const WantedSymbol& symbol : elf->wanted) (void)elf->Has(symbol);
}

void ReadCache(std::string_view bytes) { (void)ReadLoaderCache(bytes); }

void ReadJournal(std::string_view bytes) {
  RawRun raw;
  raw.journal = bytes;
  (void)Decode(raw, ScannerSpec{}, {});
}

std::vector<std::string> Journals() {
  world::Record record = {};
  std::string all;
  for (uint32_t kind = 0; kind < 40; ++kind) {
    record.kind = static_cast<world::RecordKind>(kind);
    record.time_ns = kind;
    record.pid = record.tid = 7;
    all += RecordBytes(record, {"/usr/lib/libcuda.so.1", "/proc", "cuInit"});
  }
  return {JournalBytes(all), JournalBytes(all, 3), JournalBytes("")};
}

void ReadStore(std::string_view bytes) { (void)ParseEvidenceLines(std::string(bytes), "kept"); }

std::vector<std::string> KeptRuns() {
  KeptRun run;
  run.id = "fuzz/one@a=b";
  RecordedRun recorded;
  recorded.journal.complete = true;
  recorded.journal.records.push_back(
      {world::RecordKind::kSearch, 7, 2, 2, 0, 1, -1, 1, {"libcuda.so.1"}});
  recorded.output.lines.push_back({5, Stream::kStderr, "found 1 CUDA devices"});
  FileRecord exec;
  exec.act = FileAct::kExec;
  exec.pid = 2;
  exec.path = "/bin/scan";
  exec.answered = true;
  recorded.files.records.push_back(exec);
  recorded.candidates = {"/opt/libggml-cuda.so"};
  recorded.after.answered.push_back({{}, {{"/opt/libggml-cuda.so", 0, 2, 0, "no such file"}}});
  recorded.after.looked.emplace_back().path = "/dev/nvidia0";
  recorded.after.mapped.emplace_back().path = "/opt/libggml-cuda.so";
  recorded.after.lacked.push_back({2, "", {{"cuInit", "", ""}}});
  std::ostringstream lines;
  WriteEvidenceLines(run, recorded, lines);
  return {lines.str()};
}

void ReadEarlier(std::string_view bytes) {
  const FileOf file(bytes);
  (void)ReadReport(file.path(), [](const ReportedRun&) { return Ok(); });
  (void)ReadBaseline(file.path());
  (void)ParseRecordings(std::string(bytes));
}

void ReadLogLines(LogFormat format, std::string_view bytes) {
  OutputChunk chunk;
  chunk.bytes = bytes;
  std::vector<LogLine> lines;
  for (const TimedLine& line : SplitLines({chunk}).lines)
    lines.push_back(ParseLogLine(line, format));
  (void)CanonicalOllamaLog(lines);
}
void ReadSlog(std::string_view bytes) { ReadLogLines(LogFormat::kSlog, bytes); }
void ReadGgmlLog(std::string_view bytes) { ReadLogLines(LogFormat::kGgml, bytes); }

void ReadPastedLog(std::string_view bytes) {
  const Knowledge& knowledge = TheKnowledge();
  const LogReading log = ReadLog(knowledge, bytes);
  (void)ExplanationText(knowledge, log, Weigh(knowledge, log), 80);
}

void ReadIssue(std::string_view bytes) {
  const Knowledge& knowledge = TheKnowledge();
  (void)IssueComment(knowledge, MarkdownOf(bytes), PastesOf(knowledge, bytes));
}

std::vector<std::string> Threads() { return FilesBelow("/fixtures/logs/threads"); }
std::vector<std::string> Scenarios() { return FilesBelow("/scenarios"); }

}  // namespace

const std::vector<FuzzTarget>& FuzzTargets() {
  static const std::vector<FuzzTarget> targets = {{"scenario", ReadScenarioText, Scenarios},
                                                  {"elf", ReadElf, Libraries},
                                                  {"ld-so-cache", ReadCache, None},
                                                  {"journal", ReadJournal, Journals},
                                                  {"evidence", ReadStore, KeptRuns},
                                                  {"report", ReadEarlier, None},
                                                  {"slog", ReadSlog, None},
                                                  {"ggml-log", ReadGgmlLog, None},
                                                  {"pasted-log", ReadPastedLog, Threads},
                                                  {"issue", ReadIssue, Threads}};
  return targets;
}

const FuzzTarget* FindFuzzTarget(std::string_view name) {
  const auto found = std::find_if(FuzzTargets().begin(), FuzzTargets().end(),
                                  [&](const FuzzTarget& target) { return target.name == name; });
  return found == FuzzTargets().end() ? nullptr : &*found;
}

}  // namespace gpustage
