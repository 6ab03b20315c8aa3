#include "harness/report/report.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>

namespace gpustage {

void Totals::Add(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass: ++pass; break;
    case VerdictKind::kFail: ++fail; break;
    case VerdictKind::kSkip: ++skip; break;
    case VerdictKind::kXfail: ++xfail; break;
    case VerdictKind::kXpass: ++xpass; break;
    case VerdictKind::kError: ++error; break;
    case VerdictKind::kFlaky: ++flaky; break;
  }
}

Totals Count(const std::vector<ReportedRun>& runs) {
  Totals totals;
  for (const ReportedRun& run : runs) totals.Add(run.verdict);
  return totals;
}

int ExitStatus(const Report& report) {
  const Totals totals = Count(report.runs);
  if (report.baseline ? report.baseline->Worse() : totals.Bad()) return 1;
  if (report.problems.empty()) return 0;
  const bool only_missing = std::all_of(report.problems.begin(), report.problems.end(), [](const Problem& p) { return p.kind == "require"; });
  return only_missing && totals.All() == totals.skip ? 77 : 1;
}

Result<Report> Merge(std::vector<NamedReport> parts) {
  Report whole;
  whole.reports = 0;
  std::map<std::string, std::string> from;  // the name of a run -> the report that has it
  for (NamedReport& part : parts) {
    for (const ReportedRun& run : part.report.runs)
      if (const auto [known, is_new] = from.try_emplace(run.Name(), part.name); !is_new)
        return Error{fmt::format("{} is in {} and in {}: these are no shards of one run", run.Name(), known->second, part.name)};
    whole.seconds += part.report.seconds;
    whole.reports += part.report.reports;
    std::move(part.report.runs.begin(), part.report.runs.end(), std::back_inserter(whole.runs));
    for (const Problem& problem : part.report.problems)
      if (std::find(whole.problems.begin(), whole.problems.end(), problem) == whole.problems.end()) whole.problems.push_back(problem);
    if (part.report.baseline.has_value() != parts.front().report.baseline.has_value())
      return Error{fmt::format("one of {} and {} was held against a baseline, and the other was not", parts.front().name, part.name)};
    if (part.report.baseline)
      whole.baseline = whole.baseline ? Joined(*std::move(whole.baseline), *part.report.baseline) : *part.report.baseline;
  }
  std::stable_sort(whole.runs.begin(), whole.runs.end(), [](const ReportedRun& a, const ReportedRun& b) { return a.id < b.id; });
  return whole;
}

}  // namespace gpustage
