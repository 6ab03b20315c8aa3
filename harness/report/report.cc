#include "harness/report/report.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace gpustage {

int ExitStatus(const Report& report) {
  if (report.interrupted) return 128 + SignalOf(*report.interrupted).value_or(0);
  const Totals& totals = report.tally.totals;
  if (report.baseline ? report.baseline->Worse() : totals.Bad() > 0) return 1;
  if (report.problems.empty()) return 0;
  const bool only_missing = std::all_of(report.problems.begin(), report.problems.end(),
                                        [](const Problem& p) { return p.kind == "require"; });
  return only_missing && totals.All() == totals.skip ? 77 : 1;
}

namespace {

constexpr std::pair<int, const char*> kSignals[] = {
    {SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};

// Where one of them is a shard, all others must be there.
std::optional<Problem> MissingShards(const std::vector<ReportedShard>& shards) {
  constexpr size_t kShown = 20;
  if (shards.empty()) return std::nullopt;
  const int total = shards.front().total;
  std::vector<std::string> missing;
  for (int index = 1; index <= total; ++index)
    if (!std::binary_search(shards.begin(), shards.end(), ReportedShard{index, total}))
      missing.push_back(std::to_string(index));
  if (missing.empty()) return std::nullopt;
  const bool one = missing.size() == 1;
  if (missing.size() > kShown) {
    const size_t more = missing.size() - kShown;
    missing.resize(kShown);
    missing.push_back(fmt::format("and {} more", more));
  }
  return Problem{"shard",
                 fmt::format("{} {} of {} {} in none of these reports", one ? "shard" : "shards",
                             fmt::join(missing, ", "), total, one ? "is" : "are")};
}

}  // namespace

std::optional<int> SignalOf(const std::string& name) {
  for (const auto& [signal, its_name] : kSignals)
    if (name == its_name) return signal;
  return std::nullopt;
}

std::string SignalName(int signal) {
  for (const auto& [number, name] : kSignals)
    if (signal == number) return name;
  return fmt::format("signal {}", signal);
}

Status Merger::AddRun(const std::string& file, const ReportedRun& run) {
  if (files_.empty() || files_.back() != file) files_.push_back(file);
  const auto [known, is_new] = runs_.try_emplace(run.Name(), files_.size() - 1);
  if (!is_new)
    return Error{fmt::format("{} is in {} and in {}: these are no shards of one run", run.Name(),
                             files_[known->second], file)};
  ids_.push_back(run.id);
  whole_.tally.Add(run);
  return Ok();
}

// Shards of one run are all of as many and of the same cases, and each is there once.
Status Merger::AddShards(const std::string& file, const Report& part) {
  for (const ReportedShard& shard : part.shards) {
    if (const ReportedShard& first = from_.empty() ? shard : from_.begin()->first;
        first.total != shard.total)
      return Error{fmt::format(
          "{} is shard {} of {}, and {} is shard {} of {}: these are no shards of one run",
          from_.begin()->second, first.index, first.total, file, shard.index, shard.total)};
    if (const auto [known, is_new] = from_.try_emplace(shard, file); !is_new)
      return Error{fmt::format("{} and {} are both shard {} of {}", known->second, file,
                               shard.index, shard.total)};
    whole_.shards.push_back(shard);
  }
  if (part.shards.empty() || !part.selection) return Ok();
  if (!of_shards_) of_shards_ = part.selection;
  if (of_shards_ == part.selection) return Ok();
  const bool of_as_many = of_shards_->cases == part.selection->cases;
  return Error{
      fmt::format("{} is a shard of {} cases, and {} one of {}: these are no shards of one run",
                  from_.begin()->second, of_shards_->cases, file,
                  of_as_many ? "as many others" : std::to_string(part.selection->cases))};
}

void Merger::AddProblems(const std::string& file, const Report& part) {
  for (const Problem& problem : part.problems) {
    // Which shards are missing is found anew; what ended one of the reports is said with its name.
    if (problem.kind == "shard") continue;
    Problem told = problem;
    if (problem.kind == "interrupted" && part.interrupted)
      told.text = fmt::format("{} was {}", file, problem.text);
    if (std::find(whole_.problems.begin(), whole_.problems.end(), told) == whole_.problems.end())
      whole_.problems.push_back(std::move(told));
  }
}

Status Merger::AddReport(const std::string& file, Report part) {
  const bool first = whole_.reports == 0;
  TRY(AddShards(file, part));
  AddProblems(file, part);
  if (!first && part.baseline.has_value() != whole_.baseline.has_value())
    return Error{fmt::format("one of {} and {} was held against a baseline, and the other was not",
                             first_, file)};
  if (first) first_ = file;
  if (part.baseline)
    whole_.baseline = whole_.baseline ? Joined(*std::move(whole_.baseline), *part.baseline)
                                      : *std::move(part.baseline);
  whole_.seconds += part.seconds;
  whole_.reports += part.reports;
  return Ok();
}

std::vector<size_t> Merger::Order() const {
  std::vector<size_t> order(ids_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ids_[a] < ids_[b]; });
  return order;
}

Report Merger::Whole() && {
  std::sort(whole_.shards.begin(), whole_.shards.end());
  if (std::optional<Problem> missing = MissingShards(whole_.shards))
    whole_.problems.push_back(*std::move(missing));
  whole_.selection = of_shards_;
  return std::move(whole_);
}

}  // namespace gpustage
