#include "gpustage/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "harness/embed/helper.h"
#include "harness/embed/place.h"
#include "harness/report/text.h"
#include "harness/suite/case_selection.h"

namespace gpustage {

struct CaseSource {
  std::shared_ptr<const CaseSelection> all;
  size_t place;
  std::vector<std::string> scanners;  // as they were asked for
};

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
ListedCase Listed(std::shared_ptr<const CaseSelection> all, size_t place,
                  const std::vector<std::string>& scanners, std::set<std::string>& taken) {
  const Scenario& scenario = all->RangeOf(place).scenario();
  ListedCase listed;
  listed.id = all->Id(place);
  listed.file = scenario.file;
  const size_t slash = scenario.id.rfind('/');
  listed.suite = slash == std::string::npos ? "scenarios" : TestName(scenario.id.substr(0, slash));
  const std::string name =
      TestName(slash == std::string::npos ? listed.id : listed.id.substr(slash + 1));
  listed.name = name;
  for (int n = 2; !taken.insert(listed.suite + "." + listed.name).second; ++n)
    listed.name = fmt::format("{}_{}", name, n);
  listed.source = std::make_shared<const CaseSource>(CaseSource{std::move(all), place, scanners});
  return listed;
}

// "FILE@gpus=1"
std::string PathOf(const ListedCase& listed) {
  const size_t cell = listed.id.find('@');
  return listed.file + (cell == std::string::npos ? "" : listed.id.substr(cell));
}

void FindFirst(const CaseReport& report, CaseEnd& end) {
  for (const RunReport& run : report.runs)
    for (const Check& check : run.verdict.checks)
      if (IsBad(run.verdict.kind) && !check.ok && check.pos) {
        end.file = check.pos->file;
        end.line = check.pos->line;
        return;
      }
}

}  // namespace

CaseList ListCases(const std::vector<std::string>& paths,
                   const std::vector<std::string>& scanners) {
  CaseFilter selection;
  selection.paths = paths;
  selection.scanners = scanners;
  Result<CaseSelection> selected = Select(selection);
  if (!selected) return {{}, Rendered(selected.error())};
  const auto all = std::make_shared<const CaseSelection>(*std::move(selected));
  CaseList list;
  std::set<std::string> taken;
  for (size_t place = 0; place < all->size(); ++place)
    list.cases.push_back(Listed(all, place, scanners, taken));
  return list;
}

CaseEnd RunListed(const ListedCase& listed) {
  const Workshop& shop = SharedWorkshop();
  CaseEnd end;
  end.file = listed.file;
  if (!shop.refused.empty()) {
    end.skipped = shop.refused;
    return end;
  }
  const Result<Case> c = listed.source->all->Read(listed.source->place);
  if (!c) {
    end.failed = Rendered(c.error());
    if (c.error().pos) end.line = c.error().pos->line;
    return end;
  }
  const Result<CaseReport> ran = shop.has_threads
                                     ? RunInHelper(PathOf(listed), listed.source->scanners, *c)
                                     : Result<CaseReport>(RunCase(*c, *shop.runner));
  if (!ran) {
    end.failed = ran.error().message;
    return end;
  }
  const CaseReport& report = *ran;
  FindFirst(report, end);
  const std::string isolation = shop.has_threads ? "" : ToString(shop.runner->isolation().level);
  size_t skipped = 0;
  for (const RunReport& run : report.runs) {
    end.failed += FailureBlock(ReportedRunOf(report, run, isolation), {});
    if (run.verdict.kind == VerdictKind::kXfail && report.c.xfail)
      end.known_bug = report.c.xfail->reason;
    if (run.verdict.kind != VerdictKind::kSkip) continue;
    ++skipped;
    end.skips += fmt::format("{}: {}\n", run.spec.name, run.verdict.because);
  }
  if (skipped == report.runs.size()) end.skipped = end.skips;
  return end;
}

}  // namespace gpustage
