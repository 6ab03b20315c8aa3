#include "harness/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

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
  const bool only_missing = std::all_of(report.problems.begin(), report.problems.end(),
                                        [](const Problem& p) { return p.kind == "require"; });
  return only_missing && totals.All() == totals.skip ? 77 : 1;
}

namespace {

// Shards of one run are all of as many, and each is there once. `from` gets the report that has
// one.
Status AddShards(const NamedReport& part, Report& whole,
                 std::map<ReportedShard, std::string>& from) {
  for (const ReportedShard& shard : part.report.shards) {
    if (const ReportedShard& first = from.empty() ? shard : from.begin()->first;
        first.total != shard.total)
      return Error{fmt::format(
          "{} is shard {} of {}, and {} is shard {} of {}: these are no shards of one run",
          from.begin()->second, first.index, first.total, part.name, shard.index, shard.total)};
    if (const auto [known, is_new] = from.try_emplace(shard, part.name); !is_new)
      return Error{fmt::format("{} and {} are both shard {} of {}", known->second, part.name,
                               shard.index, shard.total)};
    whole.shards.push_back(shard);
  }
  return Ok();
}

// Where one of them is a shard, all others must be there.
std::optional<Problem> MissingShards(const std::vector<ReportedShard>& shards) {
  if (shards.empty()) return std::nullopt;
  const int total = shards.front().total;
  std::vector<int> missing;
  for (int index = 1; index <= total; ++index)
    if (!std::binary_search(shards.begin(), shards.end(), ReportedShard{index, total}))
      missing.push_back(index);
  if (missing.empty()) return std::nullopt;
  const bool one = missing.size() == 1;
  return Problem{"shard",
                 fmt::format("{} {} of {} {} in none of these reports", one ? "shard" : "shards",
                             fmt::join(missing, ", "), total, one ? "is" : "are")};
}

}  // namespace

Result<Report> Merge(std::vector<NamedReport> parts) {
  Report whole;
  whole.reports = 0;
  std::map<std::string, std::string> from;  // the name of a run -> the report that has it
  std::map<ReportedShard, std::string> shard_from;
  for (NamedReport& part : parts) {
    for (const ReportedRun& run : part.report.runs)
      if (const auto [known, is_new] = from.try_emplace(run.Name(), part.name); !is_new)
        return Error{fmt::format("{} is in {} and in {}: these are no shards of one run",
                                 run.Name(), known->second, part.name)};
    whole.seconds += part.report.seconds;
    whole.reports += part.report.reports;
    TRY(AddShards(part, whole, shard_from));
    std::move(part.report.runs.begin(), part.report.runs.end(), std::back_inserter(whole.runs));
    for (const Problem& problem : part.report.problems)
      if (problem.kind != "shard" &&
          std::find(whole.problems.begin(), whole.problems.end(), problem) == whole.problems.end())
        whole.problems.push_back(problem);
    if (part.report.baseline.has_value() != parts.front().report.baseline.has_value())
      return Error{
          fmt::format("one of {} and {} was held against a baseline, and the other was not",
                      parts.front().name, part.name)};
    if (part.report.baseline)
      whole.baseline = whole.baseline ? Joined(*std::move(whole.baseline), *part.report.baseline)
                                      : *part.report.baseline;
  }
  std::stable_sort(whole.runs.begin(), whole.runs.end(),
                   [](const ReportedRun& a, const ReportedRun& b) { return a.id < b.id; });
  std::sort(whole.shards.begin(), whole.shards.end());
  if (std::optional<Problem> missing = MissingShards(whole.shards))
    whole.problems.push_back(*std::move(missing));
  return whole;
}

}  // namespace gpustage
