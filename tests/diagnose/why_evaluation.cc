// How good `why` is, measured on every scenario that says what mends it. The machine is flattened
// first, so that undoing the author's own lines is no way.
//
//   why_evaluation [--share PERCENT] [--seed N] [--only TEXT] [--jobs N] [--budget N] [--gate
//   all|found]
//
// Prints a line a run and the shares; exits with 1 when one is below its bar, 77 when nothing could
// be run here.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#include "harness/base/files.h"
#include "harness/diagnose/why.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"
#include "harness/verdict/verdict.h"

namespace gpustage {
namespace {

constexpr double kFoundBar = 0.95, kFirstBar = 0.90;
constexpr int kMedianBar = 40, kMostBar = 120;

struct Options {
  double share = 100;
  bool found_alone = false;  // the exit status is about what is found, not about what is first
  unsigned seed = 1;
  std::string only;
  int jobs = 2;
  int budget = 200;
};

// A run and what its scenario's author did about it.
struct Task {
  Case c;
  size_t run = 0;
  size_t fixed = 0;  // the run after the fix
  std::string Name() const { return c.id + " [" + c.runs[run].name + "]"; }
};

struct Score {
  std::string name;
  bool found = false;  // no larger than the author's, and the expectation of the fix holds
  bool first = false;  // the first is about what the author changed
  int starts = 0;      // to the first answer, with its proof
};

std::vector<Task> TasksOf(const Case& c) {
  std::vector<Task> tasks;
  for (size_t i = 0; i < c.runs.size(); ++i)
    for (size_t k = 0; k < c.runs.size(); ++k)
      if (c.runs[k].fixed && !c.runs[i].fixed && c.runs[k].name == c.runs[i].name + kFixedSuffix &&
          c.runs[i].scanner.missing.empty())
        tasks.push_back({c, i, k});
  return tasks;
}

// What the author changed: the operations stand at the first of the fixed runs.
std::vector<TreeOp> FixOf(const Case& c) {
  for (const RunSpec& run : c.runs)
    if (run.fixed && !run.change.empty()) return run.change;
  return {};
}

std::vector<EnvVar> VariablesOfFix(const Task& task) {
  std::vector<EnvVar> changed;
  const std::vector<EnvVar>& before = task.c.runs[task.run].env;
  for (const EnvVar& variable : task.c.runs[task.fixed].env)
    if (std::find(before.begin(), before.end(), variable) == before.end())
      changed.push_back(variable);
  return changed;
}

bool OtherUser(const Task& task) {
  return task.c.runs[task.run].user != task.c.runs[task.fixed].user;
}

int SizeOfFix(const Task& task) {
  return static_cast<int>(FixOf(task.c).size() + VariablesOfFix(task).size()) +
         (OtherUser(task) ? 1 : 0);
}

bool Satisfies(const Task& task, const std::optional<int64_t>& count) {
  if (!count) return false;
  for (const Expectation* expectation : ExpectationsFor(task.c, task.c.runs[task.fixed]))
    for (const Claim& claim : expectation->claims)
      if (const auto* devices = std::get_if<DevicesClaim>(&claim.what))
        return devices->count.at_least <= *count &&
               (!devices->count.at_most || *devices->count.at_most >= *count);
  return true;
}

std::string PathOf(const TreeOp& op) {
  return std::visit([](const auto& what) { return what.path; }, op.what);
}

// "cuda_v12/libcudart" of "/…/cuda_v12/libcudart.so.12.8.90": a library by any of its names.
std::string Family(const std::string& path) {
  const std::string name = BaseNameOf(path);
  return BaseNameOf(ParentOf(path)) + "/" + name.substr(0, name.find(".so"));
}

bool IsAbout(const Intervention& change, const Task& task, const FlatCase& flat) {
  const auto variables = VariablesOfFix(task);
  const bool variable = std::any_of(variables.begin(), variables.end(),
                                    [&](const EnvVar& one) { return one.name == change.subject; });
  if (variable || (change.kind == Intervention::Kind::kUser && OtherUser(task))) return true;
  for (const TreeOp& op : FixOf(task.c)) {
    const std::string path = PathOf(op);
    if (path == change.subject || Family(path) == Family(change.subject) ||
        RealPath(flat.tree, path) == RealPath(flat.tree, change.subject))
      return true;
    // A fault, or an answer of the machine: in a scenario's fix another copy answers otherwise.
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    if (placed != nullptr && placed->machine && IsOfMachine(change)) return true;
  }
  return false;
}

Result<Score> Try(const Task& task, const ProposalContext& knowledge, CaseRunner& runner,
                  const Options& options) {
  TRY(const FlatCase flat, Flatten(task.c, task.run, knowledge.packages.images(), runner));
  WhyOptions how;
  how.jobs = options.jobs;
  how.budget = options.budget;
  how.weigh = false;
  TRY(const WhyReport report, Why(flat, knowledge, runner, how));
  Score score{task.Name()};
  score.starts = report.first_answer_at + 2 * how.rounds;
  const int size = SizeOfFix(task);
  for (const Mending& answer : report.answers)
    score.found = score.found || (answer.size <= size && Satisfies(task, answer.after));
  std::string first = "nothing";
  if (!report.answers.empty()) {
    first.clear();
    for (const Intervention& change : report.answers.front().changes) {
      score.first = score.first || IsAbout(change, task, flat);
      first += (first.empty() ? "" : ", and ") + ToString(change);
    }
  }
  fmt::print("{}  {}  {:3} starts of {:3}  {}: {}{}\n", score.found ? "found" : "-----",
             score.first ? "first" : "-----", score.starts, report.starts, score.name, first,
             report.healthy ? " (healthy)" : "");
  std::fflush(stdout);
  return score;
}

// The same ones for the same seed.
std::vector<Task> Drawn(std::vector<Task> tasks, const Options& options) {
  std::mt19937 random(options.seed);
  for (size_t i = tasks.size(); i > 1; --i) std::swap(tasks[i - 1], tasks[random() % i]);
  const auto wanted = static_cast<size_t>(
      std::max(1.0, static_cast<double>(tasks.size()) * options.share / 100 + 0.5));
  if (wanted < tasks.size()) tasks.resize(wanted);
  return tasks;
}

Result<std::vector<Task>> AllTasks(const Options& options) {
  const Catalog catalog = FindCatalog({});
  TRY(const std::vector<std::string> files, DiscoverScenarios({catalog.scenarios}));
  std::vector<Task> tasks;
  for (const std::string& file : files) {
    TRY(const std::vector<Case> cases, LoadCases(file, catalog));
    for (const Case& c : cases)
      for (Task& task : TasksOf(c))
        if (task.Name().find(options.only) != std::string::npos) tasks.push_back(std::move(task));
  }
  return Drawn(std::move(tasks), options);
}

int Summary(std::vector<Score> scores, size_t skipped, const Options& options) {
  if (scores.empty()) {
    fmt::print("nothing could be run here\n");
    return 77;
  }
  const auto share = [&](bool Score::*what) {
    return static_cast<double>(std::count_if(scores.begin(), scores.end(),
                                             [&](const Score& score) { return score.*what; })) /
           static_cast<double>(scores.size());
  };
  std::vector<int> starts;
  for (const Score& score : scores) starts.push_back(score.starts);
  std::sort(starts.begin(), starts.end());
  const int median = starts[starts.size() / 2];
  const int most = starts[(starts.size() - 1) * 95 / 100];
  fmt::print(
      "{} runs, {} not here\n"
      "found, no larger than the author's   {:5.1f} %   bar {:.0f} %\n"
      "first is what the author changed     {:5.1f} %   bar {:.0f} %\n"
      "starts to the first proven answer    median {}, 95th percentile {}, most {}   bars {}, {}\n",
      scores.size(), skipped, 100 * share(&Score::found), 100 * kFoundBar,
      100 * share(&Score::first), 100 * kFirstBar, median, most, starts.back(), kMedianBar,
      kMostBar);
  const bool good = share(&Score::found) >= kFoundBar &&
                    (options.found_alone || share(&Score::first) >= kFirstBar) &&
                    median <= kMedianBar && most <= kMostBar;
  return good ? 0 : 1;
}

Result<int> Evaluate(const Options& options) {
  TRY(const std::vector<Task> tasks, AllTasks(options));
  TRY(const Workspace workspace, Workspace::Enter(ProbeIsolation(), false));
  CaseRunner runner(workspace, FindRecorders(), false);
  TRY(const ProposalContext knowledge, ProposalContext::Read(FindCatalog({})));
  std::vector<Score> scores;
  size_t skipped = 0;
  for (const Task& task : tasks) {
    const Result<Score> score = Try(task, knowledge, runner, options);
    if (score)
      scores.push_back(*score);
    else
      fmt::print("skip   {}: {}\n", task.Name(), score.error().message), ++skipped;
  }
  return Summary(std::move(scores), skipped, options);
}

}  // namespace
}  // namespace gpustage

int main(int argc, char** argv) {
  gpustage::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--gate") options.found_alone = value == "found";
    if (name == "--share") options.share = std::atof(value.c_str());
    if (name == "--seed") options.seed = static_cast<unsigned>(std::atoi(value.c_str()));
    if (name == "--only") options.only = value;
    if (name == "--jobs") options.jobs = std::atoi(value.c_str());
    if (name == "--budget") options.budget = std::atoi(value.c_str());
  }
  const gpustage::Result<int> status = gpustage::Evaluate(options);
  if (status) return *status;
  fmt::print("{}\n", status.error().message);
  return 77;
}
