#include "harness/evidence/records/files.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "harness/base/limits.h"
#include "harness/evidence/records/log_lines.h"

namespace gpustage {
namespace {

constexpr std::string_view kOurFolder = "/.gpustage/";
constexpr const char* kExited = "exited";  // detail of a kExit

std::string EndText(const FileRecord& record) {
  if (!record.answered) return "ended, and how is not known";
  if (record.signal == 0) return fmt::format("exited {}", record.code);
  const char* const name = sigabbrev_np(record.signal);
  return name != nullptr ? fmt::format("killed by SIG{}", name)
                         : fmt::format("killed by signal {}", record.signal);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

class FileReader {
 public:
  FileReader(const RecordedRun& run, Evidence& evidence) : run_(run), evidence_(evidence) {}

  void Read(const FileRecord& record) {
    if (record.path.starts_with(kOurFolder)) return;
    switch (record.act) {
      case FileAct::kOpen: return Named(record, EventKind::kOpen);
      case FileAct::kLook: return Named(record, EventKind::kLook);
      case FileAct::kList: return Listed(record);
      case FileAct::kWrite: return Printed(record);
      case FileAct::kExec:
        Add(record, EventKind::kExec, record.path, Joined(record.argv), Value(record));
        return;
      case FileAct::kExit:
        Add(record, EventKind::kExit, EndText(record),
            !record.answered     ? ""
            : record.signal != 0 ? "killed"
                                 : kExited,
            record.signal != 0 ? record.signal : record.code);
        return;
    }
  }

  // What was printed without a line's end.
  void Rest() {
    for (auto& [who, pending] : pending_)
      if (!pending.second.empty()) Line(pending.first, who.second, pending.second);
  }

 private:
  static int64_t Value(const FileRecord& record) {
    return record.answered ? record.error : kNoAnswer;
  }

  Event& Add(const FileRecord& record, EventKind kind, std::string subject, std::string detail,
             int64_t value) {
    Event event;
    // Whatever a damaged file says there: without overflow. An end may be noticed late.
    const auto since = static_cast<uint64_t>(record.time_ns) - static_cast<uint64_t>(run_.start_ns);
    event.time_ns = std::min(static_cast<int64_t>(since), run_.duration_ns);
    event.pid = record.pid;
    event.tid = record.tid;
    event.kind = kind;
    event.subject = std::move(subject);
    event.detail = std::move(detail);
    event.value = value;
    return evidence_.events.emplace_back(std::move(event));
  }

  void Named(const FileRecord& record, EventKind kind) {
    last_listed_.erase(record.pid);
    if (kind == EventKind::kOpen && record.error == 0)
      asked_[{record.pid, record.real.empty() ? record.path : record.real}] = record.path;
    Event& event = Add(record, kind, record.path, record.call, Value(record));
    event.by = record.real;
    event.writes = record.writes;
    event.links = record.links;
  }

  // A directory is read until nothing more comes: that is one listing.
  void Listed(const FileRecord& record) {
    if (std::exchange(last_listed_[record.pid], record.path) == record.path) return;
    const auto asked = asked_.find({record.pid, record.path});
    Add(record, EventKind::kList, asked == asked_.end() ? record.path : asked->second, record.call,
        Value(record));
  }

  void Printed(const FileRecord& record) {
    FileRecord start = record;
    start.bytes.clear();
    auto& [first, pending] = pending_[{record.pid, record.stream}];
    std::string_view rest = record.bytes;
    while (!rest.empty()) {
      if (pending.empty()) first = start;
      const size_t end = rest.find('\n');
      const std::string_view part = rest.substr(0, end);
      pending +=
          part.substr(0, limits::kLogLineBytes - std::min(pending.size(), limits::kLogLineBytes));
      if (end == std::string_view::npos) return;
      rest.remove_prefix(end + 1);
      Line(first, record.stream, pending);
      pending.clear();
    }
  }

  // Whether what we heard of the scanner has it, as a line or in one.
  bool IsPassedOn(const std::string& line) {
    if (line.empty()) return false;
    if (heard_.empty())
      for (const LogLine& logged : evidence_.log) heard_.insert(logged.raw);
    if (heard_.contains(line)) return true;
    const auto [known, is_new] = looked_for_.try_emplace(line, true);
    // Where so much was looked through in vain nothing more is claimed.
    if (!is_new || searched_ > limits::kSearchedBytes) return known->second;
    known->second = std::any_of(heard_.begin(), heard_.end(), [&](std::string_view logged) {
      searched_ += logged.size();
      return logged.find(line) != std::string_view::npos;
    });
    return known->second;
  }

  void Line(const FileRecord& record, Stream stream, const std::string& bytes) {
    const bool last = lines_ >= limits::kDiscardedLines || line_bytes_ > limits::kDiscardedBytes;
    if (last && cut_) return;
    cut_ = last;
    ++lines_;
    line_bytes_ += bytes.size();
    const std::string line =
        last ? "… what processes print from here on is cut" : WithoutColour(bytes);
    const bool passed_on = last || IsPassedOn(line);
    const std::string name = stream == Stream::kStdout ? "stdout" : "stderr";
    Event& event = Add(record, EventKind::kOutput, line, name, last ? 1 : 0);
    event.discarded = !passed_on;
    if (event.discarded && record.path == "/dev/null") event.by = record.path;
  }

  const RecordedRun& run_;
  Evidence& evidence_;
  std::map<std::pair<int, std::string>, std::string>
      asked_;  // by process and what it is: the name by which it was opened
  std::map<int, std::string> last_listed_;
  std::map<std::pair<int, Stream>, std::pair<FileRecord, std::string>> pending_;
  std::unordered_set<std::string_view> heard_;        // lines of the log
  std::unordered_map<std::string, bool> looked_for_;  // in them, and found
  size_t searched_ = 0, lines_ = 0, line_bytes_ = 0;
  bool cut_ = false;
};

// The process that this exec started, if the loader's recorder saw it: the next start of that pid
// before another exec.
Process* StartedBy(EventId exec, EventId next_exec, int pid, Evidence& evidence) {
  for (Process& process : evidence.processes)
    if (process.pid == pid && process.event > exec && (next_exec == 0 || process.event < next_exec))
      return &process;
  return nullptr;
}

}  // namespace

std::string RoleOf(const std::string& executable, const std::vector<std::string>& argv) {
  std::string role = executable.substr(executable.rfind('/') + 1);
  if (argv.size() > 1 && !argv[1].empty() && argv[1].find_first_of("/-=.") == std::string::npos)
    role += " " + argv[1];
  return role;
}

void AddFileEvents(const RecordedRun& run, Evidence& evidence) {
  const FileLog& log = run.files;
  evidence.files_observed = log.recorded && log.complete;
  if (log.recorded && !log.complete && log.note.empty())
    evidence.files_unobserved = {Reason::Kind::kTooManyCalls};
  else if (!log.note.empty())
    evidence.files_unobserved = {.kind = Reason::Kind::kRecorderSays, .text = log.note};
  FileReader reader(run, evidence);
  for (const FileRecord& record : log.records) reader.Read(record);
  reader.Rest();
}

void AddLives(const FileLog& log, Evidence& evidence) {
  std::vector<const FileRecord*> execs;
  for (const FileRecord& record : log.records)
    if (record.act == FileAct::kExec && !record.path.starts_with(kOurFolder))
      execs.push_back(&record);
  std::vector<EventId> events;
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kExec) events.push_back(event.id);
  std::vector<EventId> nexts(execs.size());  // the same process's next one; 0: none
  std::map<int, EventId> later;
  for (size_t i = execs.size(); i-- > 0;)
    if (execs[i]->error == 0) nexts[i] = std::exchange(later[execs[i]->pid], events[i]);
  for (size_t i = 0; i < execs.size(); ++i) {
    const FileRecord& exec = *execs[i];
    if (exec.error != 0) continue;
    const EventId next = nexts[i];
    if (Process* const known = StartedBy(events[i], next, exec.pid, evidence)) {
      known->environment = exec.environment;  // whole, however long
      continue;
    }
    evidence.processes.push_back({exec.pid, exec.parent, exec.path, exec.argv, exec.environment,
                                  RoleOf(exec.path, exec.argv), events[i], false, "", 0});
  }
  std::stable_sort(evidence.processes.begin(), evidence.processes.end(),
                   [](const Process& a, const Process& b) { return a.event < b.event; });
  std::map<int, Process*> last;  // of those that had a pid
  for (Process& process : evidence.processes) last[process.pid] = &process;
  for (const Event& event : evidence.events) {
    const auto process = event.kind == EventKind::kExit ? last.find(event.pid) : last.end();
    if (process == last.end()) continue;
    process->second->end = event.subject;
    process->second->end_event = event.id;
    if (event.detail == kExited) process->second->exit_status = static_cast<int>(event.value);
  }
}

}  // namespace gpustage
