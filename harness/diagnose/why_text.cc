#include <fmt/format.h>

#include <algorithm>

#include "harness/diagnose/why.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr size_t kWidth = 100;

std::string Count(const std::optional<int64_t>& count, const WhyReport& report) {
  if (!report.goal.empty()) return count == 1 ? "it is so" : "it is not so";
  if (!count) return "no count";
  return fmt::format("{} device{}", *count, *count == 1 ? "" : "s");
}

std::string Plural(int count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// In one line, however long: a command that was broken is another one.
void AddCommand(std::string& text, const std::string& label, const std::string& command) {
  text += fmt::format("     {:<11}{}\n", label, command);
}

void AddLine(std::string& text, const std::string& label, const std::string& line) {
  constexpr size_t kIndent = 16;
  text += fmt::format("     {:<11}{}\n", label, Wrapped(line, kIndent, kWidth));
}

std::string ChangesOf(const Mending& answer) {
  std::string words;
  for (const Intervention& change : answer.changes)
    words += (words.empty() ? "" : ", and ") + ToString(change);
  return words;
}

// What is to be counted, and who says so.
std::string Wanted(const WhyReport& report) {
  if (!report.asked) return fmt::format("the machine has {}", report.there);
  return ToString(report.wanted) + (report.wanted == CountRange{1, 1} ? " is" : " are") + " wanted";
}

std::string OneAnswer(const Mending& answer, size_t number, const WhyReport& report) {
  std::string text = fmt::format("  {}. {}\n", number, Wrapped(ChangesOf(answer), 5, kWidth));
  const bool all = std::all_of(answer.changes.begin(), answer.changes.end(), CanBeDone);
  if (!all) {
    AddLine(text, "nobody", "can change that on a real machine but who made the driver or device");
  } else {
    for (const Commands& one : answer.commands)
      if (!one.apply.empty()) AddCommand(text, "do", one.apply);
    for (auto one = answer.commands.rbegin(); one != answer.commands.rend(); ++one)
      if (!one->undo.empty()) AddCommand(text, "undo", one->undo);
  }
  std::string needed;
  for (size_t i = 0; i < answer.without.size(); ++i)
    needed += fmt::format("{}{} without \"{}\"", i == 0 ? "" : ", ",
                          Count(answer.without[i], report), ToString(answer.changes[i]));
  if (!needed.empty()) AddLine(text, "all needed", needed);
  if (answer.after && !report.wanted.Contains(*answer.after))
    AddLine(text, "then", fmt::format("{}, and {}", Count(answer.after, report), Wanted(report)));
  return text;
}

// What was seen, and where a change of it is proven, that: a sentence of what made it so.
std::string WhyItWas(const WhyReport& report) {
  const RunLoss& loss = report.looked.loss;
  std::string reason = report.goal.empty() ? loss.reason : report.unmet;
  if (reason.empty()) return "";
  if (report.answers.empty()) {
    reason = "seen: " + reason;
  } else {
    const Mending& best = report.answers.front();
    // Where the change is of something else, what was seen is only consistent with it.
    const bool named =
        std::all_of(best.changes.begin(), best.changes.end(),
                    [&](const Intervention& change) { return IsNamed(loss, {}, change.subject); });
    reason = fmt::format(
        "{}: {}; with change 1 {}, and undone {} again: proven by {}, {} of {} both ways",
        named ? "cause" : "seen", reason, Count(best.after, report), Count(report.before, report),
        Plural(2 * best.rounds, "start"), best.came_back, best.rounds);
  }
  std::string text = "  " + Wrapped(reason, 8, kWidth) + '\n';
  if (report.goal.empty() && !report.event.empty())
    text += "        " + Wrapped(report.event, 8, kWidth) + '\n';
  return text;
}

std::string Names(const std::vector<Influence>& influence, bool matters) {
  std::string names;
  for (const Influence& one : influence)
    if (one.matters == matters) names += (names.empty() ? "" : ", ") + one.without.subject;
  return names;
}

std::string InfluenceText(const WhyReport& report) {
  std::string text;
  const std::string needed = Names(report.influence, true);
  const std::string idle = Names(report.influence, false);
  if (report.healthy && !needed.empty())
    text += Wrapped("It depends on " + needed + ".", 2, kWidth) + '\n';
  if (!idle.empty())
    text += Wrapped(fmt::format("No influence{}: {}.",
                                report.healthy ? "" : " in the mended machine", idle),
                    2, kWidth) +
            '\n';
  return text;
}

std::string Cost(const WhyReport& report) {
  std::string text = fmt::format("{}, {} for proofs; {} tried", Plural(report.starts, "start"),
                                 report.proof_starts, Plural(report.tried, "change"));
  if (report.unseen > 0)
    text += fmt::format("; {} not tried, for no process looked there", report.unseen);
  if (report.interrupted)
    text += "; interrupted";
  else if (!report.whole)
    text += "; the budget ended it";
  return text + ".\n";
}

}  // namespace

std::string WhyText(const WhyReport& report, int most_answers) {
  std::string text = fmt::format("{} [{}]\n", report.id, report.run);
  const std::string before = Count(report.before, report);
  if (!report.goal.empty())
    text += Wrapped(fmt::format("wanted: {}", ToString(report.goal)), 8, kWidth) + '\n';
  if (report.healthy) {
    if (!report.goal.empty())
      text += "It is so.\n";
    else if (report.asked)
      text += fmt::format("{}, as wanted.\n", before);
    else
      text += fmt::format("{} of {}: nothing is lost.\n", before, report.there);
    return text + InfluenceText(report) + Cost(report);
  }
  if (report.goal.empty()) text += fmt::format("{}, and {}.\n", before, Wanted(report));
  text += WhyItWas(report);
  if (report.answers.empty()) {
    text += fmt::format("No single change that was tried, nor a chain of three, brings it {}.\n",
                        report.goal.empty() ? "back" : "about");
  } else {
    const Mending& best = report.answers.front();
    text +=
        fmt::format("{} -> {} with {} (proven: {} of {} starts with it, {} of {} without it):\n",
                    before, Count(best.after, report),
                    report.answers.size() == 1 ? "this change" : "any one of these changes",
                    best.came_back, best.rounds, best.lost_again, best.rounds);
  }
  size_t number = 0;
  for (const Mending& answer : report.answers) {
    if (number == static_cast<size_t>(most_answers)) break;
    text += OneAnswer(answer, ++number, report);
  }
  if (number < report.answers.size())
    text += fmt::format("  and {} more (--answers {})\n", report.answers.size() - number,
                        report.answers.size());
  for (const Mending& answer : report.consistent)
    text += Wrapped(fmt::format("Only consistent with: {} ({} of {} starts).", ChangesOf(answer),
                                answer.came_back, answer.rounds),
                    2, kWidth) +
            '\n';
  return text + InfluenceText(report) + Cost(report);
}

}  // namespace gpustage
