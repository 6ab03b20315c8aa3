#include "harness/report/repeats.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gpustage {
namespace {

RepeatedAnswer AnswerOf(const ReportedRun& run) {
  return {1, ToString(run.verdict), run.device_count, run.lost_at};
}

bool IsSame(const RepeatedAnswer& a, const RepeatedAnswer& b) {
  return a.verdict == b.verdict && a.device_count == b.device_count && a.lost_at == b.lost_at;
}

std::string WhatDiffers(const std::vector<RepeatedAnswer>& answers) {
  const auto differ = [&](auto member) {
    return std::any_of(answers.begin(), answers.end(), [&](const RepeatedAnswer& a) { return a.*member != answers.front().*member; });
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

std::string AnswerText(const RepeatedAnswer& answer) {
  std::string text = answer.verdict;
  if (answer.device_count) text += fmt::format(", {} device{}", *answer.device_count, *answer.device_count == 1 ? "" : "s");
  if (answer.lost_at) text += fmt::format(", lost at \"{}\"", *answer.lost_at);
  return text;
}

Repeated Combine(std::vector<ReportedRun> starts) {
  // One that the deadline kept from starting says nothing beside those that ran.
  const bool any_ran = std::any_of(starts.begin(), starts.end(), [](const ReportedRun& run) { return run.verdict != VerdictKind::kSkip; });
  std::vector<RepeatedAnswer> answers;
  int count = 0;
  for (const ReportedRun& run : starts) {
    if (any_ran && run.verdict == VerdictKind::kSkip) continue;
    ++count;
    const RepeatedAnswer answer = AnswerOf(run);
    const auto known = std::find_if(answers.begin(), answers.end(), [&](const RepeatedAnswer& a) { return IsSame(a, answer); });
    if (known == answers.end())
      answers.push_back(answer);
    else
      ++known->times;
  }
  const auto bad = std::find_if(starts.begin(), starts.end(), [](const ReportedRun& run) { return IsBad(run.verdict); });
  const auto first = std::find_if(starts.begin(), starts.end(), [&](const ReportedRun& run) { return !any_ran || run.verdict != VerdictKind::kSkip; });
  const auto told = bad == starts.end() ? first : bad;
  const size_t start = static_cast<size_t>(told - starts.begin());
  Repeated repeated = {std::move(*told), start};
  if (answers.size() > 1) {
    std::string shares;
    for (const RepeatedAnswer& answer : answers) shares += fmt::format("{}{} × {}", shares.empty() ? "" : "; ", answer.times, AnswerText(answer));
    repeated.run.verdict = VerdictKind::kFlaky;
    repeated.run.because = fmt::format("in {} starts {}: {}", count, WhatDiffers(answers), shares);
  }
  if (count > 1) repeated.run.answers = std::move(answers);
  return repeated;
}

}  // namespace gpustage
