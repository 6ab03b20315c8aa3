// One finished run in words, without the evidence that they were read from: what every format is
// written from, and what the JSON report gives back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/report/case_report.h"
#include "harness/report/detail.h"

namespace gpustage {

// An expectation that did not hold, or of which nobody can tell.
struct UnmetClaim {
  std::string expected;  // "devices: 2"
  std::string seen;
  bool unknown = false;  // it could not be observed
  std::string because;   // the event that shows it, in words
  std::string file;      // where it is written; "" and 0 when it stands in no file
  int line = 0;
  int column = 0;
  friend bool operator==(const UnmetClaim&, const UnmetClaim&) = default;
};

struct ReportedDevice {  // as far as the scanner said so
  std::optional<std::string> name, library, library_path, pci_id, uuid, memory_total;
  friend bool operator==(const ReportedDevice&, const ReportedDevice&) = default;
};

struct ReportedOutcome {
  std::string kind;  // "exited", "killed", "timed_out"
  int code = 0;      // exit status, or signal
  std::string text;  // "timed out after 30 s"
  friend bool operator==(const ReportedOutcome&, const ReportedOutcome&) = default;
};

struct ReportedProcess {
  int pid = 0;
  int parent = 0;
  std::string role;
  friend bool operator==(const ReportedProcess&, const ReportedProcess&) = default;
};

struct ReportedRow {  // of the funnel
  std::string library;
  int pid = 0;  // 0: no process touched it
  std::string process;
  std::string
      steps;  // "listed* matched* opened LOST at loaded"; a star: it follows from a later one
  std::optional<std::string> reached, lost_at;
  std::string reason;
  std::optional<std::string> cause;
  std::string remark;
  bool said = false;  // a log line says so
  friend bool operator==(const ReportedRow&, const ReportedRow&) = default;
};

// What some of the starts of one run had in common.
struct RepeatedAnswer {
  int times = 0;
  std::string verdict;
  std::optional<int64_t> device_count;
  std::optional<std::string> lost_at;
  friend bool operator==(const RepeatedAnswer&, const RepeatedAnswer&) = default;
};

struct ReportedRun {
  std::string id;  // of its case
  std::string scenario;
  std::string file;  // of the scenario, as it was opened
  std::string claim;
  std::string scanner;
  std::string version;  // of a scanner that the user gave; "" for all others
  std::string run;
  std::map<std::string, std::string> axes;
  std::string isolation;  // "root"
  VerdictKind verdict = VerdictKind::kPass;
  std::string because;
  std::vector<UnmetClaim> unmet;
  std::optional<std::vector<ReportedDevice>>
      devices;  // none: it did not run, or what it printed could not be read
  std::optional<int64_t> device_count;
  std::optional<ReportedOutcome> outcome;  // none: it did not run
  std::vector<ReportedProcess> processes;
  std::vector<std::string> log;
  std::vector<ReportedRow> funnel;
  std::optional<std::string> lost_at;  // the loss to speak of; none: nothing was lost
  std::vector<std::string> assumed;
  std::optional<bool> silent_failure;
  std::string silent_because;
  double duration_ms = 0;
  std::vector<RepeatedAnswer> answers;        // of a run that was started more than once
  int unjudged = 0;                           // claims about what nobody asked to be watched
  std::optional<ReportedDetail> detail = {};  // where a page is wanted
  std::string scanner_file = {};  // of the user's own; in no report, but in TraceCommand

  std::string Name() const { return id + " [" + run + "]"; }
  // What shows more of it: "gpustage trace first-steps/links@link=dangling". One outside scenarios/
  // is found by its file alone.
  std::string TraceCommand(const std::string& program = "gpustage") const;
  // What proves its cause: "gpustage why first-steps/links@link=dangling --run service"; "" where
  // it did not start, or the scanner is one that it does not know.
  std::string WhyCommand(const std::string& program = "gpustage") const;
  std::string WordOfCase() const;  // by which a command line finds it
  bool Ran() const { return outcome.has_value(); }
  friend bool operator==(const ReportedRun&, const ReportedRun&) = default;
};

std::vector<ReportedRow> RowsOf(const Evidence& evidence);
// `isolation` is the level that it ran at, in words. Bytes that are not UTF-8 are replaced.
ReportedRun ReportedRunOf(const CaseReport& report, const RunReport& run,
                          const std::string& isolation);

}  // namespace gpustage
