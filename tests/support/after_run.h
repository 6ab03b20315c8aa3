// What the system says after a run, the same to whoever asks.
#pragma once

#include <vector>

#include "harness/evidence/path/funnel.h"

namespace gpustage {

inline AfterRun Saying(const std::vector<DlopenAnswer>& answers, int uid,
                       const Evidence& evidence) {
  AfterRun after;
  after.uid = uid;
  for (const Question& question : OpenQuestions(evidence))
    after.answered.push_back({question.environment, answers});
  return after;
}

inline void ExplainLosses(const std::vector<DlopenAnswer>& answers, int uid, Evidence& evidence) {
  ExplainLosses(Saying(answers, uid, evidence), evidence);
}

}  // namespace gpustage
