#include "harness/diagnose/minimize.h"

#include <algorithm>

#include "harness/base/files.h"
#include "harness/diagnose/least.h"

namespace gpustage {
namespace {

// Other names of the same file keep it.
void EraseEntry(const std::string& path, FlatTree& tree) {
  const auto there = tree.find(path);
  if (there == tree.end()) return;
  std::string heir;
  if (there->second.same_as.empty())
    for (auto& [other, entry] : tree) {
      if (entry.same_as != path) continue;
      entry.same_as = heir;
      if (heir.empty()) heir = other;
    }
  tree.erase(path);
}

bool IsSetByAll(const EnvVar& variable) {
  return variable.name == "PATH" || variable.name == "HOME" || variable.name == "LANG";
}

class Minimizer {
 public:
  Minimizer(const WhyReport& report, CaseRunner& runner, const WhyOptions& options)
      : trials_(runner, options.jobs, options.budget, options.stop) {
    trials_.MeasureBy(report.goal);
    if (!report.answers.empty()) mending_ = report.answers.front();
  }

  Result<Minimized> Go(const FlatCase& flat) {
    const AttemptResult base = trials_.Run({flat}).front();
    if (!base) return Error{"the budget is too small for a single start"};
    if (!base->failure.empty()) return Error{base->failure};
    Minimized small;
    small.count = base->count;
    small.loss = LookedAt(base->evidence, flat.tree).loss;
    small.mending = mending_;
    small.parts_before = PartsOf(flat).size();
    small.flat = Smallest(flat, [&](const FlatCase& less) { return Keeps(less, small); });
    small.parts = PartsOf(small.flat).size();
    small.cause = small.loss.cause;
    if (const AttemptResult whole = trials_.Explained(small.flat); whole && whole->failure.empty())
      small.cause = LookedAt(whole->evidence, small.flat.tree).loss.cause;
    small.floor = PartsOf(Smallest(Mended(small.flat), [&](const FlatCase& less) {
                    return CountOf(less) == (mending_ ? mending_->after : small.count);
                  })).size();
    small.starts = trials_.starts();
    small.interrupted = trials_.IsSpent();
    return small;
  }

 private:
  FlatCase Mended(const FlatCase& flat) const {
    FlatCase mended = flat;
    if (mending_)
      for (const Intervention& change : mending_->changes) Apply(change, mended);
    return mended;
  }

  std::optional<int64_t> CountOf(const FlatCase& flat) {
    const AttemptResult result = trials_.Run({flat}).front();
    return result && result->failure.empty() ? result->count : std::nullopt;
  }

  // The same devices for the same reason, and the change brings as many back.
  bool Keeps(const FlatCase& less, const Minimized& of) {
    const AttemptResult broken = trials_.Run({less}).front();
    if (!broken || !broken->failure.empty() || broken->count != of.count) return false;
    if (!IsSameLoss(LookedAt(broken->evidence, less.tree).loss, of.loss)) return false;
    return !mending_ || CountOf(Mended(less)) == mending_->after;
  }

  // Until no single part can go.
  template <typename Holds>
  FlatCase Smallest(const FlatCase& flat, const Holds& holds) {
    const std::vector<Part> all = PartsOf(flat);
    const auto with = [&](const std::vector<Part>& kept) {
      std::vector<Part> left_out;
      for (const Part& part : all)
        if (std::find(kept.begin(), kept.end(), part) == kept.end()) left_out.push_back(part);
      return Without(flat, left_out);
    };
    return with(LeastOf(
        all, [&](const std::vector<Part>& kept) { return holds(with(kept)); },
        [&] { return trials_.IsSpent(); }));
  }

  Trials trials_;
  std::optional<Mending> mending_;
};

}  // namespace

std::vector<Part> PartsOf(const FlatCase& flat) {
  std::vector<Part> parts;
  for (const auto& [path, entry] : flat.tree) parts.push_back({Part::Kind::kEntry, path, 0});
  for (const EnvVar& variable : flat.c.env)
    if (variable.value && !IsSetByAll(variable))
      parts.push_back({Part::Kind::kVariable, variable.name, 0});
  for (size_t i = 0; i < flat.c.machine.faults.size(); ++i)
    parts.push_back({Part::Kind::kFault, flat.c.machine.faults[i].function, i});
  for (const std::string& group : flat.c.groups) parts.push_back({Part::Kind::kGroup, group, 0});
  return parts;
}

FlatCase Without(const FlatCase& flat, const std::vector<Part>& parts) {
  FlatCase less = flat;
  std::vector<size_t> faults;
  for (const Part& part : parts) {
    switch (part.kind) {
      case Part::Kind::kEntry: EraseEntry(part.name, less.tree); break;
      case Part::Kind::kVariable:
        std::erase_if(less.c.env, [&](const EnvVar& one) { return one.name == part.name; });
        break;
      case Part::Kind::kFault: faults.push_back(part.number); break;
      case Part::Kind::kGroup: std::erase(less.c.groups, part.name); break;
    }
  }
  for (auto number = faults.rbegin(); number != faults.rend(); ++number)
    less.c.machine.faults.erase(less.c.machine.faults.begin() + static_cast<ptrdiff_t>(*number));
  return less;
}

bool IsSameLoss(const RunLoss& a, const RunLoss& b) {
  return a.any == b.any && a.library == b.library && a.at == b.at && a.cause == b.cause &&
         a.named == b.named;
}

Result<Minimized> Minimize(const FlatCase& flat, const WhyReport& report, CaseRunner& runner,
                           const WhyOptions& options) {
  return Minimizer(report, runner, options).Go(flat);
}

}  // namespace gpustage
