#include "tests/diagnose/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>

#include "harness/base/files.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

const RunSpec& Before(const Task& task) { return task.c.runs[task.run]; }
const RunSpec& After(const Task& task) { return task.c.runs[task.fixed]; }

}  // namespace

std::optional<CountRange> CountOf(const Task& task) { return ExpectedCount(task.c, After(task)); }
Goal GoalOf(const Task& task) { return ExpectedOf(task.c, After(task)); }

std::vector<Task> TasksOf(const Case& c) {
  std::vector<Task> tasks;
  for (size_t i = 0; i < c.runs.size(); ++i)
    for (size_t k = 0; k < c.runs.size(); ++k)
      if (c.runs[k].fixed && !c.runs[i].fixed && c.runs[k].name == c.runs[i].name + kFixedSuffix &&
          c.runs[i].scanner.missing.empty()) {
        Task task{c, i, k};
        if (CountOf(task) || !GoalOf(task).empty()) tasks.push_back(std::move(task));
      }
  return tasks;
}

namespace {

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
  return Before(task).scanner.name != After(task).scanner.name ||
         Before(task).scanner.version != After(task).scanner.version;
}

}  // namespace

int SizeOfFix(const Task& task) {
  const size_t of_machine = After(task).machine ? After(task).machine->keys.size() : 0;
  return static_cast<int>(FixOf(task.c).size() + VariablesOfFix(task).size() + of_machine) +
         OtherUser(task) + OtherGroups(task) + OtherScanner(task);
}

std::vector<std::string> WordsOfFix(const Task& task) {
  std::vector<std::string> words;
  for (const TreeOp& op : FixOf(task.c)) words.push_back(ToString(op));
  for (const EnvVar& variable : VariablesOfFix(task))
    words.push_back(variable.value ? "set " + variable.name + "=" + *variable.value
                                   : "unset " + variable.name);
  if (After(task).machine)
    for (const std::string& key : After(task).machine->keys) words.push_back("machine: " + key);
  if (OtherUser(task)) words.push_back("user " + After(task).user.value_or(task.c.user));
  if (OtherGroups(task)) words.push_back("groups");
  if (OtherScanner(task)) words.push_back("scanner " + After(task).scanner.version);
  return words;
}

namespace {

// What the case expects of the run before the fix no longer holds, in the fix's direction.
bool Flips(const Task& task, const WhyReport& report, const std::optional<int64_t>& after) {
  if (!report.goal.empty()) return after == 1;
  const std::optional<CountRange> expected = ExpectedCount(task.c, Before(task));
  if (!after || (expected && expected->Contains(*after))) return false;
  return IsBetter(after, report.before, *CountOf(task));
}

std::string PathOf(const TreeOp& op) {
  return std::visit([](const auto& what) { return what.path; }, op.what);
}

// "cuda_v12/libcudart" of "/…/cuda_v12/libcudart.so.12.8.90": a library by any of its names.
std::string Family(const std::string& path) {
  const std::string name = BaseNameOf(path);
  return BaseNameOf(ParentOf(path)) + "/" + name.substr(0, name.find(".so"));
}

// Names of scenarios, a line each.
std::set<std::string> NamesOf(const char* list) {
  std::set<std::string> read;
  std::ifstream file(list);
  for (std::string name; std::getline(file, name);)
    if (!name.starts_with('#')) read.insert(name);
  return read;
}

// Those with a fix that stood when `why` was written.
bool IsWrittenAfter(const std::string& scenario) {
  static const std::set<std::string> before = NamesOf(GPUSTAGE_BEFORE_WHY);
  return before.count(scenario) == 0;
}
bool IsUnseen(const std::string& scenario) {
  static const std::set<std::string> seen = NamesOf(GPUSTAGE_IN_VIEW);
  return seen.count(scenario) == 0;
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
        (change.kind == Kind::kKernelShows && path.starts_with(change.subject + "/")) ||
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
bool AllAgain(const FlatCase& flat, const WhyReport& report, CaseRunner& runner,
              const EvaluationOptions& options) {
  Trials trials(runner, options.jobs, 0, nullptr);
  trials.MeasureBy(report.goal);
  const auto comes = [&](const std::optional<int64_t>& count) {
    return IsBetter(count, report.before, report.wanted);
  };
  const size_t count = std::min(options.again, report.answers.size());
  if (count == 0) return true;
  const auto without = trials.Again(flat, 3);
  if (std::any_of(without.begin(), without.end(), comes)) return false;
  return std::all_of(report.answers.begin(), report.answers.begin() + static_cast<long>(count),
                     [&](const Mending& answer) {
                       FlatCase mended = flat;
                       for (const Intervention& change : answer.changes) Apply(change, mended);
                       const auto with = trials.Again(mended, 3);
                       return std::all_of(with.begin(), with.end(), comes);
                     });
}

// Of a machine that works no cause is told.
bool IsHealthyMended(const Task& task, WhyOptions how, const Goal& goal,
                     const ProposalContext& knowledge, CaseRunner& runner) {
  how.goal = goal;
  const Result<FlatCase> flat = Flatten(task.c, task.fixed, knowledge.packages.images(), runner);
  if (!flat) return false;
  const Result<WhyReport> report = Why(*flat, knowledge, runner, how);
  return report && report->healthy && report->answers.empty() && report->consistent.empty();
}

// A variable of which nothing but the program's own text says that there is one.
bool IsByText(const Mending& answer, const FlatCase& flat) {
  const std::vector<std::string>& text = flat.c.runs.front().args;
  return std::any_of(answer.changes.begin(), answer.changes.end(), [&](const auto& change) {
    return change.kind == Kind::kSetVariable && !VariableOf(flat, change.subject) &&
           std::any_of(text.begin(), text.end(), [&](const std::string& word) {
             return word.find(change.subject) != std::string::npos;
           });
  });
}

std::string WordsOf(const Mending& answer) {
  std::string words;
  for (const Intervention& change : answer.changes)
    words += (words.empty() ? "" : ", and ") + ToString(change);
  return words;
}

}  // namespace

void SayWhen(const Task& task, Score& score) {
  score.after = IsWrittenAfter(task.c.scenario);
  score.unseen = score.after && IsUnseen(task.c.scenario);
}

Result<Score> Evaluate(const Task& task, const ProposalContext& knowledge, CaseRunner& runner,
                       const EvaluationOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  TRY(const FlatCase flat, Flatten(task.c, task.run, knowledge.packages.images(), runner));
  WhyOptions how;
  how.jobs = options.jobs;
  how.budget = options.budget;
  how.weigh = false;
  how.wanted = CountOf(task);
  if (!how.wanted) how.goal = GoalOf(task);
  TRY(WhyReport report, Why(flat, knowledge, runner, how));
  // As many devices are counted: what the fix flips is another claim.
  if (report.healthy && how.goal.empty()) {
    how.goal = GoalOf(task);
    TRY(report, Why(flat, knowledge, runner, how));
  }
  if (report.healthy) return Error{"what holds after the fix holds before it"};
  Score score;
  score.name = task.Name();
  score.before = report.before;
  score.by_claims = !report.goal.empty();
  score.all_starts = report.starts;
  score.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const Mending& answer : report.answers) score.answers.push_back(WordsOf(answer));
  score.named = ChainNames(report.looked.loss, task, flat);
  score.again = AllAgain(flat, report, runner, options);
  score.mended = IsHealthyMended(task, how, report.goal, knowledge, runner);
  score.starts = report.first_answer_at + 2 * how.rounds;
  const int size = SizeOfFix(task);
  bool otherwise = false;
  for (const Mending& answer : report.answers) {
    if (answer.size > size || !Flips(task, report, answer.after)) continue;
    score.found = true;
    otherwise = otherwise || !IsByText(answer, flat);
  }
  score.by_text = score.found && !otherwise;
  for (const Intervention& change :
       report.answers.empty() ? std::vector<Intervention>() : report.answers.front().changes)
    score.first = score.first || IsAbout(change, task, flat);
  const std::string first = score.answers.empty() ? "nothing" : score.answers.front();
  fmt::print("{}  {}  {}  {:3} starts of {:3}  {}: {}{}{}{}\n", score.found ? "found" : "-----",
             score.first ? "first" : "-----", score.named ? "named" : "     ", score.starts,
             report.starts, score.name, first, report.healthy ? " (healthy)" : "",
             score.again ? "" : " (not again)", score.mended ? "" : " (mended, and not healthy)");
  std::fflush(stdout);
  return score;
}

}  // namespace gpustage
