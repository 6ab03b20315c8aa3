#include "harness/report/repeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "harness/verdict/distribution.h"

namespace gpustage {
namespace {

RepeatedAnswer AnswerOf(const ReportedRun& run) {
  return {1, ToString(run.verdict), run.device_count, run.lost_at};
}

bool IsSame(const RepeatedAnswer& a, const RepeatedAnswer& b) {
  return a.verdict == b.verdict && a.device_count == b.device_count && a.lost_at == b.lost_at;
}

// Nothing differs but the number of devices, and what goes with it.
bool IsOfCountsOnly(const std::vector<RepeatedAnswer>& answers) {
  for (size_t i = 0; i < answers.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (answers[i].verdict != answers[j].verdict ||
          answers[i].device_count == answers[j].device_count)
        return false;
  return true;
}

// The run that passed whenever it was started fails when the counts are not distributed as stated.
void Hold(const std::vector<const Claim*>& distributions,
          const std::vector<RepeatedAnswer>& answers, ReportedRun& run) {
  std::map<int64_t, int> starts;
  for (const RepeatedAnswer& answer : answers)
    starts[answer.device_count.value_or(0)] += answer.times;
  for (const Claim* distribution : distributions) {
    const Check check = CheckDistribution(*distribution, starts);
    run.because = check.seen;
    if (check.ok) continue;
    run.verdict = VerdictKind::kFail;
    run.unmet.push_back({check.expected, check.seen, false, "", check.pos->file, check.pos->line,
                         check.pos->column});
    return;
  }
}

std::string WhatDiffers(const std::vector<RepeatedAnswer>& answers) {
  const auto differ = [&](auto member) {
    return std::any_of(answers.begin(), answers.end(), [&](const RepeatedAnswer& a) {
      return a.*member != answers.front().*member;
    });
  };
  std::vector<std::string> words;
  if (differ(&RepeatedAnswer::verdict)) words.emplace_back("the verdict");
  if (differ(&RepeatedAnswer::device_count)) words.emplace_back("the number of devices");
  if (differ(&RepeatedAnswer::lost_at)) words.emplace_back("where a device is lost");
  if (words.size() == 1) return words.front() + " differs";
  const std::string last = std::exchange(words.back(), "");
  words.pop_back();
  return fmt::format("{} and {} differ", fmt::join(words, ", "), last);
}

}  // namespace

namespace {

// With the step of the loss also where devices were found all the same.
std::string WholeAnswer(const RepeatedAnswer& answer) {
  std::string text = answer.verdict;
  if (answer.device_count)
    text +=
        fmt::format(", {} device{}", *answer.device_count, *answer.device_count == 1 ? "" : "s");
  if (answer.lost_at) text += fmt::format(", lost at \"{}\"", *answer.lost_at);
  return text;
}

}  // namespace

std::string AnswerText(const RepeatedAnswer& answer) {
  RepeatedAnswer told = answer;
  if (answer.verdict == ToString(VerdictKind::kPass) && answer.device_count.value_or(0) > 0)
    told.lost_at.reset();
  return WholeAnswer(told);
}

std::string AnswersText(const std::vector<RepeatedAnswer>& answers) {
  std::set<std::string> texts;
  for (const RepeatedAnswer& answer : answers) texts.insert(AnswerText(answer));
  const bool tells_apart = texts.size() == answers.size();
  std::string text;
  for (const RepeatedAnswer& answer : answers)
    text += fmt::format("{}{} × {}", text.empty() ? "" : "; ", answer.times,
                        tells_apart ? AnswerText(answer) : WholeAnswer(answer));
  return text;
}

bool Repeats::Add(ReportedRun start) {
  const auto rank = [](const ReportedRun& run) {
    return IsBad(run.verdict) ? 2 : run.verdict == VerdictKind::kSkip ? 0 : 1;
  };
  std::vector<RepeatedAnswer>& answers = rank(start) == 0 ? skipped_ : ran_;
  const RepeatedAnswer answer = AnswerOf(start);
  const auto known = std::find_if(answers.begin(), answers.end(),
                                  [&](const RepeatedAnswer& a) { return IsSame(a, answer); });
  if (known == answers.end())
    answers.push_back(answer);
  else
    ++known->times;
  if (told_ && rank(start) <= rank(*told_)) return false;
  told_ = std::move(start);
  return true;
}

ReportedRun Repeats::Told(const std::vector<const Claim*>& distributions) && {
  std::vector<RepeatedAnswer> answers = std::move(ran_.empty() ? skipped_ : ran_);
  int count = 0;
  for (const RepeatedAnswer& answer : answers) count += answer.times;
  ReportedRun run = *std::move(told_);
  if (answers.size() > 1 && (distributions.empty() || !IsOfCountsOnly(answers))) {
    run.verdict = VerdictKind::kFlaky;
    run.because =
        fmt::format("in {} starts {}: {}", count, WhatDiffers(answers), AnswersText(answers));
  } else if (count > 1 && run.verdict == VerdictKind::kPass) {
    Hold(distributions, answers, run);
  }
  if (count > 1) run.answers = std::move(answers);
  return run;
}

}  // namespace gpustage
