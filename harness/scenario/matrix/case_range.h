// case_range: the cases of one scenario by number, each read when it is wanted. Listing 100,000
// reads a handful.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/scenario/matrix/cells.h"
#include "harness/scenario/matrix/expected.h"
#include "harness/scenario/read/scenario.h"

namespace gpustage {

// What is known of a run before its case is read.
struct ListedRun {
  std::string name;
  std::string scanner;
  std::string version;  // that the scanner was given in
};

class CaseRange {
 public:
  // Both must outlive the range; `fixtures` is read further by it.
  static Result<CaseRange> Of(const Scenario& scenario, Fixtures& fixtures);

  const Scenario& scenario() const { return *scenario_; }
  const Cells& cells() const { return cells_; }
  const Expected& expected() const { return expected_; }

  // A cell with each value of each axis is read whole, so that what is wrong with a value is found
  // and has its place.
  Status CheckValues() const;
  // All that the scenario expects applies somewhere, and something is expected everywhere.
  Status CheckExpected();

  std::string Id(size_t number) const { return scenario_->id + cells_.IdSuffix(cells_.At(number)); }
  // After CheckExpected.
  const std::vector<ListedRun>& Runs(size_t number) const;
  // Those that any of its cells has.
  const std::map<std::vector<int>, std::vector<ListedRun>>& AllRuns() const { return runs_; }
  // What it stages and its runs, without what is expected of them.
  Result<Case> Stage(size_t number) const;
  Result<Case> Read(size_t number) const;

 private:
  CaseRange(const Scenario& scenario, Fixtures& fixtures, Expected expected);
  Case Start(const Row& row) const;
  // Equal for cells that have the same runs and that no filter tells apart.
  std::vector<int> KindOf(const Row& row) const;
  Result<Case> Outline(const Row& row) const;

  const Scenario* scenario_;
  YamlNode staged_;  // of the scenario what a cell is read from: its values go into a copy
  Fixtures* fixtures_;
  Cells cells_;
  Expected expected_;
  std::vector<std::vector<int>> kinds_;  // axis, value -> the first value that is of its kind
  std::map<std::vector<int>, std::vector<ListedRun>> runs_;
};

}  // namespace gpustage
