#include "harness/scenario/matrix/expected.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

bool HasRun(const Case& c, const Expectation& expectation) {
  return std::any_of(c.runs.begin(), c.runs.end(), [&](const RunSpec& run) {
    return !run.fixed && (!expectation.run || IsNamed(run, *expectation.run));
  });
}

// "ollama@0.13.5" where there is an Ollama run, but of another version or none.
bool IsOfAnotherVersion(const Expectation& expectation, const std::vector<std::string>& runs) {
  const size_t at = expectation.run ? expectation.run->find('@') : std::string::npos;
  return at != std::string::npos && std::any_of(runs.begin(), runs.end(), [&](const auto& run) {
           return run.substr(0, run.find('@')) == expectation.run->substr(0, at);
         });
}

// A version of which nothing is expected here, while something is of others, is not started:
// nothing could be said of it. Whether there is one.
bool SkipOtherVersions(const std::vector<Expectation>& all, Case& c) {
  bool any = false;
  for (const Expectation& expectation : all)
    for (RunSpec& run : c.runs) {
      const auto is_of_it = [&](const Expectation& own) {
        return !own.run || IsNamed(run, *own.run);
      };
      if (!Matches(expectation.when, c.axes) || !IsOfAnotherVersion(expectation, {run.name}) ||
          std::any_of(c.expect.begin(), c.expect.end(), is_of_it))
        continue;
      any = true;
      if (run.scanner.missing.empty())
        run.scanner.missing =
            fmt::format("nothing is expected of {} here, only of {}", run.name, *expectation.run);
    }
  return any;
}

}  // namespace

Result<Expected> Expected::Read(const YamlNode& root, const Matrix& matrix, Fixtures& fixtures) {
  Expected expected;
  if (const YamlNode* expect = root.Find("expect")) {
    TRY(expected.expectations_, ReadExpectations(*expect, matrix.axes, fixtures));
    expected.expect_ = *expect;
  }
  if (const YamlNode* suspects = root.Find("suspects")) {
    TRY(expected.suspects_, ReadSuspects(*suspects, matrix.axes, fixtures));
  }
  if (const YamlNode* fix = root.Find("fix")) {
    TRY(expected.fixes_, ReadFixes(*fix, matrix.axes, fixtures));
  }
  if (const YamlNode* xfail = root.Find("xfail")) {
    // {reason: …}, and {when: …} if only some cells are known to fail.
    TRY(CheckKeys(*xfail, "xfail", {"reason", "when"}));
    TRY(const YamlNode* reason, Require(*xfail, "xfail", "reason"));
    TRY(const std::string text, ReadNonEmpty(*reason, "a reason"));
    expected.xfail_ = KnownBug{{text, reason->pos}, {}, xfail->pos};
    if (const YamlNode* when = xfail->Find("when")) {
      TRY(expected.xfail_->when, ReadCellFilter(*when, matrix.axes));
    }
  }
  return expected;
}

std::vector<const CellFilter*> Expected::Filters() const {
  std::vector<const CellFilter*> filters;
  for (const Expectation& expectation : expectations_) filters.push_back(&expectation.when);
  for (const auto* shared : {&suspects_.report, &suspects_.fixed})
    for (const Expectation& expectation : *shared) filters.push_back(&expectation.when);
  for (const Fix& fix : fixes_) {
    filters.push_back(&fix.when);
    for (const Expectation& expectation : fix.expect) filters.push_back(&expectation.when);
  }
  if (xfail_) filters.push_back(&xfail_->when);
  return filters;
}

Status Expected::AddTo(Case& c, Use* use) const {
  for (size_t i = 0; i < expectations_.size(); ++i) {
    if (!HasRun(c, expectations_[i]) || !Matches(expectations_[i].when, c.axes)) continue;
    c.expect.push_back(expectations_[i]);
    if (use != nullptr) use->expectations[i] = true;
  }
  const bool is_of_others = SkipOtherVersions(expectations_, c);
  if (expect_ && c.expect.empty() && !is_of_others)
    return ErrorAt(*expect_, fmt::format("nothing is expected of {}", c.id));
  if (!suspects_.axis.empty()) TRY(AddSuspect(suspects_, c));
  bool fixed = false;
  for (size_t i = 0; i < fixes_.size(); ++i) {
    if (!Matches(fixes_[i].when, c.axes)) continue;
    if (fixed) return Error{fmt::format("a second fix for {}", c.id), fixes_[i].pos};
    fixed = true;
    bool applies = true;
    if (fixes_[i].none.empty()) {
      TRY(applies, AddFix(fixes_[i], c));
    }
    if (use != nullptr && applies) use->fixes[i] = true;
  }
  if (!xfail_ || !Matches(xfail_->when, c.axes)) return Ok();
  c.xfail = xfail_->failure;
  if (use != nullptr) use->xfail = true;
  return Ok();
}

ExpectedCheck::ExpectedCheck(const Expected& expected)
    : expected_(expected), run_exists_(expected.expectations_.size()) {
  use_.expectations.resize(expected.expectations_.size());
  use_.fixes.resize(expected.fixes_.size());
  for (const Fix& fix : expected.fixes_) fix_run_exists_.emplace_back(fix.expect.size());
}

void ExpectedCheck::See(Case c) {
  for (const RunSpec& run : c.runs)
    if (std::find(runs_.begin(), runs_.end(), run.name) == runs_.end()) runs_.push_back(run.name);
  for (size_t i = 0; i < run_exists_.size(); ++i)
    run_exists_[i] = run_exists_[i] || HasRun(c, expected_.expectations_[i]);
  for (size_t fix = 0; fix < fix_run_exists_.size(); ++fix)
    for (size_t i = 0; i < fix_run_exists_[fix].size(); ++i)
      fix_run_exists_[fix][i] =
          fix_run_exists_[fix][i] || HasRun(c, expected_.fixes_[fix].expect[i]);
  const Status added = expected_.AddTo(c, &use_);
  if (!added && !of_a_case_) of_a_case_ = added.error();
}

Error ExpectedCheck::UnknownRun(const Expectation& expectation) const {
  YamlNode run;
  run.text = *expectation.run;
  run.pos = expectation.run_pos;
  return UnknownWord(run, "run", runs_);
}

// A wrong name of a run is told before the cases that expect nothing because of it.
Status ExpectedCheck::Finish() const {
  for (size_t i = 0; i < use_.expectations.size(); ++i) {
    if (use_.expectations[i]) continue;
    const Expectation& expectation = expected_.expectations_[i];
    if (!run_exists_[i] && IsOfAnotherVersion(expectation, runs_)) continue;
    if (run_exists_[i])
      return Error{"this expectation never applies: no case has this run in such a cell",
                   expectation.pos};
    return UnknownRun(expectation);
  }
  for (size_t fix = 0; fix < fix_run_exists_.size(); ++fix)
    for (size_t i = 0; i < fix_run_exists_[fix].size(); ++i)
      if (const Expectation& expectation = expected_.fixes_[fix].expect[i];
          !fix_run_exists_[fix][i] && !IsOfAnotherVersion(expectation, runs_) && expectation.run)
        return UnknownRun(expectation);
  TRY(CheckRuns(expected_.suspects_, runs_));
  if (of_a_case_) return *of_a_case_;
  for (size_t i = 0; i < use_.fixes.size(); ++i)
    if (!use_.fixes[i])
      return Error{"this fix never applies: no case has this run in such a cell",
                   expected_.fixes_[i].pos};
  if (expected_.xfail_ && !use_.xfail)
    return Error{"this xfail never applies: no case is in such a cell", expected_.xfail_->pos};
  return Ok();
}

}  // namespace gpustage
