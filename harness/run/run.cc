#include "harness/run/run.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "harness/base/files.h"
#include "harness/run/ask.h"
#include "harness/run/journal_file.h"

namespace gpustage {
namespace {

constexpr char kAskPath[] = "/.gpustage/ask";
constexpr std::string_view kAuditVariable = "LD_AUDIT=";

// What was watched, and what the recorders inside wrote down.
Status ReadRecords(const ScannerStart& start, const Root& root, const Recorders& recorders,
                   RawRun& run) {
  if (!run.files.failure.empty()) return Error{run.files.failure};
  run.level = recorders.level;
  if (recorders.level == EvidenceLevel::kNone) return Ok();
  TRY(run.journal, ReadJournal(root));
  run.journal_recorded = true;
  run.loader_recorded = start.record_loader && WatchesLoader(recorders.level);
  return Ok();
}

template <typename T>
T Number(const std::string& text, int base = 10) {
  T number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, base);
  return number;
}

}  // namespace

Result<BoxSpec> PrepareBox(const ScannerStart& start, const Root& root,
                           const Recorders& recorders) {
  BoxSpec box;
  box.root = root.host_path();
  box.argv = start.argv;
  box.environment = start.environment;
  box.working_directory = start.working_directory;
  box.uid = start.user.uid;
  box.gid = start.user.gid;
  box.groups = start.user.groups;
  box.meanwhile = start.meanwhile;
  box.host_directories = start.host_directories;
  box.loopback = start.loopback;
  box.time_limit = start.time_limit;
  box.output_limit = start.output_limit;
  box.memory_limit = start.memory_limit;
  box.done_when = start.done_when;
  box.settle = start.settle;
  box.mark = start.mark;
  TRY(MakeJournal(root));
  box.watch_files = start.record_files && WatchesFiles(recorders.level);
  if (start.record_loader && WatchesLoader(recorders.level)) {
    TRY(PlaceAudit(root, recorders.audit, start.mark));
    WatchLoader(kAuditPath, box.environment);
  }
  return box;
}

Result<RawRun> RunScanner(const ScannerStart& start, const Root& root, const Recorders& recorders,
                          const Isolation& isolation) {
  TRY(const BoxSpec box, PrepareBox(start, root, recorders));
  RawRun run = RunInBox(box, isolation);
  TRY(ReadRecords(start, root, recorders, run));
  return run;
}

Result<RawRun> RunInteractively(const ScannerStart& start, const Root& root,
                                const Recorders& recorders, const Isolation& isolation,
                                Terminal* terminal) {
  TRY(BoxSpec box, PrepareBox(start, root, recorders));
  if (terminal != nullptr) box.device_nodes = {"/dev/tty", terminal->inner_path()};
  RawRun run = RunInBoxInteractive(box, isolation, terminal);
  TRY(ReadRecords(start, root, recorders, run));
  return run;
}

Result<std::vector<DlopenAnswer>> Ask(const ScannerStart& start,
                                      const std::vector<std::string>& paths, const Root& root,
                                      const Recorders& recorders, const Isolation& isolation) {
  TRY(const std::string program, gpustage::ReadFile(recorders.ask));
  TRY(root.WriteFile(kAskPath, program, 0755));
  ScannerStart asking = start;
  asking.argv = {kAskPath};
  asking.argv.insert(asking.argv.end(), paths.begin(), paths.end());
  asking.done_when = nullptr;
  asking.meanwhile.clear();
  asking.record_loader = asking.record_files = false;
  LeaveAlone(asking.environment);
  TRY(const RawRun run, RunScanner(asking, root, recorders, isolation));
  return ReadAnswers(run, paths);
}

std::vector<DlopenAnswer> ReadAnswers(const RawRun& run, const std::vector<std::string>& paths) {
  std::string printed;
  for (const OutputChunk& chunk : run.output)
    if (chunk.stream == Stream::kStdout) printed += chunk.bytes;
  std::vector<DlopenAnswer> answers;
  std::istringstream lines(printed);
  for (std::string line; answers.size() < paths.size() && std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string list, open, signal, code, kind, size, inode, head;
    for (std::string* field : {&list, &open, &signal, &code, &kind, &size, &inode, &head})
      std::getline(fields, *field, '\t');
    DlopenAnswer answer;
    answer.path = paths[answers.size()];
    if (answer.path.starts_with(kLookOnly)) answer.path.erase(0, 1);
    answer.list_error = Number<int>(list);
    answer.open_error = Number<int>(open);
    answer.signal = Number<int>(signal);
    answer.exit_code = Number<int>(code);
    answer.kind = kind.empty() ? '?' : kind.front();
    answer.size = Number<int64_t>(size);
    answer.inode = Number<uint64_t>(inode);
    for (size_t i = 0; i + 1 < head.size(); i += 2)
      answer.head += static_cast<char>(Number<int>(head.substr(i, 2), 16));
    std::getline(fields, answer.load_error);
    answers.push_back(std::move(answer));
  }
  while (answers.size() < paths.size()) {
    DlopenAnswer none;
    none.path = paths[answers.size()];
    none.kind = '!';
    answers.push_back(std::move(none));
  }
  return answers;
}

void WatchLoader(const std::string& audit, std::vector<std::string>& environment) {
  const auto found =
      std::find_if(environment.begin(), environment.end(),
                   [](const std::string& entry) { return entry.starts_with(kAuditVariable); });
  if (found != environment.end())
    found->insert(kAuditVariable.size(), audit + ":");
  else
    environment.push_back(std::string(kAuditVariable) + audit);
}

void LeaveAlone(std::vector<std::string>& environment) {
  std::erase_if(environment, [](const std::string& entry) {
    return entry.starts_with(kAuditVariable) || entry.starts_with("LD_TRACE_LOADED_OBJECTS=");
  });
}

}  // namespace gpustage
