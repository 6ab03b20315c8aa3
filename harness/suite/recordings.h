// Runs of cases turned into recordings, and the folder that keeps those of real programs.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/case_runner.h"
#include "harness/evidence/store/recording.h"
#include "harness/scenario/model/case.h"

namespace gpustage {

using RecordedScenarios = std::map<std::string, Recordings>;  // by scenario: "ollama/permissions"

struct LiveRecordings {
  RecordedScenarios scenarios;
  std::vector<double> milliseconds;  // that each start took
  std::set<std::string> skipped;     // cases that this machine cannot stage
};

// What OLLAMA_DEBUG is in the starts of a case: "1", "2", "0", "unset".
using Levels = std::vector<std::string>;
inline const Levels kUsualLevels = {"1", "2"};

// Runs every run of this scanner (by RunName) at each of the levels, of a case that `of_case` has
// at those; or at the level that the case sets.
LiveRecordings RecordLive(const std::vector<Case>& cases, const std::string& scanner, int jobs,
                          CaseRunner& runner, const Levels& levels = kUsualLevels,
                          const std::map<std::string, Levels>& of_case = {});
// The levels that each case was recorded at.
std::map<std::string, Levels> LevelsOf(const RecordedScenarios& scenarios);

// FOLDER/ollama-0.17.4/SCENARIO.json. `keep_others`: what such a file has of other cases stays.
Status WriteRecordings(const RecordedScenarios& scenarios, const std::string& folder,
                       bool keep_others);
// All of the newest version that `scanner` is the start of: "ollama@0.13" finds 0.13.5. Empty when
// there is none.
Result<RecordedScenarios> ReadRecordings(const std::string& folder, const std::string& scanner);

}  // namespace gpustage
