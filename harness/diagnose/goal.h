// What is wanted of a run where it is not a number of devices: claims, as a scenario makes them of
// a line of the log, an outcome, which device it is.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/scenario/catalog/catalog.h"
#include "harness/scenario/model/case.h"

namespace gpustage {

// Claims of what a program does. Those of why a device is lost are no goal: who wants a loss?
using Goal = std::vector<Claim>;

// `--want '{log: {lacks: ["failed to get"]}}'`, in the words of `expect`.
Result<Goal> ReadGoal(const std::string& yaml, const Catalog& catalog);
// What the case expects of the run, and what its author expects of it after a fix. Both may be
// empty.
Goal ExpectedOf(const Case& c, const RunSpec& run);
Goal ExpectedAfterFix(const Case& c, const RunSpec& run);

// The first that does not hold; null: all do.
const Claim* FirstUnmet(const Goal& goal, const Evidence& evidence);
// "log: lacks …, outcome: exited 0"
std::string ToString(const Goal& goal);

}  // namespace gpustage
