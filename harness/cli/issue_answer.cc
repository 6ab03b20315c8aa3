#include "harness/cli/issue_answer.h"

#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/log_question.h"
#include "harness/import/assemble.h"
#include "harness/import/recognise.h"
#include "harness/logs/issue.h"
#include "harness/suite/installation.h"
#include "harness/suite/scenario_words.h"

namespace gpustage {
namespace {

// What is pasted besides logs, as a machine: what loses the device in it, and what does not fit.
std::string PastesText(const Knowledge& knowledge, const std::string& markdown) {
  Result<pasted::Facts> facts = pasted::Recognise(knowledge, {{"the issue", markdown}});
  if (!facts) return "";
  facts->logs.clear();     // explained by themselves
  facts->answers.clear();  // they are lines of logs
  if (facts->texts.empty()) return "";
  const pasted::Machine machine = pasted::Assemble(*facts, {});
  std::string text;
  for (const std::string& sentence : machine.why) text += "- loses the device: " + sentence + "\n";
  for (const pasted::Contradiction& two : machine.contradictions)
    text += fmt::format("- does not fit: {} is {} ({}) and {} ({})\n", two.what, two.one,
                        two.one_from, two.other, two.other_from);
  if (text.empty()) return "";
  return "### What else is pasted\n\n" + text +
         "\nAs a scenario: `gpustage import ISSUE -o bug.yaml`, then `gpustage run bug.yaml`.\n\n";
}

// The scenario that is most like what the logs say that went wrong.
Result<std::string> AlikeText(const Knowledge& knowledge, const std::vector<Paste>& pastes) {
  FindQuestion question;
  for (const Paste& paste : pastes) {
    const FindQuestion one = QuestionOfLog(knowledge, ReadLog(knowledge, paste.text));
    question.texts.insert(question.texts.end(), one.texts.begin(), one.texts.end());
  }
  if (question.texts.empty()) return std::string();
  TRY(const Finder finder, Finder::Read(FindCatalog({}), WordsFile()));
  const std::vector<FoundScenario> found = finder.Find(question, 1);
  if (found.empty() || found.front().score < kAlike) return std::string();
  std::string text = fmt::format("Most alike in the collection: `gpustage trace {}`: {}",
                                 found.front().id, found.front().claim);
  if (!found.front().thread.empty())
    text += fmt::format(" ({})", ThreadAddress(found.front().thread.front()));
  return text + ".\n\n";
}

}  // namespace

Result<std::string> AnswerToIssue(const Knowledge& knowledge, const std::string& issue) {
  const std::string markdown = MarkdownOf(issue);
  const std::vector<Paste> pastes = PastesOf(knowledge, markdown);
  std::string text = IssueComment(knowledge, markdown, pastes);
  const std::string others = PastesText(knowledge, markdown);
  if (!text.empty()) {
    TRY(const std::string alike, AlikeText(knowledge, pastes));
    text += others + alike;
  } else if (text = others + QuestionBack(knowledge, markdown); text.empty()) {
    return text;
  }
  return text + "<sub>Written by `gpustage explain --issue`; nobody has read it yet.</sub>\n";
}

}  // namespace gpustage
