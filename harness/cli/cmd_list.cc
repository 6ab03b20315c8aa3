#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/report/trace.h"
#include "harness/suite/coverage.h"
#include "harness/suite/shard_options.h"

namespace gpustage {
namespace {

struct ListOptions {
  CaseFilter selection;
  ShardOptions shard;
  std::string format = "text";
};

using nlohmann::json;

constexpr int kMostJobs = 256;  // of one matrix on GitHub

std::string Text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The claim of a scenario stands once, before its cells.
void PrintText(const CaseSelection& selected) {
  const size_t width = WidthOfOutput();
  const Scenario* last = nullptr;
  for (size_t place = 0; place < selected.size(); ++place) {
    const Scenario& scenario = selected.RangeOf(place).scenario();
    const std::string id = selected.Id(place);
    const std::string runs = fmt::format("  [{}]", fmt::join(selected.Runs(place), ", "));
    if (id == scenario.id) {
      fmt::print("{}\n", Wrapped(fmt::format("{}{}  {}", id, runs, scenario.claim), 4, width));
      continue;
    }
    if (last != &scenario)
      fmt::print("{}\n", Wrapped(fmt::format("{}  {}", scenario.id, scenario.claim), 4, width));
    last = &scenario;
    fmt::print("  {}\n", Wrapped(id + runs, 6, width));
  }
  for (const CaseRange* range : selected.Ranges()) fmt::print("{}", CoverageText(*range));
}

void PrintNames(const CaseSelection& selected) {
  for (size_t place = 0; place < selected.size(); ++place) fmt::print("{}\n", selected.Id(place));
}

json CoverageOf(const CaseRange& range) {
  const Covering& covering = *range.cells().covering();
  json ruled_out = json::array();
  for (const RuledOut& out : PairsRuledOut(range))
    ruled_out.push_back({{"why", out.why}, {"pairs", out.pairs}});
  return {{"scenario", range.scenario().id}, {"seed", range.scenario().matrix.seed},
          {"cells", covering.rows.size()},   {"pairs", covering.allowed},
          {"covered", covering.covered},     {"ruled_out", std::move(ruled_out)}};
}

// One case a line, each written as soon as it is known: a hundred thousand make no value in memory.
void PrintJson(const CaseSelection& selected) {
  fmt::print("{{\"version\": 1, \"cases\": [");
  for (size_t place = 0; place < selected.size(); ++place) {
    const Scenario& scenario = selected.RangeOf(place).scenario();
    const json listed = {{"id", selected.Id(place)},     {"scenario", scenario.id},
                         {"file", scenario.file},        {"claim", scenario.claim},
                         {"axes", selected.Axes(place)}, {"runs", selected.Runs(place)}};
    fmt::print("{}\n{}", place == 0 ? "" : ",", Text(listed));
  }
  json coverage = json::array();
  for (const CaseRange* range : selected.Ranges())
    if (range->cells().covering()) coverage.push_back(CoverageOf(*range));
  fmt::print("\n], \"coverage\": {}}}\n", Text(coverage));
}

// For `strategy: {matrix: ${{ fromJSON(…) }}}`: one job a shard.
Status PrintGithubMatrix(int shards) {
  if (shards == 0) return Error{"--format github-matrix needs --shards N: the number of jobs"};
  if (shards > kMostJobs)
    return Error{fmt::format("a matrix on GitHub has {} jobs at most, not {}", kMostJobs, shards)};
  json jobs = json::array();
  for (int i = 1; i <= shards; ++i)
    jobs.push_back({{"index", i}, {"shard", fmt::format("{}/{}", i, shards)}});
  fmt::print("{}\n", Text({{"include", std::move(jobs)}}));
  return Ok();
}

Status List(const ListOptions& options) {
  const bool of_jobs = options.format == "github-matrix";
  if (of_jobs && !options.shard.shard.empty())
    return Error{"--format github-matrix is of all shards, --shard of one"};
  TRY(CaseSelection selected, Select(options.selection));
  if (of_jobs) return PrintGithubMatrix(options.shard.shards);
  TRY(const TakenShard taken, TakeShard(options.shard, selected));
  if (!taken.line.empty())
    fmt::print(options.format == "text" ? stdout : stderr, "{}\n", taken.line);
  if (options.format == "json")
    PrintJson(selected);
  else if (options.format == "names")
    PrintNames(selected);
  else
    PrintText(selected);
  return Ok();
}

int ListCases(const ListOptions& options) {
  const Status listed = List(options);
  return listed ? kAsExpected : PrintError(listed.error(), kBadInput);
}

}  // namespace

Action DeclareList(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  AddSelection(app, options->selection);
  AddScenarioFilters(app, options->selection);
  AddShards(app, options->shard);
  AddOption(app, "--format", options->format, "github-matrix: the jobs of --shards N")
      .OneOf({"text", "json", "names", "github-matrix"});
  return [options](const Program&) { return ListCases(*options); };
}

}  // namespace gpustage
