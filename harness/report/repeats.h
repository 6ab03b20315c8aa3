// One run that was started several times: whether it always answered the same.
#pragma once

#include <vector>

#include "harness/report/reported_run.h"

namespace gpustage {

struct Repeated {
  ReportedRun run;   // of the start that tells most: the first bad one, or the first
  size_t start = 0;  // which that was
};

// Answers differ when their verdict, their number of devices or the step where a device was lost
// do; then the run is flaky, and says how often it said what. Where the scenario states a
// distribution of the number, that alone may differ, and as often as it is stated. `starts` are of
// the same run and not empty.
Repeated Combine(std::vector<ReportedRun> starts,
                 const std::vector<const Claim*>& distributions = {});

// "12 × pass, 1 device; 3 × pass, 0 devices, lost at "opened"".
std::string AnswersText(const std::vector<RepeatedAnswer>& answers);

// "fail, 0 devices, lost at "opened"".
std::string AnswerText(const RepeatedAnswer& answer);

}  // namespace gpustage
