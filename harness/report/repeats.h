// One run that was started several times: whether it always answered the same.
#pragma once

#include <optional>
#include <vector>

#include "harness/report/reported_run.h"

namespace gpustage {

// Answers differ when their verdict, their number of devices or the step where a device was lost
// do; then the run is flaky, and says how often it said what. Where the scenario states a
// distribution of the number, that alone may differ, and as often as it is stated. One start is
// kept, however many there are.
class Repeats {
 public:
  // Whether this is the start that tells most so far: the first bad one, or the first that ran.
  bool Add(ReportedRun start);
  // After one start at least.
  ReportedRun Told(const std::vector<const Claim*>& distributions = {}) &&;

 private:
  std::optional<ReportedRun> told_;
  std::vector<RepeatedAnswer> ran_;
  // The deadline may keep starts from running: they say nothing beside those that ran.
  std::vector<RepeatedAnswer> skipped_;
};

// "12 × pass, 1 device; 3 × pass, 0 devices, lost at "opened"".
std::string AnswersText(const std::vector<RepeatedAnswer>& answers);

// "fail, 0 devices, lost at "opened"".
std::string AnswerText(const RepeatedAnswer& answer);

}  // namespace gpustage
