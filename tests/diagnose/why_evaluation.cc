// How good `why` is, measured on every scenario that says what mends it. The machine is flattened
// first, so that undoing the author's own lines is no way.
//
//   why_evaluation [--share PERCENT] [--seed N] [--only TEXT] [--jobs N] [--budget N]
//   [--again N]
//
// Prints a line a run and the shares; exits with 1 when one is below its bar, 77 when nothing could
// be run here.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <set>

#include "harness/base/files.h"
#include "harness/diagnose/why.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"
#include "harness/verdict/verdict.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

constexpr double kFoundBar = 0.95, kAfterBar = 0.85, kFirstBar = 0.90;
constexpr int kMedianBar = 40, kMostBar = 120;

struct Options {
  double share = 100;
  size_t again = 0;  // so many of the proven answers of a run are proven again, by the test
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
  bool named = false;  // the chain of losses names what the author changed
  bool again = true;   // what was called proven was, once more, from scratch
  bool after = false;  // its scenario was written after `why` was
  int starts = 0;      // to the first answer, with its proof
};

const RunSpec& Before(const Task& task) { return task.c.runs[task.run]; }
const RunSpec& After(const Task& task) { return task.c.runs[task.fixed]; }

// What the fix is expected to count; null: something else than a count is to flip.
const CountRange* CountOf(const Task& task) {
  for (const Expectation* expectation : ExpectationsFor(task.c, After(task)))
    for (const Claim& claim : expectation->claims)
      if (const auto* devices = std::get_if<DevicesClaim>(&claim.what)) return &devices->count;
  return nullptr;
}

std::vector<Task> TasksOf(const Case& c) {
  std::vector<Task> tasks;
  for (size_t i = 0; i < c.runs.size(); ++i)
    for (size_t k = 0; k < c.runs.size(); ++k)
      if (c.runs[k].fixed && !c.runs[i].fixed && c.runs[k].name == c.runs[i].name + kFixedSuffix &&
          c.runs[i].scanner.missing.empty()) {
        Task task{c, i, k};
        if (CountOf(task) != nullptr) tasks.push_back(std::move(task));
      }
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

bool OtherGroups(const Task& task) { return Before(task).groups != After(task).groups; }
bool OtherScanner(const Task& task) {
  return Before(task).scanner.version != After(task).scanner.version;
}

int SizeOfFix(const Task& task) {
  const size_t of_machine = After(task).machine ? After(task).machine->keys.size() : 0;
  return static_cast<int>(FixOf(task.c).size() + VariablesOfFix(task).size() + of_machine) +
         OtherUser(task) + OtherGroups(task) + OtherScanner(task);
}

bool Satisfies(const Task& task, const std::optional<int64_t>& count) {
  const CountRange* const wanted = CountOf(task);
  return count && wanted != nullptr && wanted->at_least <= *count &&
         (!wanted->at_most || *wanted->at_most >= *count);
}

std::string PathOf(const TreeOp& op) {
  return std::visit([](const auto& what) { return what.path; }, op.what);
}

// "cuda_v12/libcudart" of "/…/cuda_v12/libcudart.so.12.8.90": a library by any of its names.
std::string Family(const std::string& path) {
  const std::string name = BaseNameOf(path);
  return BaseNameOf(ParentOf(path)) + "/" + name.substr(0, name.find(".so"));
}

// Scenarios with a fix that stood when `why` was written.
const std::set<std::string>& WrittenBefore() {
  static const std::set<std::string> names = [] {
    std::set<std::string> read;
    std::ifstream file(GPUSTAGE_BEFORE_WHY);
    for (std::string name; std::getline(file, name);) read.insert(name);
    return read;
  }();
  return names;
}

bool IsAbout(const Intervention& change, const Task& task, const FlatCase& flat) {
  const auto variables = VariablesOfFix(task);
  const bool variable = std::any_of(variables.begin(), variables.end(),
                                    [&](const EnvVar& one) { return one.name == change.subject; });
  if (variable || (change.kind == Kind::kUser && OtherUser(task)) ||
      (change.kind == Kind::kGroup && OtherGroups(task)) ||
      (change.kind == Kind::kScanner && OtherScanner(task)) ||
      (IsOfMachine(change) && After(task).machine))
    return true;
  for (const TreeOp& op : FixOf(task.c)) {
    const std::string path = PathOf(op);
    if (path == change.subject || Family(path) == Family(change.subject) ||
        RealPath(flat.tree, path) == RealPath(flat.tree, change.subject) ||
        change.subject.starts_with(path + "/") ||
        (change.subject.ends_with('*') &&
         path.starts_with(change.subject.substr(0, change.subject.size() - 1))) ||
        change.entries.count(path) != 0)
      return true;
    // A fault, or an answer of the machine: in a scenario's fix another copy answers otherwise.
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    if (placed != nullptr && placed->machine && IsOfMachine(change)) return true;
  }
  return false;
}

// Whether the chain of losses names what the author changed.
bool ChainNames(const RunLoss& loss, const Task& task, const FlatCase& flat) {
  for (const EnvVar& variable : VariablesOfFix(task))
    if (IsNamed(loss, flat.tree, variable.name)) return true;
  const std::vector<TreeOp> ops = FixOf(task.c);
  return std::any_of(ops.begin(), ops.end(),
                     [&](const TreeOp& op) { return IsNamed(loss, flat.tree, PathOf(op)); });
}

// Nothing that `why` did or kept is used: each machine is made again.
bool IsAgain(const FlatCase& flat, const Mending& answer, const WhyReport& report,
             CaseRunner& runner) {
  FlatCase mended = flat;
  for (const Intervention& change : answer.changes) Apply(change, mended);
  Trials trials(runner, 1, 0, nullptr);
  const auto comes = [&](const std::optional<int64_t>& count) {
    return IsBetter(count, report.before, report.there);
  };
  const auto with = trials.Again(mended, 3), without = trials.Again(flat, 3);
  return std::all_of(with.begin(), with.end(), comes) &&
         std::none_of(without.begin(), without.end(), comes);
}

bool AllAgain(const FlatCase& flat, const WhyReport& report, CaseRunner& runner,
              const Options& options) {
  const size_t count = std::min(options.again, report.answers.size());
  return std::all_of(report.answers.begin(), report.answers.begin() + static_cast<long>(count),
                     [&](const Mending& answer) { return IsAgain(flat, answer, report, runner); });
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
  score.named = ChainNames(report.looked.loss, task, flat);
  score.after = !WrittenBefore().count(task.c.scenario);
  score.again = AllAgain(flat, report, runner, options);
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
  fmt::print("{}  {}  {}  {:3} starts of {:3}  {}: {}{}\n", score.found ? "found" : "-----",
             score.first ? "first" : "-----", score.named ? "named" : "     ", score.starts,
             report.starts, score.name, first, report.healthy ? " (healthy)" : "");
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

// By how much a share of `count` may fall below the bar by chance, when 95 % is true: three
// standard deviations, so that a sample fails for a reason.
double Slack(double bar, size_t count, const Options& options) {
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
bool Tell(const std::vector<Score>& scores, const Line& line, const Options& options) {
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

int Summary(const std::vector<Score>& scores, size_t skipped, const Options& options) {
  if (scores.empty()) {
    fmt::print("nothing could be run here\n");
    return 77;
  }
  std::vector<int> starts;
  for (const Score& score : scores) starts.push_back(score.starts);
  std::sort(starts.begin(), starts.end());
  const int median = starts[starts.size() / 2];
  const int most = starts[(starts.size() - 1) * 95 / 100];
  fmt::print("{} runs, {} not here\n", scores.size(), skipped);
  bool good = true;
  for (const Line& line :
       {Line{"found, no larger than the author's", kFoundBar, &Score::found, nullptr},
        Line{"the same, written after why was", kAfterBar, &Score::found, &Score::after},
        Line{"first is the cause, where the chain names it", kFirstBar, &Score::first,
             &Score::named},
        Line{"first is what the author changed", 0, &Score::first, nullptr},
        Line{"proven answers, again 3 of 3 both ways", 1, &Score::again, nullptr}})
    good = Tell(scores, line, options) && good;
  fmt::print(
      "starts to the first proven answer    median {}, 95th percentile {}, most {}   bars {}, {}\n",
      median, most, starts.back(), kMedianBar, kMostBar);
  return good && median <= kMedianBar && (most <= kMostBar || options.share < 100) ? 0 : 1;
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
    if (name == "--again") options.again = static_cast<size_t>(std::atoi(value.c_str()));
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
