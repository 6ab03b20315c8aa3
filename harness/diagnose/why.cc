#include "harness/diagnose/why.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <limits>

#include "harness/base/files.h"
#include "harness/diagnose/least.h"
#include "harness/diagnose/rank.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

// So many are started before anybody looks at what they gave: the same with every number of jobs.
constexpr size_t kBatch = 8;
constexpr size_t kMostChanges = 3;
constexpr size_t kMostFromOneState = 24;
// Before faults are opened, so many starts go to what new failures point to.
constexpr int kMostPointed = 32;
constexpr size_t kMostLate = 32;

// Of a path that some process must look at, or it changes nothing.
bool HasOnePath(const Intervention& change) {
  return change.kind >= Kind::kLink && change.kind <= Kind::kChmod &&
         change.kind != Kind::kInstallAll && change.kind != Kind::kSearch &&
         change.kind != Kind::kRefreshCache && !change.subject.ends_with('*');
}

bool IsLastResort(const Intervention& change) {
  return IsOfMachine(change) || change.kind == Kind::kUser || change.kind == Kind::kScanner;
}

struct Change {
  Intervention what;
  FlatCase flat;
  AttemptResult trial;
};

// A machine that still fails, and otherwise than before.
struct State {
  std::vector<Intervention> changes;
  FlatCase flat;
  SeenByRun looked;
  int progress = 0;
  bool pointed = false;  // what the new failure points to was tried
  bool whole = false;    // all was
};

int Progress(const Evidence& evidence) {
  int furthest = -1;
  for (const FunnelRow& row : evidence.funnel)
    if (row.reached) furthest = std::max(furthest, static_cast<int>(*row.reached));
  return furthest;
}

class Search {
 public:
  Search(const FlatCase& flat, const ProposalContext& knowledge, CaseRunner& runner,
         const WhyOptions& options)
      : flat_(flat),
        knowledge_{knowledge.packages.For(flat.c.machine), knowledge.devices, knowledge.scanners},
        options_(options),
        trials_(runner, options.jobs, options.budget, options.stop) {}

  Result<WhyReport> Go() {
    const AttemptResult base = trials_.Explained(flat_);
    if (!base->failure.empty()) return Error{base->failure};
    report_.before = counted_ = base->count;
    report_.looked = LookedAt(base->evidence, flat_.tree);
    report_.there = DevicesFor(flat_.c.machine, report_.looked);
    if (const EventId event = report_.looked.loss.event; event > 0)
      report_.event = ToString(base->evidence.At(event));
    SetWanted(options_, base->evidence, report_);
    trials_.MeasureBy(report_.goal);
    if (report_.healthy) {
      if (options_.weigh) Weigh(flat_);
    } else {
      signature_ = Signature(report_.looked);
      progress_ = Progress(base->evidence);
      Mend();
      found_ = Ranked(std::move(found_), report_, flat_.tree);
      Prove();
      if (options_.weigh && !report_.answers.empty()) Weigh(Mended(report_.answers.front()));
    }
    report_.starts = trials_.starts();
    report_.proof_starts = trials_.proof_starts();
    report_.whole = !trials_.IsSpent();
    report_.interrupted = trials_.IsStopped();
    return std::move(report_);
  }

 private:
  // None: not too many were counted.
  std::optional<int64_t> MostWanted() const {
    std::optional<int64_t> most = report_.goal.empty() ? report_.wanted.at_most : std::nullopt;
    for (const Claim& claim : report_.goal)
      if (const auto* devices = std::get_if<DevicesClaim>(&claim.what))
        most = devices->count.at_most;
    return counted_ && most && *counted_ > *most ? most : std::nullopt;
  }

  FlatCase Mended(const Mending& answer) const {
    FlatCase flat = flat_;
    for (const Intervention& change : answer.changes) Apply(change, flat);
    return flat;
  }

  void Mend() {
    const std::vector<Intervention> all = Propose(flat_, report_.looked, knowledge_, MostWanted());
    std::vector<Intervention> usual, last;
    for (const Intervention& change : all) (IsLastResort(change) ? last : usual).push_back(change);
    const State start{{}, flat_, report_.looked, 0};
    known_ = all;
    Try(start, usual, usual.size());
    Chain(&State::pointed);
    if (found_.empty()) Merge(usual);
    // Only then what no user can change, and root, who may do everything.
    if (found_.empty()) Try(start, last, last.size());
    if (found_.empty()) Try(start, ProposeLate(flat_, report_.looked, knowledge_), kMostLate);
    if (found_.empty()) Chain(&State::whole);
  }

  // All that tells the machine from a healthy one, at once; where that brings it back, less and
  // less of it. What alone changes nothing that can be seen is found so, too.
  void Merge(const std::vector<Intervention>& all) {
    const auto with = [&](const std::vector<Intervention>& changes) {
      FlatCase flat = flat_;
      for (const Intervention& change : changes) Apply(change, flat);
      return flat;
    };
    const auto holds = [&](const std::vector<Intervention>& changes) {
      const AttemptResult result = trials_.Run({with(changes)}).front();
      return result && IsBetter(result->count, report_.before, report_.wanted);
    };
    std::vector<Intervention> merged = TowardsHealthy(all, flat_);
    if (merged.size() < 2 || trials_.IsSpent() || !holds(merged)) return;
    merged = LeastOf(std::move(merged), holds, [&] { return trials_.IsSpent(); });
    const AttemptResult result = trials_.Run({with(merged)}).front();
    if (result) Found(std::move(merged), result->count, trials_.starts());
  }

  // One change more in this state, each.
  void Try(const State& state, const std::vector<Intervention>& all, size_t most) {
    std::vector<Change> batch;
    size_t started = 0;
    for (const Intervention& what : all) {
      if (trials_.IsSpent() || started >= most) break;
      Change change{what, state.flat, nullptr};
      if (!Apply(what, change.flat)) continue;
      if (HasOnePath(what) && !CouldSee(state.looked, state.flat.tree, what.subject)) {
        ++report_.unseen;
        continue;
      }
      ++report_.tried;
      ++started;
      batch.push_back(std::move(change));
      if (batch.size() == kBatch) Finish(state, batch);
    }
    Finish(state, batch);
  }

  void Finish(const State& state, std::vector<Change>& batch) {
    std::vector<FlatCase> machines;
    for (const Change& change : batch) machines.push_back(change.flat);
    const int before = trials_.starts();
    const std::vector<AttemptResult> results = trials_.Run(machines);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (!results[i] || !results[i]->failure.empty()) continue;
      std::vector<Intervention> changes = state.changes;
      changes.push_back(batch[i].what);
      if (IsBetter(results[i]->count, report_.before, report_.wanted)) {
        Found(std::move(changes), results[i]->count,
              std::min(before + static_cast<int>(i) + 1, trials_.starts()));
      } else if (changes.size() < kMostChanges) {
        SeenByRun looked = LookedAt(results[i]->evidence, batch[i].flat.tree);
        const std::string signature = Signature(looked);
        if (signature != signature_ && !IsKnownState(signature))
          states_.push_back({std::move(changes), std::move(batch[i].flat), std::move(looked),
                             Progress(results[i]->evidence), false, false});
      }
    }
    batch.clear();
    if (options_.progress)
      options_.progress(trials_.starts(), found_.empty() ? nullptr : &found_.front());
  }

  bool IsKnownState(const std::string& signature) {
    if (std::find(signatures_.begin(), signatures_.end(), signature) != signatures_.end())
      return true;
    signatures_.push_back(signature);
    return false;
  }

  // Changes that alone do not mend it and let it fail otherwise: what the new failure points to
  // comes next, and at the end every second change.
  void Chain(bool State::*done) {
    const bool only_new = done == &State::pointed;
    const int most = only_new ? trials_.starts() + kMostPointed : options_.budget;
    while (!trials_.IsSpent() && trials_.starts() < most) {
      State* best = nullptr;
      for (State& state : states_)
        if (!(state.*done) && state.changes.size() + 1 < Smallest() &&
            (!only_new || PointsOn(state)) && (best == nullptr || IsNearer(state, *best)))
          best = &state;
      if (best == nullptr) return;
      best->*done = true;
      const State state = *best;  // more of them are found on the way
      std::vector<Intervention> all = Propose(state.flat, state.looked, knowledge_, MostWanted());
      std::erase_if(all, [&](const Intervention& change) {
        const bool touched = std::any_of(
            state.changes.begin(), state.changes.end(),
            [&](const Intervention& before) { return before.subject == change.subject; });
        // The first failure pointed to it as much as this one does.
        const bool old = std::any_of(known_.begin(), known_.end(), [&](Intervention before) {
          const bool as_near = before.tier <= change.tier;
          before.tier = change.tier;
          return as_near && before == change;
        });
        return touched || (only_new && (old || change.tier > kOtherDirectory));
      });
      Try(state, all, only_new ? kMostFromOneState : all.size());
    }
  }

  // A folder of a package is one change to try and many to make: two of another kind are smaller.
  size_t Smallest() const {
    size_t smallest = std::numeric_limits<size_t>::max();
    for (const Mending& answer : found_)
      smallest = std::min(smallest, static_cast<size_t>(answer.size));
    return smallest;
  }

  // Whether it came at least as far, and its failure is not what was done to it.
  bool PointsOn(const State& state) const {
    return state.progress >= progress_ && state.changes.back().kind != Kind::kRemove;
  }

  static bool IsNearer(const State& a, const State& b) {
    if (a.progress != b.progress) return a.progress > b.progress;
    if (a.changes.size() != b.changes.size()) return a.changes.size() < b.changes.size();
    return a.changes.back().tier < b.changes.back().tier;
  }

  void Found(std::vector<Intervention> changes, std::optional<int64_t> after, int at) {
    Mending answer;
    answer.changes = Minimal(std::move(changes));
    answer.after = after;
    answer.found_at = at;
    FlatCase flat = flat_;
    for (const Intervention& change : answer.changes) {
      answer.size += SizeOf(change, flat);
      Apply(change, flat);
    }
    if (report_.first_answer_at == 0) report_.first_answer_at = at;
    found_.push_back(std::move(answer));
  }

  std::optional<int64_t> CountWithout(std::vector<Intervention> changes, size_t which) {
    changes.erase(changes.begin() + static_cast<ptrdiff_t>(which));
    FlatCase flat = flat_;
    for (const Intervention& change : changes) Apply(change, flat);
    const AttemptResult result = trials_.Run({flat}).front();
    return result ? result->count : std::nullopt;
  }

  // Without those that are not needed.
  std::vector<Intervention> Minimal(std::vector<Intervention> changes) {
    for (size_t i = 0; changes.size() > 1 && i < changes.size();) {
      if (IsBetter(CountWithout(changes, i), report_.before, report_.wanted)) {
        changes.erase(changes.begin() + static_cast<ptrdiff_t>(i));
        i = 0;
      } else {
        ++i;
      }
    }
    return changes;
  }

  void Prove() {
    if (found_.empty()) return;
    const std::string& program = flat_.c.runs.front().scanner.name;
    const std::string service = program.starts_with("ollama") ? "ollama" : "";
    const auto without = trials_.Again(flat_, options_.rounds);
    const auto lost = std::count_if(without.begin(), without.end(), [&](const auto& count) {
      return !IsBetter(count, report_.before, report_.wanted);
    });
    for (Mending& answer : found_) {
      if (report_.answers.size() >= static_cast<size_t>(options_.most_answers)) break;
      // Who wants an end is told the best.
      if (trials_.IsStopped() && !report_.answers.empty()) break;
      const auto with = trials_.Again(Mended(answer), options_.rounds);
      answer.rounds = options_.rounds;
      answer.lost_again = static_cast<int>(lost);
      answer.came_back =
          static_cast<int>(std::count_if(with.begin(), with.end(), [&](const auto& count) {
            return IsBetter(count, report_.before, report_.wanted);
          }));
      for (size_t i = 0; answer.changes.size() > 1 && i < answer.changes.size(); ++i)
        answer.without.push_back(CountWithout(answer.changes, i));
      FlatCase flat = flat_;
      for (const Intervention& change : answer.changes) {
        answer.commands.push_back(CommandsFor(change, flat, service));
        Apply(change, flat);
      }
      (answer.IsProven() ? report_.answers : report_.consistent).push_back(std::move(answer));
    }
  }

  // In a machine that works: what it depends on, and what does not matter.
  void Weigh(const FlatCase& works) {
    std::optional<int64_t> usual = report_.before;
    if (!report_.healthy) usual = report_.answers.front().after;
    std::vector<Intervention> all;
    for (const EnvVar& variable : works.c.env)
      if (variable.value && variable.name != "PATH" && variable.name != "HOME" &&
          variable.name != "LANG")
        all.push_back(Of(Kind::kUnsetVariable, variable.name));
    for (const auto& [path, entry] : works.tree)
      if (entry.kind != FlatEntry::Kind::kDirectory && entry.kind != FlatEntry::Kind::kAbsent &&
          CouldSee(report_.looked, works.tree, path))
        all.push_back(Of(Kind::kRemove, path));
    for (size_t start = 0; start < all.size() && !trials_.IsSpent(); start += kBatch) {
      std::vector<FlatCase> machines;
      const size_t end = std::min(start + kBatch, all.size());
      for (size_t i = start; i < end; ++i) Apply(all[i], machines.emplace_back(works));
      const std::vector<AttemptResult> results = trials_.Run(machines);
      for (size_t i = start; i < end; ++i)
        if (const AttemptResult& result = results[i - start]; result && result->failure.empty())
          report_.influence.push_back({all[i], result->count, result->count != usual});
      if (options_.progress)
        options_.progress(trials_.starts(),
                          report_.answers.empty() ? nullptr : &report_.answers.front());
    }
  }

  static Intervention Of(Kind kind, const std::string& subject) {
    Intervention change;
    change.kind = kind;
    change.subject = subject;
    return change;
  }

  const FlatCase& flat_;
  const ProposalContext knowledge_;
  const WhyOptions& options_;
  Trials trials_;
  WhyReport report_;
  std::optional<int64_t> counted_;  // devices, by the first run
  std::string signature_;
  int progress_ = -1;
  std::vector<Intervention> known_;  // what the first run pointed to
  std::vector<std::string> signatures_;
  std::deque<State> states_;
  std::vector<Mending> found_;
};

}  // namespace

Result<WhyReport> Why(const FlatCase& flat, const ProposalContext& knowledge, CaseRunner& runner,
                      const WhyOptions& options) {
  return Search(flat, knowledge, runner, options).Go();
}

}  // namespace gpustage
