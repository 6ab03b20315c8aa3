// The report for programs: report.schema.json has its shape, and its version. What is read is what
// was written.
#pragma once

#include <iosfwd>
#include <string>

#include "harness/report/report.h"
#include "harness/report/run_list.h"

namespace gpustage {

Status WriteJsonReport(const Report& report, const RunList& runs, std::ostream& out);

// Each run is handed over as it is read, and not kept. Strict: a key more or less, or totals that
// are not those of the cases, is an error at its line. `file` is for the error.
Result<Report> ReadJsonReport(std::istream& in, const std::string& file, const RunVisitor& visit);

// One run as a line of JSON, and back.
std::string RunLine(const ReportedRun& run);
Result<ReportedRun> ParseRunLine(const std::string& line);

}  // namespace gpustage
