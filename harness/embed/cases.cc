#include "gpustage/cases.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/embed/place.h"
#include "harness/report/text.h"

namespace gpustage {
namespace {

std::string TestName(std::string text) {
  for (char& c : text)
    if (c == '@' || c == ',')
      c = '/';
    else if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '/' && c != '=')
      c = '_';
  return text;
}

// The folder is the question and the file the claim.
ListedCase Listed(Case c, std::set<std::string>& taken) {
  ListedCase listed;
  listed.id = c.id;
  listed.file = c.file;
  const size_t slash = c.scenario.rfind('/');
  listed.suite = slash == std::string::npos ? "scenarios" : TestName(c.scenario.substr(0, slash));
  const std::string name = TestName(slash == std::string::npos ? c.id : c.id.substr(slash + 1));
  listed.name = name;
  for (int n = 2; !taken.insert(listed.suite + "." + listed.name).second; ++n) listed.name = fmt::format("{}_{}", name, n);
  listed.resolved = std::make_shared<const Case>(std::move(c));
  return listed;
}

}  // namespace

CaseList ListCases(const std::vector<std::string>& paths, const std::vector<std::string>& scanners) {
  Selection selection;
  selection.paths = paths;
  selection.scanners = scanners;
  Result<std::vector<Case>> cases = SelectCases(selection);
  if (!cases) return {{}, Rendered(cases.error())};
  CaseList list;
  std::set<std::string> taken;
  for (Case& c : *cases) list.cases.push_back(Listed(std::move(c), taken));
  return list;
}

CaseEnd RunListed(const ListedCase& listed) {
  const Workshop& shop = SharedWorkshop();
  CaseEnd end;
  if (shop.worker == nullptr) {
    end.failed = shop.error + shop.refused;
    return end;
  }
  const CaseReport report = RunCase(*listed.resolved, *shop.worker);
  size_t skipped = 0;
  for (const RunReport& run : report.runs) {
    end.failed += FailureBlock(ReportedRunOf(report, run, ToString((*worker)->isolation().level)), {});
    if (run.verdict.kind == VerdictKind::kXfail && report.c.xfail) end.known_bug = report.c.xfail->reason;
    if (run.verdict.kind != VerdictKind::kSkip) continue;
    ++skipped;
    end.skips += fmt::format("{}: {}\n", run.spec.name, run.verdict.because);
  }
  if (skipped == report.runs.size()) end.skipped = end.skips;
  return end;
}

}  // namespace gpustage
