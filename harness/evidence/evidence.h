// What is known of a run, decoded from its raw records. Every statement names the event that shows it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/linkage.h"
#include "harness/run/raw_run.h"
#include "harness/scenario/cause.h"
#include "harness/scenario/claim.h"

namespace gpustage {

using EventId = int;  // counted from 1 in order of time; 0: none

enum class EventKind {
  kProcess,  // subject: executable; detail: command line; value: parent pid
  kSearch,   // subject: the name or candidate path that the loader looked for; detail: by which rule, for whom
  kLoad,     // subject: path of the object that was mapped; detail: its build-id in hex, "" when it has none
  kUnload,   // subject: path of the object
  kSymbol,   // subject: a symbol that dlsym found; detail: path of its provider
  kMiss,     // subject: a symbol that dlsym did not find; detail: where it looked
  kBinding,  // subject: a function of libc that another object stands before; detail: path of that object
  kCall,     // subject: function of a fake; detail: arguments; value: result
  kNote,     // subject: what a program of ours had to say
  kLog,      // subject: the line; detail: "stdout" or "stderr"
  kOutcome,  // subject: how the scanner ended; always the last
};

std::string ToString(EventKind kind);  // "search"
std::optional<EventKind> ParseEventKind(const std::string& word);
struct Event {
  EventId id = 0;
  int64_t time_ns = 0;  // since the start of the run
  int pid = 0;          // as inside the box; 0 when the kind does not say (a log line's writer is not known)
  int tid = 0;
  EventKind kind = EventKind::kNote;
  std::string subject;
  std::string detail;
  int64_t value = 0;
  int device = -1;      // kCall: ordinal that it asks about
  bool assumed = false;  // kCall: nobody has recorded or published what was answered
  uint64_t object = 0;  // kSearch: who asked; kLoad, kUnload, kSymbol, kMiss, kBinding: which object; the loader's own id in its process
  bool first_name = false;  // kSearch: the name as it was asked for, not a candidate made from it
  friend bool operator==(const Event&, const Event&) = default;
};
std::string ToString(const Event& event);  // "#118 runner 7 cuInit(flags=0) = 100"

struct Process {
  int pid = 0;
  int parent = 0;
  std::string executable;
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // exactly as it was started
  std::string role;                      // "ollama runner": program and first word
  EventId event = 0;
  friend bool operator==(const Process&, const Process&) = default;
};

struct LogLine {
  Stream stream = Stream::kStderr;
  std::string raw;
  std::string text;    // without time and colour: what patterns are matched on
  std::string level;   // "INFO", "" when the format has none
  std::string message;
  std::map<std::string, std::string> fields;
  EventId event = 0;
  friend bool operator==(const LogLine&, const LogLine&) = default;
};

struct SeenDevice {
  std::map<std::string, std::string> fields;  // name library library_path pci_id uuid memory_total, as far as it said so
  EventId event = 0;
  friend bool operator==(const SeenDevice&, const SeenDevice&) = default;
};

enum class StepState { kNotObservable, kSeen, kDerived, kDidNotHappen };  // how sure a step of the funnel is

// How a statement is known: an event shows it, it follows from events, or the system was asked after the run.
enum class Known { kNotObservable, kSeen, kDerived, kAsked };

// One candidate library in one process. The device is lost at the first step that did not happen.
struct FunnelRow {
  std::string library;  // path inside the root
  int pid = 0;          // 0: no process touched it
  std::string role;
  std::map<Step, StepState> steps;
  std::optional<Step> reached;  // the last step that happened
  std::optional<Step> lost_at;  // none: nothing was lost, or it cannot be said
  std::string reason;           // the sentence a user understands; "" when nothing was lost
  Cause cause = Cause::kUnknown;
  Known known = Known::kSeen;   // how the reason is known
  std::string remark;           // what is odd about a library of which nothing was lost; cause says it in a word
  EventId event = 0;            // what shows it
  bool failed = false;          // a device is missing because of it: silent.h says when
  EventId said = 0;             // the log line that says so; 0: none does
  friend bool operator==(const FunnelRow&, const FunnelRow&) = default;
};

struct Evidence {
  Outcome outcome;
  int64_t duration_ns = 0;
  std::vector<Event> events;
  std::vector<Process> processes;
  std::vector<LogLine> log;
  std::optional<std::vector<SeenDevice>> devices;  // none: what the scanner printed cannot be read
  std::optional<int64_t> device_count;             // as devices, or what the scanner counted without naming them
  std::string devices_unreadable;                  // why, when there is no count
  std::vector<FunnelRow> funnel;
  Linkage linkage;                // what loaded libraries lack of each other, and who stands before libc
  bool journal_complete = false;  // nothing was dropped or torn
  bool loader_observed = false;   // loads, searches and symbols of dynamic programs are known
  int left_over = 0;
  std::optional<bool> silent_failure;  // something failed and no log line says so; none: it could not be observed
  std::string silent_because;          // in a sentence
  const Event& At(EventId id) const { return events.at(static_cast<size_t>(id - 1)); }
  EventId outcome_event() const { return static_cast<EventId>(events.size()); }
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

}  // namespace gpustage
