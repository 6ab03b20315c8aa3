// What a page shows of one run beyond its answer: how the loss came about, what happened when, what
// was printed, and the machine. The JSON report has it where a page was written beside it, so that
// merge can write one, too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpustage {

struct CaseReport;
struct RunReport;

struct ReportedEvent {
  int id = 0;  // "#399"
  double ms = 0;
  int pid = 0;
  std::string kind;  // "files", "loader", "calls", "log", "processes"
  std::string text;
  friend bool operator==(const ReportedEvent&, const ReportedEvent&) = default;
};

struct ReportedLine {
  std::string level;   // "WARN"; "" where the format has none
  std::string stream;  // "stderr"
  std::string text;
  int event = 0;
  friend bool operator==(const ReportedLine&, const ReportedLine&) = default;
};

struct ReportedLife {  // of a process
  int pid = 0;
  int parent = 0;
  std::string name;     // "runner 7"
  std::string command;  // its words
  double from_ms = 0;
  double to_ms = 0;
  std::string end;  // "exited 2"; "" when it is not known
  friend bool operator==(const ReportedLife&, const ReportedLife&) = default;
};

struct ReportedDetail {
  std::string answer;
  std::vector<std::string> chain;        // of the loss: each link stands on the next
  std::vector<std::string> suggestions;  // none of them proven
  std::string not_observable;
  std::vector<ReportedLife> processes;
  std::vector<ReportedEvent> events;  // by time; those that tell most where there are too many
  int64_t events_seen = 0;
  std::vector<ReportedLine> log;                        // the last ones
  std::vector<std::string> environment, tree, machine;  // a line a variable, path, property
  friend bool operator==(const ReportedDetail&, const ReportedDetail&) = default;
};

// `most_events`: of those there may be more.
ReportedDetail DetailOf(const CaseReport& report, const RunReport& run, size_t most_events);

// The tree that the run finds, a line a path: "/usr/lib/libcuda.so.1  link -> libcuda.so.580". What
// every case has of the base system is not in it.
std::vector<std::string> TreeLines(const CaseReport& report, const RunReport& run);
// "device 0  NVIDIA H100 80GB HBM3, compute capability 9.0, …".
std::vector<std::string> MachineLines(const CaseReport& report, const RunReport& run);

}  // namespace gpustage
