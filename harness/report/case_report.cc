#include "harness/report/case_report.h"

namespace gpustage {

void Totals::Add(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass: ++pass; break;
    case VerdictKind::kFail: ++fail; break;
    case VerdictKind::kSkip: ++skip; break;
    case VerdictKind::kXfail: ++xfail; break;
    case VerdictKind::kXpass: ++xpass; break;
    case VerdictKind::kError: ++error; break;
  }
}

Totals Count(const std::vector<CaseReport>& reports) {
  Totals totals;
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) totals.Add(run.verdict.kind);
  return totals;
}

}  // namespace gpustage
