#include "harness/cli/log_question.h"

namespace gpustage {

FindQuestion QuestionOfLog(const Knowledge& knowledge, const LogReading& log) {
  FindQuestion question;
  for (const LineFact& fact : log.facts) {
    if (fact.taken_back || fact.rule->causes.empty()) continue;
    question.texts.emplace_back(fact.line.text, 1);
    for (const std::string& name : fact.rule->causes) {
      const LogCause* cause = knowledge.Find(name);
      const double share = 1.0 / static_cast<double>(fact.rule->causes.size());
      if (cause == nullptr) continue;
      question.texts.emplace_back(cause->id + " " + cause->is, share);
    }
  }
  for (const PastedLine& line : log.unknown) question.texts.emplace_back(line.text, 1);
  return question;
}

}  // namespace gpustage
