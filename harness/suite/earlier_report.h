// JSON reports of earlier runs, read run by run.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/report/report.h"
#include "harness/report/run_list.h"

namespace gpustage {

// Its errors have file and line.
Result<Report> ReadReport(const std::string& file, const RunVisitor& visit);

// --baseline.
Result<Baseline> ReadBaseline(const std::string& file);

// --failed: which runs are to be run again.
struct FailedRuns {
  std::set<std::string> names;     // "ID [RUN]"
  std::vector<std::string> files;  // of their scenarios
};
Result<FailedRuns> ReadFailed(const std::string& file);

// --balance: how long each case took, all its runs together, by id. Any report with these.
Result<std::map<std::string, double>> ReadDurations(const std::string& file);

}  // namespace gpustage
