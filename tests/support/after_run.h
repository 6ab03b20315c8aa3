// What the system says after a run, the same to whoever asks.
#pragma once

#include <vector>

#include "harness/evidence/path/funnel.h"

namespace gpustage {

inline void ExplainLosses(const std::vector<Answer>& answers, int uid, Evidence& evidence) {
  AfterRun after;
  after.uid = uid;
  for (const Question& question : OpenQuestions(evidence))
    after.answered.push_back({question.environment, answers});
  ExplainLosses(after, evidence);
}

}  // namespace gpustage
