// Whose problem looks like mine: scenarios by what they claim, expect, stage and mend. Titles of
// threads are not among it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/report/reported_run.h"
#include "harness/scenario/catalog/catalog.h"
#include "harness/suite/find_words.h"

namespace gpustage {

// Below this score a scenario has no more than words in common (fixtures/issues).
inline constexpr double kAlike = 100;

struct FoundScenario {
  std::string id, file, claim;
  std::vector<std::string> cause;  // what is claimed of the way of the device: "lost {at: loaded}"
  std::vector<std::string> fix;    // "tree {remove: /x}"
  std::vector<std::string> thread;
  std::vector<std::string> tags;
  double score = 0;
  friend bool operator==(const FoundScenario&, const FoundScenario&) = default;
};

struct FindQuestion {
  // Texts, and how much each counts.
  std::vector<std::pair<std::string, double>> texts;
  std::string without;  // the scenario that asks, or ""
};
// By what was lost, why, and what the scanner said.
FindQuestion QuestionOf(const ReportedRun& run);

class Finder {
 public:
  // All scenarios of the catalog, and `words` (fixtures/find/words.yaml).
  static Result<Finder> Read(const Catalog& catalog, const std::string& words);

  // The best first; none that has nothing in common.
  std::vector<FoundScenario> Find(const FindQuestion& question, size_t limit) const;
  size_t size() const { return scenarios_.size(); }

 private:
  explicit Finder(FindWords words) : words_(std::move(words)) {}
  void Add(const std::string& text, double weight);  // of the scenario that is last

  FindWords words_;
  std::vector<FoundScenario> scenarios_;
  std::map<std::string, std::map<size_t, double>> index_;  // word -> scenario -> how much
  std::vector<double> lengths_;
};

}  // namespace gpustage
