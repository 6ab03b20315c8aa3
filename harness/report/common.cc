#include "harness/report/common.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "harness/base/files.h"
#include "harness/report/for_terminal.h"

namespace gpustage {
namespace {

struct Cell {
  std::map<std::string, std::string> axes;
  bool bad = false;
  std::string loss;
};

using Cells = std::vector<Cell>;
using Values = std::map<std::string, std::string>;

constexpr size_t kMostTerms = 3;  // more of them explain nothing
constexpr size_t kMostAxes = 12;  // of which pairs are looked at

bool Has(const Cell& cell, const Values& values) {
  return std::all_of(values.begin(), values.end(), [&](const auto& value) {
    const auto found = cell.axes.find(value.first);
    return found != cell.axes.end() && found->second == value.second;
  });
}

std::string LossOf(const ReportedRun& run) {
  if (!run.lost_at) return "";
  const auto row = std::find_if(run.funnel.begin(), run.funnel.end(),
                                [&](const ReportedRow& r) { return r.lost_at == run.lost_at; });
  if (row == run.funnel.end()) return fmt::format("a library lost at \"{}\"", *run.lost_at);
  return fmt::format("{} lost at \"{}\"", BaseNameOf(row->library), *run.lost_at);
}

// One value, or two, of which a cell that fails has each.
std::vector<CommonTerm> Candidates(const Cells& cells) {
  std::map<Values, CommonTerm> found;
  const auto each = [](const Cell& cell, const auto& what) {
    for (auto a = cell.axes.begin(); a != cell.axes.end(); ++a) {
      what(Values{*a});
      if (cell.axes.size() > kMostAxes) continue;
      for (auto b = std::next(a); b != cell.axes.end(); ++b) what(Values{*a, *b});
    }
  };
  for (const Cell& cell : cells)
    if (cell.bad)
      each(cell, [&](const Values& values) {
        CommonTerm& term = found[values];
        term.axes = values;
        ++term.failing;
      });
  for (const Cell& cell : cells)
    if (!cell.bad)
      each(cell, [&](const Values& values) {
        if (const auto term = found.find(values); term != found.end()) ++term->second.others;
      });
  std::vector<CommonTerm> terms;
  for (auto& [values, term] : found) terms.push_back(std::move(term));
  std::stable_sort(terms.begin(), terms.end(), [](const CommonTerm& a, const CommonTerm& b) {
    return a.axes.size() < b.axes.size();  // the simpler one of two that say the same
  });
  return terms;
}

// Few terms that all failing cells have and no other one; none where there are not few.
std::optional<std::vector<CommonTerm>> Exact(const Cells& cells,
                                             const std::vector<CommonTerm>& candidates,
                                             size_t failing) {
  std::vector<const Cell*> left;
  for (const Cell& cell : cells)
    if (cell.bad) left.push_back(&cell);
  std::vector<CommonTerm> terms;
  while (!left.empty()) {
    const CommonTerm* best = nullptr;
    ptrdiff_t most = 0;
    for (const CommonTerm& term : candidates) {
      if (term.others > 0 || term.failing <= most) continue;
      const auto covers = std::count_if(left.begin(), left.end(),
                                        [&](const Cell* cell) { return Has(*cell, term.axes); });
      if (covers > most) {
        most = covers;
        best = &term;
      }
    }
    // As many terms as cells would be a list of the cells.
    if (best == nullptr || terms.size() == kMostTerms || (terms.size() + 1) * 2 > failing)
      return std::nullopt;
    std::erase_if(left, [&](const Cell* cell) { return Has(*cell, best->axes); });
    terms.push_back(*best);
  }
  return terms;
}

// The one that tells most: of the failing ones it has many, and few of the others.
std::optional<CommonTerm> Nearest(const std::vector<CommonTerm>& candidates, int failing,
                                  int others) {
  const auto score = [&](const CommonTerm& term) {
    const double has = static_cast<double>(term.failing) / failing;
    const double of = static_cast<double>(term.failing) / (term.failing + term.others);
    return 2 * has * of / (has + of);
  };
  std::optional<CommonTerm> best;
  for (const CommonTerm& term : candidates)
    if (!best || score(term) > score(*best) + 1e-9) best = term;
  // What holds of the others as often tells nothing.
  const auto share = [](int part, int all) { return all == 0 ? 0.0 : double(part) / all; };
  if (best && share(best->failing, failing) < 2 * share(best->others, others)) best.reset();
  if (best && best->failing < 2) best.reset();
  return best;
}

Common Explained(const std::string& scenario, const Cells& cells) {
  Common common;
  common.scenario = scenario;
  std::map<std::string, int> losses;
  for (const Cell& cell : cells) {
    ++(cell.bad ? common.failing : common.others);
    if (cell.bad && !cell.loss.empty()) ++losses[cell.loss];
  }
  for (const auto& [loss, count] : losses)
    if (count > common.lost) {
      common.loss = loss;
      common.lost = count;
    }
  if (common.others == 0) return common;
  const std::vector<CommonTerm> candidates = Candidates(cells);
  if (auto exact = Exact(cells, candidates, static_cast<size_t>(common.failing))) {
    common.terms = *std::move(exact);
    common.covered = common.failing;
  } else if (auto nearest = Nearest(candidates, common.failing, common.others)) {
    common.covered = nearest->failing;
    common.terms.push_back(*std::move(nearest));
  }
  return common;
}

std::string TermText(const CommonTerm& term) {
  std::string text;
  for (const auto& [axis, value] : term.axes)
    text += fmt::format("{}{}={}", text.empty() ? "" : " and ", axis, value);
  return text;
}

}  // namespace

Result<std::vector<Common>> CommonOf(const RunList& runs) {
  std::set<std::string> failing;
  TRY(runs.EachBad([&](const ReportedRun& run) -> Status {
    failing.insert(run.scenario);
    return Ok();
  }));
  std::map<std::string, Cells> by_scenario;
  std::map<std::string, std::set<std::string>> names;
  if (!failing.empty())
    TRY(runs.Each([&](const ReportedRun& run) -> Status {
      if (run.verdict == VerdictKind::kSkip || failing.count(run.scenario) == 0) return Ok();
      names[run.scenario].insert(run.run);
      by_scenario[run.scenario].push_back({run.axes, IsBad(run.verdict), LossOf(run)});
      by_scenario[run.scenario].back().axes.emplace("run", run.run);
      return Ok();
    }));
  std::vector<Common> all;
  for (auto& [scenario, cells] : by_scenario) {
    if (std::count_if(cells.begin(), cells.end(), [](const Cell& c) { return c.bad; }) < 2)
      continue;
    if (names[scenario].size() == 1)
      for (Cell& cell : cells) cell.axes.erase("run");
    Common common = Explained(scenario, cells);
    const bool tells = common.others == 0 || !common.terms.empty() || common.lost == common.failing;
    if (tells) all.push_back(std::move(common));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Common& a, const Common& b) { return a.failing > b.failing; });
  return all;
}

std::string CommonSentence(const Common& common) {
  std::string text;
  if (common.others == 0) return fmt::format("all {} runs of it fail", common.failing);
  if (common.terms.empty())
    return fmt::format("{} of {} runs fail; no value of an axis tells them from the others",
                       common.failing, common.failing + common.others);
  for (const CommonTerm& term : common.terms)
    text += (text.empty() ? "" : ", or ") + TermText(term);
  const CommonTerm& first = common.terms.front();
  const std::string who =
      common.covered == common.failing
          ? fmt::format("all {} failing runs have", common.failing)
          : fmt::format("{} of {} failing runs have", common.covered, common.failing);
  const int with = common.terms.size() == 1 ? first.others : 0;
  return fmt::format("{} {}; {} of the {} {}", who, text, with == 0 ? "none" : std::to_string(with),
                     common.others, common.others == 1 ? "other has" : "others have");
}

std::string CommonText(const std::vector<Common>& all) {
  std::string text;
  for (const Common& common : all) {
    text += fmt::format("  {}: {}\n", OneLine(common.scenario), OneLine(CommonSentence(common)));
    if (common.lost > 0)
      text += fmt::format("    {} of {}: {}\n", common.lost, common.failing, OneLine(common.loss));
  }
  return text.empty() ? "" : "\nwhat fails has in common\n" + text;
}

}  // namespace gpustage
