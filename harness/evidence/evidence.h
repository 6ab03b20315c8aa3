// What is known of a run, decoded from its raw records. Every statement names the event that shows
// it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/loader/linkage.h"
#include "harness/evidence/loader/outside.h"
#include "harness/evidence/records/event.h"
#include "harness/run/raw_run.h"
#include "harness/scenario/model/cause.h"
#include "harness/scenario/model/claim.h"

namespace gpustage {

struct Process {
  int pid = 0;
  int parent = 0;
  std::string executable;
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // exactly as it was started
  std::string role;                      // "ollama runner": program and first word
  EventId event = 0;
  bool loader_observed = true;  // false: its loader was not watched (a static program), so nothing
                                // is known of what it loaded
  std::string end;              // "exited 2", "killed by SIGSEGV"; "" when it is not known
  EventId end_event = 0;
  friend bool operator==(const Process&, const Process&) = default;
};

struct LogLine {
  Stream stream = Stream::kStderr;
  std::string raw;
  std::string text;   // without time and colour: what patterns are matched on
  std::string level;  // "INFO", "" when the format has none
  std::string message;
  std::map<std::string, std::string> fields;
  EventId event = 0;
  friend bool operator==(const LogLine&, const LogLine&) = default;
};

struct SeenDevice {
  std::map<std::string, std::string>
      fields;  // name library library_path pci_id uuid memory_total, as far as it said so
  EventId event = 0;
  friend bool operator==(const SeenDevice&, const SeenDevice&) = default;
};

enum class StepState {
  kNotObservable,
  kSeen,
  kDerived,
  kDidNotHappen
};  // how sure a step of the funnel is

// How a statement is known: an event shows it, it follows from events, or the system was asked
// after the run.
enum class Known { kNotObservable, kSeen, kDerived, kAsked };
std::string ToString(Known known);  // "not observable", "seen", "derived", "asked"
std::optional<Known> ParseKnown(const std::string& word);

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
  Known known = Known::kSeen;  // how the reason is known
  std::string
      remark;  // what is odd about a library of which nothing was lost; cause says it in a word
  EventId event = 0;    // what shows it
  bool failed = false;  // a device is missing because of it: silent.h says when
  EventId said = 0;     // the log line that says so; 0: none does
  friend bool operator==(const FunnelRow&, const FunnelRow&) = default;
};

struct Evidence {
  Outcome outcome;
  int64_t duration_ns = 0;
  std::vector<Event> events;
  std::vector<Process> processes;
  std::vector<LogLine> log;
  int64_t cut_lines =
      0;  // that the log had between its first and its last lines, and that are gone
  std::optional<std::vector<SeenDevice>> devices;  // none: what the scanner printed cannot be read
  std::optional<int64_t>
      device_count;                // as devices, or what the scanner counted without naming them
  std::string devices_unreadable;  // why, when there is no count
  std::vector<FunnelRow> funnel;
  Linkage linkage;  // what loaded libraries lack of each other, and who stands before libc
  std::vector<Outside> outside;  // what was used that is neither of the tree nor of the base system
  EvidenceLevel level = EvidenceLevel::kAll;  // what was asked to be watched
  bool journal_complete = false;              // nothing was dropped or torn
  bool loader_observed = false;  // loads, searches and symbols of dynamic programs are known
  bool files_observed = false;   // what every process asked of the kernel is known
  std::string files_unobserved;  // why not; "" when nobody asked for it
  int left_over = 0;
  std::optional<bool>
      silent_failure;  // something failed and no log line says so; none: it could not be observed
  std::string silent_because;  // in a sentence
  const Event& At(EventId id) const { return events.at(static_cast<size_t>(id - 1)); }
  EventId outcome_event() const { return static_cast<EventId>(events.size()); }
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

}  // namespace gpustage
