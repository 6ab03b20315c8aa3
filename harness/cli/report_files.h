// --report KIND=FILE: which reports are wanted, and writing them.
#pragma once

#include <string>
#include <vector>

#include "harness/report/report.h"
#include "harness/report/run_list.h"
#include "harness/report/text.h"

namespace gpustage {

struct ReportFile {
  std::string kind;  // "json"
  std::string file;  // "-" is standard output, and what is for people goes to stderr then
};

// Checked before anything runs, so that a long run is not lost to a slip of the pen.
Result<std::vector<ReportFile>> ParseReportFiles(const std::vector<std::string>& words);

// Whether standard output is a report's.
bool TakeStdout(const std::vector<ReportFile>& files);

// Whether one is a page, which shows more of each run than the others.
bool WantsPage(const std::vector<ReportFile>& files);

// All of them that can be written; the first error. `shown` is the style of what was shown: a text
// report names the same next commands.
Status WriteReports(const Report& report, const RunList& runs, const TextStyle& shown,
                    const std::vector<ReportFile>& files);

}  // namespace gpustage
