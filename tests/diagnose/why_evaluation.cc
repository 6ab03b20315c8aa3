// How good `why` is, measured on every scenario that says what mends it. The machine is flattened
// first, so that undoing the author's own lines is no way.
//
//   why_evaluation [--share PERCENT] [--seed N] [--only TEXT] [--jobs N] [--budget N] [--again N]
//                  [--json FILE] [--publish FOLDER] [--keep FILE --stamp TEXT] [--minutes N]
//                  [SCENARIOS…]
//
// Prints a line a run and the shares; exits with 1 when one is below its bar, 77 when nothing could
// be run here, 75 when its minutes are over: the same command goes on, from what --keep has.
// --publish writes the machines and the truth of harness/docs/benchmark.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/base/files.h"
#include "harness/diagnose/minimize.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"
#include "tests/diagnose/evaluation.h"
#include "tests/diagnose/kept_scores.h"

namespace gpustage {
namespace {

constexpr double kFoundBar = 0.95, kAfterBar = 0.85, kFirstBar = 0.90;
constexpr int kMedianBar = 40, kMostBar = 120;
constexpr int kGoOn = 75;

// Whether a share of all that is drawn by name and seed has it: who adds a scenario changes nothing
// for the others. FNV-1a.
uint64_t Draw(const Task& task, const EvaluationOptions& options) {
  uint64_t hash = 14695981039346656037u ^ options.seed;
  for (const char c : task.Name()) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash % 10000;
}
bool IsDrawn(const Task& task, const EvaluationOptions& options) {
  return static_cast<double>(Draw(task, options)) < 100 * options.share;
}

Result<std::vector<Task>> AllTasks(const EvaluationOptions& options) {
  const Catalog catalog = FindCatalog({});
  TRY(const std::vector<std::string> files,
      DiscoverScenarios(options.paths.empty() ? std::vector<std::string>{catalog.scenarios}
                                              : options.paths));
  std::vector<Task> tasks;
  for (const std::string& file : files) {
    TRY(const std::vector<Case> cases, LoadCases(file, catalog));
    for (const Case& c : cases)
      for (Task& task : TasksOf(c))
        if (task.Name().find(options.only) != std::string::npos && IsDrawn(task, options))
          tasks.push_back(std::move(task));
  }
  // Shuffled by the seed: what an evaluation has that was ended is a sample of the whole.
  std::stable_sort(tasks.begin(), tasks.end(), [&](const Task& a, const Task& b) {
    return Draw(a, options) < Draw(b, options);
  });
  return tasks;
}

// By how much a share of `count` may fall below the bar by chance, when 95 % is true: three
// standard deviations, so that a sample fails for a reason.
double Slack(double bar, size_t count, const EvaluationOptions& options) {
  if (options.share >= 100) return 0;
  return 3 * std::sqrt(bar * (1 - bar) / static_cast<double>(count));
}

struct Line {
  const char* what;
  double bar;
  bool Score::*good;
  bool Score::*among;  // null: all
};

// A line of the summary; false: it is below its bar.
bool Tell(const std::vector<Score>& scores, const Line& line, const EvaluationOptions& options) {
  const auto count = std::count_if(scores.begin(), scores.end(), [&](const Score& score) {
    return line.among == nullptr || score.*line.among;
  });
  const auto good = std::count_if(scores.begin(), scores.end(), [&](const Score& score) {
    return (line.among == nullptr || score.*line.among) && score.*line.good;
  });
  if (count == 0) return true;
  const double share = static_cast<double>(good) / static_cast<double>(count);
  const double bar = line.bar - Slack(line.bar, static_cast<size_t>(count), options);
  fmt::print("{:<52} {:3} of {:3}  {:5.1f} %   bar {:.1f} %{}\n", line.what, good, count,
             100 * share, 100 * bar, share < bar ? "  below it" : "");
  return share >= bar;
}

// Of a sample: whether just those are not found of whom it is known why. Prints who differs.
bool MissesAreKnown(const std::vector<Score>& scores) {
  std::set<std::string> known;
  std::ifstream file(GPUSTAGE_KNOWN_MISSES);
  for (std::string line; std::getline(file, line);)
    if (!line.starts_with('#')) known.insert(line.substr(0, line.find("]: ") + 1));
  bool good = true;
  for (const Score& score : scores) {
    if (score.found != (known.count(score.name) != 0)) continue;
    fmt::print("{}: {}\n", score.name,
               score.found ? "it is found: take it off known_misses.txt"
                           : "it is not found, and known_misses.txt does not say why");
    good = false;
  }
  return good;
}

int Summary(const std::vector<Score>& scores, size_t skipped, const EvaluationOptions& options) {
  if (scores.empty()) {
    fmt::print("nothing could be run here\n");
    return 77;
  }
  std::vector<int> starts;
  for (const Score& score : scores)
    if (!score.answers.empty()) starts.push_back(score.starts);
  if (starts.empty()) starts.push_back(0);
  std::vector<double> seconds;
  for (const Score& score : scores) seconds.push_back(score.seconds);
  const auto median_of = [](auto& list) {
    std::sort(list.begin(), list.end());
    return list[list.size() / 2];
  };
  const int median = median_of(starts);
  const int most = starts[(starts.size() - 1) * 95 / 100];
  fmt::print("{} runs, {} not here\n", scores.size(), skipped);
  bool good = options.share >= 100 || !options.only.empty() || MissesAreKnown(scores);
  for (const Line& line :
       {Line{"found, no larger than the author's", kFoundBar, &Score::found, nullptr},
        Line{"the same, written after why was", kAfterBar, &Score::found, &Score::after},
        Line{"the same, held out: no rule had it in view", kAfterBar, &Score::found,
             &Score::unseen},
        Line{"the same, by a line, an outcome, which device", 0, &Score::found, &Score::by_claims},
        Line{"found by a variable that only its text names", 0, &Score::by_text, &Score::found},
        Line{"first is the cause, where the chain names it", kFirstBar, &Score::first,
             &Score::named},
        Line{"first is what the author changed", 0, &Score::first, nullptr},
        Line{"proven answers, again 3 of 3 both ways", 1, &Score::again, nullptr},
        Line{"healthy once mended by the author, no cause", 1, &Score::mended, nullptr}})
    good = Tell(scores, line, options) && good;
  fmt::print(
      "starts to the first proven answer    median {}, 95th percentile {}, most {}   bars {}, {}\n",
      median, most, starts.back(), kMedianBar, kMostBar);
  const double usual = median_of(seconds);
  fmt::print(
      "seconds a run    median {:.1f}, 95th percentile {:.1f}, most {:.1f}; {} runs, {} jobs\n",
      usual, seconds[(seconds.size() - 1) * 95 / 100], seconds.back(), scores.size(), options.jobs);
  return good && median <= kMedianBar && (most <= kMostBar || options.share < 100) ? 0 : 1;
}

std::string ResultsJson(const std::vector<Score>& scores) {
  nlohmann::ordered_json all = {{"version", 1}, {"tool", "gpustage why"}};
  for (const Score& score : scores)
    all["machines"].push_back({{"name", score.name},
                               {"found", score.found},
                               {"first", score.first},
                               {"chain_names_it", score.named},
                               {"written_after", score.after},
                               {"in_view", !score.unseen},
                               {"by_claims", score.by_claims},
                               {"by_text", score.by_text},
                               {"starts_to_first", score.starts},
                               {"starts", score.all_starts},
                               {"seconds", std::round(score.seconds * 10) / 10},
                               {"answers", score.answers}});
  return all.dump(1) + "\n";
}

nlohmann::ordered_json RangeJson(const CountRange& range) {
  nlohmann::ordered_json j = {{"at_least", range.at_least}};
  if (range.at_most) j["at_most"] = *range.at_most;
  return j;
}

// harness/docs/benchmark.md: NAME.yaml, the machine, and NAME.truth.json.
Status Publish(const Task& task, const Score& score, const ProposalContext& knowledge,
               CaseRunner& runner, const std::string& folder) {
  const Result<FlatCase> flat = Flatten(task.c, task.run, knowledge.packages.images(), runner);
  if (!flat) return Ok();  // it cannot be made here
  std::string name = task.Name();
  for (char& c : name)
    if (c == '/' || c == ' ' || c == '[' || c == ']') c = '.';
  const Result<std::string> text = MachineText(*flat, task.c, task.run, knowledge);
  if (!text) {
    fmt::print("not published: {}: {}\n", task.Name(), text.error().message);
    return Ok();
  }
  nlohmann::ordered_json truth = {{"version", 1},
                                  {"name", task.Name()},
                                  {"size", SizeOfFix(task)},
                                  {"changes", WordsOfFix(task)}};
  if (score.by_claims) {
    for (const Claim& claim : GoalOf(task)) truth["claims"].push_back(ToString(claim));
  } else {
    truth["wanted"] = RangeJson(*CountOf(task));
    if (const auto broken = ExpectedCount(task.c, task.c.runs[task.run]))
      truth["broken"] = RangeJson(*broken);
  }
  TRY(WriteFile(folder + "/" + name + "yaml", *text));
  return WriteFile(folder + "/" + name + "truth.json", truth.dump(1) + "\n");
}

Result<int> EvaluateAll(const EvaluationOptions& options) {
  TRY(const std::vector<Task> tasks, AllTasks(options));
  TRY(const Workspace workspace, Workspace::Enter(ProbeIsolation(), false));
  CaseRunner runner(workspace, FindRecorders(), false);
  TRY(const ProposalContext knowledge, ProposalContext::Read(FindCatalog({})));
  std::vector<Score> scores;
  KeptScores kept(options.keep, options.stamp);
  const auto began = std::chrono::steady_clock::now();
  size_t skipped = 0, left = 0;
  for (const Task& task : tasks) {
    const auto spent = std::chrono::steady_clock::now() - began;
    const Score* const known = kept.Find(task, options.again);
    if (known == nullptr && options.minutes != 0 && spent > std::chrono::minutes(options.minutes)) {
      ++left;
      continue;
    }
    Result<Score> score = known != nullptr ? *known : Evaluate(task, knowledge, runner, options);
    if (score) {
      SayWhen(task, *score);
      if (known == nullptr) kept.Add(task, options.again, *score);
    }
    if (!score) {
      fmt::print("skip   {}: {}\n", task.Name(), score.error().message);
      ++skipped;
      continue;
    }
    scores.push_back(*score);
    if (!options.publish.empty()) TRY(Publish(task, *score, knowledge, runner, options.publish));
  }
  if (!options.json.empty()) TRY(WriteFile(options.json, ResultsJson(scores)));
  const int status = Summary(scores, skipped, options);
  if (left == 0) return status;
  fmt::print("{} are left: the time is over; the same command goes on\n", left);
  return status == 0 ? kGoOn : status;
}

}  // namespace
}  // namespace gpustage

int main(int argc, char** argv) {
  gpustage::EvaluationOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (!name.starts_with("--")) options.paths.push_back(argv[i--]);
    if (name == "--keep") options.keep = value;
    if (name == "--stamp") options.stamp = value;
    if (name == "--minutes") options.minutes = std::atoi(value.c_str());
    if (name == "--json") options.json = value;
    if (name == "--publish") options.publish = value;
    if (name == "--again") options.again = static_cast<size_t>(std::atoi(value.c_str()));
    if (name == "--share") options.share = std::atof(value.c_str());
    if (name == "--seed") options.seed = static_cast<unsigned>(std::atoi(value.c_str()));
    if (name == "--only") options.only = value;
    if (name == "--jobs") options.jobs = std::atoi(value.c_str());
    if (name == "--budget") options.budget = std::atoi(value.c_str());
  }
  const gpustage::Result<int> status = gpustage::EvaluateAll(options);
  if (status) return *status;
  fmt::print("{}\n", status.error().message);
  return 77;
}
