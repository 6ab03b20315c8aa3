// What is known of a run, decoded from its raw records. Every statement names the event that shows
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/out_of_line.h"
#include "harness/evidence/loader/linkage.h"
#include "harness/evidence/loader/outside.h"
#include "harness/evidence/path/library_path.h"
#include "harness/evidence/records/event.h"
#include "harness/run/raw_run.h"
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
  std::optional<int> exit_status = {};  // none: it was killed, or its end is not known
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

struct Evidence {
  OUT_OF_LINE_MEMBERS(Evidence);
  Outcome outcome;
  int64_t duration_ns = 0;
  std::vector<Event> events;
  std::vector<Process> processes;
  std::vector<LogLine> log;
  int64_t cut_lines =
      0;  // that the log had between its first and its last lines, and that are gone
  std::optional<std::vector<SeenDevice>> devices;  // none: what the scanner printed cannot be read
  std::optional<int64_t>
      device_count;               // as devices, or what the scanner counted without naming them
  Reason devices_unreadable;      // why, when there is no count
  std::vector<FunnelRow> funnel;  // what the scanner set out to use
  std::vector<FunnelRow> inner;   // what libraries of the funnel asked for in turn
  // The loss to speak of, a place in the funnel: one of which a device is missing before any other,
  // and of those the one that got furthest. Not kept: it follows from the rows.
  std::optional<size_t> lost;
  std::optional<BadEnd> bad_end;
  std::vector<Fact> missing;  // why devices of the machine are not among those reported
  Setting setting;
  Linkage linkage;  // what loaded libraries lack of each other, and who stands before libc
  std::vector<Outside> outside;  // what was used that is neither of the tree nor of the base system
  EvidenceLevel level = EvidenceLevel::kAll;  // what was asked to be watched
  bool journal_complete = false;              // nothing was dropped or torn
  bool loader_observed = false;  // loads, searches and symbols of dynamic programs are known
  bool files_observed = false;   // what every process asked of the kernel is known
  Reason files_unobserved;       // why not; none when nobody asked for it
  int left_over = 0;
  std::optional<bool>
      silent_failure;  // something failed and no log line says so; none: it could not be observed
  Reason silent_because;
  const Event& At(EventId id) const { return events.at(static_cast<size_t>(id - 1)); }
  EventId outcome_event() const { return static_cast<EventId>(events.size()); }
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

// What is read off it.
// Whether a line is a complaint: of level WARN or ERROR, or with a word such as "failed".
bool Complains(const LogLine& line);
const Process* ProcessOf(const Evidence& evidence, int pid);
// The value of a variable in a process; none when it is not set or the process is not known.
std::optional<std::string> VariableOf(const Process* process, std::string_view name);
// The row of `lost`; null: none.
const FunnelRow* LostRow(const Evidence& evidence);

}  // namespace gpustage
