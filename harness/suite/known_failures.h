// --xfail-from FILE: failures that a project knows of, with the day until when it puts up with
// them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "harness/report/reported_run.h"
#include "harness/suite/case_selection.h"

namespace gpustage {

struct KnownFailure {
  std::string cases;  // glob of ids; '*' also stands for '/'
  std::string run;    // glob of run names
  std::string reason;
  std::string thread;                 // "" when none is named
  std::chrono::year_month_day until;  // its last day
  SourcePos pos;
};

// [{case: first-steps/*, run: ollama, reason: …, thread: …, until: 2026-12-31}]; run and thread may
// be left out.
Result<std::vector<KnownFailure>> ReadKnownFailures(const std::string& file);

bool Matches(const KnownFailure& known, const std::string& id, const std::string& run);
// An error at the first that matches no run of these: the failure is gone, or the glob is wrong.
Status CheckUsed(const std::vector<KnownFailure>& known, const CaseSelection& cases);

// By the first entry that matches: a failure is expected and a pass is not, until its day is over;
// then the run fails and says so.
void ExpectKnown(const std::vector<KnownFailure>& known, std::chrono::year_month_day today,
                 ReportedRun& run);

std::chrono::year_month_day Today();  // here, by the clock on the wall

}  // namespace gpustage
