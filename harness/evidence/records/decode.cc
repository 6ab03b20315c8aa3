#include "harness/evidence/records/decode.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/chain.h"
#include "harness/evidence/path/devices.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/records/files.h"
#include "harness/evidence/records/journal.h"
#include "harness/evidence/records/log_lines.h"

namespace gpustage {
namespace {

using world::RecordKind;

std::string StreamName(Stream stream) { return stream == Stream::kStdout ? "stdout" : "stderr"; }

std::vector<std::string> Words(const std::string& joined) {
  std::vector<std::string> words;
  for (size_t start = 0; start <= joined.size() && !joined.empty();) {
    const size_t end = std::min(joined.find('\x1f', start), joined.size());
    words.push_back(joined.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

SearchRule RuleOf(uint32_t flag) {
  switch (flag) {
    case LA_SER_ORIG: return SearchRule::kAsAsked;
    case LA_SER_LIBPATH: return SearchRule::kPathOrRpath;
    case LA_SER_RUNPATH: return SearchRule::kRunpath;
    case LA_SER_CONFIG: return SearchRule::kCache;
    case LA_SER_DEFAULT: return SearchRule::kDefault;
    default: return SearchRule::kNone;
  }
}

// "fault: hang" of a record is "hang".
std::string FaultOf(const std::string& text) {
  constexpr std::string_view kStart = "fault: ";
  return text.starts_with(kStart) ? text.substr(kStart.size()) : text;
}

std::string Text(const JournalRecord& record, size_t i) {
  return i < record.texts.size() ? record.texts[i] : "";
}

std::optional<int64_t> NumberOf(const std::string& text) {
  int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return text.empty() || read.ec != std::errc() ? std::nullopt : std::optional(number);
}

// Where dlsym looks, by its handle.
std::string PlaceOf(int64_t handle, const std::string& path) {
  if (handle == reinterpret_cast<int64_t>(RTLD_DEFAULT)) return "the global scope";
  if (handle == reinterpret_cast<int64_t>(RTLD_NEXT)) return "what comes after the caller";
  return path.empty() ? "the program and what it needs" : path;
}

// The places of kSymbolAsked records that no kSymbol answers: the next of both in their thread is
// another question, or none. A journal that is not whole says nothing of a miss, for the answer may
// be what it lacks.
std::set<size_t> Misses(const Journal& journal) {
  std::set<size_t> misses;
  std::map<std::pair<int, int>, size_t> open;  // by process and thread
  for (size_t i = 0; journal.complete && i < journal.records.size(); ++i) {
    const JournalRecord& record = journal.records[i];
    const std::pair thread = {record.pid, record.tid};
    const auto asked = open.find(thread);
    if (record.kind == RecordKind::kSymbol && asked != open.end() &&
        Text(journal.records[asked->second], 0) == Text(record, 0)) {
      misses.erase(asked->second);
      open.erase(asked);
    } else if (record.kind == RecordKind::kSymbolAsked) {
      misses.insert(i);
      open[thread] = i;
    }
  }
  return misses;
}

// Turns journal records into events; remembers what the loader's ids stand for.
class RecordReader {
 public:
  explicit RecordReader(int64_t start_ns, Evidence& evidence)
      : start_ns_(start_ns), evidence_(evidence) {}

  Event Read(const JournalRecord& record) {
    Event event;
    // Whatever a scanner wrote there: without overflow.
    event.time_ns = static_cast<int64_t>(record.time_ns - static_cast<uint64_t>(start_ns_));
    event.pid = record.pid;
    event.tid = record.tid;
    event.subject = Text(record, 0);
    event.value = record.value;
    const uint64_t object = static_cast<uint64_t>(record.value);
    std::string& path = paths_[{record.pid, object}];
    switch (record.kind) {
      case RecordKind::kCall:
        event.kind = EventKind::kCall;
        event.detail = Text(record, 1);
        event.device = record.device;
        event.assumed = record.detail == static_cast<uint32_t>(world::Fidelity::kAssumed);
        event.fault = FaultOf(Text(record, 2));
        event.gives = NumberOf(Text(record, 3));
        break;
      case RecordKind::kNode:
        event.kind = EventKind::kOpen;
        event.detail = "open";
        break;
      case RecordKind::kProcess:
        event.kind = EventKind::kProcess;
        event.detail = Text(record, 1);
        std::replace(event.detail.begin(), event.detail.end(), '\x1f', ' ');
        NoteProcess(record);
        break;
      case RecordKind::kSearch:
        event.kind = EventKind::kSearch;
        event.object = object;
        event.first_name = record.detail == LA_SER_ORIG;
        event.rule = RuleOf(record.detail);
        event.by = path;
        break;
      case RecordKind::kObjectOpen:
        event.kind = EventKind::kLoad;
        event.object = object;
        event.detail = Text(record, 1);
        path = event.subject;
        break;
      case RecordKind::kObjectClose:
        event.kind = EventKind::kUnload;
        event.object = object;
        event.subject = path;
        break;
      case RecordKind::kSymbol:
        event.kind = EventKind::kSymbol;
        event.object = object;
        event.detail = path;
        break;
      case RecordKind::kSymbolAsked:
        event.kind = EventKind::kSymbolMissing;
        event.object = object;
        event.detail = PlaceOf(record.value, path);
        event.by = path;
        if (!Text(record, 1).empty()) event.subject += "@" + Text(record, 1);
        break;
      case RecordKind::kBinding:
        event.kind = EventKind::kBinding;
        event.object = object;
        event.detail = path.empty() ? "the program" : path;
        break;
      default: event.kind = EventKind::kNote; break;
    }
    return event;
  }

 private:
  void NoteProcess(const JournalRecord& record) {
    Process process;
    process.pid = record.pid;
    process.parent = static_cast<int>(record.value);
    process.executable = Text(record, 0);
    process.argv = Words(Text(record, 1));
    process.environment = Words(Text(record, 2));
    process.role = RoleOf(process.executable, process.argv);
    evidence_.processes.push_back(std::move(process));
  }

  const int64_t start_ns_;
  Evidence& evidence_;
  std::map<std::pair<int, uint64_t>, std::string>
      paths_;  // of the loader's objects, by process and id
};

}  // namespace

RecordedRun Recorded(RawRun run, const ScannerSpec& scanner,
                     const std::vector<std::string>& candidates, const Setting& setting) {
  RecordedRun recorded;
  recorded.outcome = std::move(run.outcome);
  recorded.start_ns = run.start_ns;
  recorded.duration_ns = run.duration_ns;
  recorded.level = run.level;
  recorded.journal_recorded = run.journal_recorded;
  recorded.loader_recorded = run.loader_recorded;
  recorded.left_over = run.left_over;
  recorded.journal = ReadJournalBytes(run.journal);
  recorded.output = SplitLines(run.output);
  recorded.files = std::move(run.files);
  recorded.log_stream = scanner.log_stream;
  recorded.log_format = scanner.log_format;
  recorded.devices = scanner.devices;
  recorded.candidates = candidates;
  recorded.setting = setting;
  return recorded;
}

Evidence Decode(const RecordedRun& run) {
  Evidence evidence;
  evidence.outcome = run.outcome;
  evidence.duration_ns = run.duration_ns;
  evidence.left_over = run.left_over;
  evidence.level = run.level;
  const Journal& journal = run.journal;
  evidence.journal_complete = run.journal_recorded && journal.complete;
  RecordReader reader(run.start_ns, evidence);
  const std::set<size_t> misses = Misses(journal);
  std::set<std::tuple<int, uint64_t, std::string>> bindings;
  for (size_t i = 0; i < journal.records.size(); ++i) {
    Event event = reader.Read(journal.records[i]);
    if (event.kind == EventKind::kSymbolMissing && !misses.contains(i)) continue;
    // Each object that calls the function is bound to it anew.
    if (event.kind == EventKind::kBinding &&
        !bindings.emplace(event.pid, event.object, event.subject).second)
      continue;
    evidence.events.push_back(std::move(event));
  }
  evidence.cut_lines = run.output.cut;
  for (const TimedLine& line : run.output.lines) {
    const bool is_log = run.log_stream == "any" || run.log_stream == StreamName(line.stream);
    evidence.log.push_back(ParseLogLine(line, is_log ? run.log_format : LogFormat::kPlain));
    Event event;
    event.time_ns = line.time_ns;
    event.kind = EventKind::kLog;
    event.subject = WithoutColour(line.text);
    event.detail = StreamName(line.stream);
    evidence.events.push_back(std::move(event));
  }
  AddFileEvents(run, evidence);
  std::stable_sort(evidence.events.begin(), evidence.events.end(),
                   [](const Event& a, const Event& b) { return a.time_ns < b.time_ns; });
  Event end;
  end.time_ns = run.duration_ns;
  end.kind = EventKind::kOutcome;
  end.subject = ToString(run.outcome);
  end.value = run.outcome.code;
  evidence.events.push_back(std::move(end));
  auto line = evidence.log.begin();
  for (size_t i = 0; i < evidence.events.size(); ++i) {
    Event& event = evidence.events[i];
    event.id = static_cast<EventId>(i + 1);
    if (event.kind == EventKind::kLog) (line++)->event = event.id;
    // By pid: a record's place in the journal is taken after its time, so two processes may swap.
    if (event.kind == EventKind::kProcess)
      for (Process& process : evidence.processes)
        if (process.pid == event.pid && process.event == 0 && process.executable == event.subject) {
          process.event = event.id;
          break;
        }
  }
  AddLives(run.files, evidence);
  evidence.loader_observed =
      run.loader_recorded &&
      std::any_of(evidence.processes.begin(), evidence.processes.end(),
                  [](const Process& process) { return process.loader_observed; });
  NameRules(evidence);
  ReadDevices(run, evidence);
  evidence.setting = run.setting;
  FindBadEnd(evidence);
  BuildFunnel(run.candidates, evidence);
  SeeListing(evidence);
  RelateRows(evidence);
  FindSilence(evidence);
  return evidence;
}

}  // namespace gpustage
