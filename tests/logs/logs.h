// What is known of logs, read once, and a log explained by it.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "harness/logs/answer.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {

inline const Knowledge& Known() {
  static const Result<Knowledge> knowledge = ReadKnowledge(InSources("/fixtures/logs"));
  EXPECT_THAT(knowledge, IsOk());
  return *knowledge;
}

// A log, and what is made of it; it owns the reading that the explanation points into.
struct Explained {
  explicit Explained(const std::string& text)
      : log(ReadLog(Known(), text)), explanation(Weigh(Known(), log)) {}
  std::string Text(size_t width = 100) const {
    return ExplanationText(Known(), log, explanation, width);
  }
  // In one line, as prose is broken at 100 columns.
  std::string Flat() const {
    std::string flat;
    for (const char c : Text())
      if (const bool space = c == ' ' || c == '\n'; !space)
        flat += c;
      else if (!flat.empty() && flat.back() != ' ')
        flat += ' ';
    return flat;
  }

  static bool Has(const std::vector<WeighedCause>& causes, const std::string& id) {
    for (const WeighedCause& weighed : causes)
      if (weighed.cause->id == id) return true;
    return false;
  }
  bool Names(const std::string& id) const { return Has(explanation.named, id); }
  bool Leaves(const std::string& id) const { return Names(id) || Has(explanation.left, id); }
  bool RulesOut(const std::string& id) const { return Has(explanation.ruled_out, id); }

  LogReading log;
  Explanation explanation;
};

}  // namespace gpustage
