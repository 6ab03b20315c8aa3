// expected: what a scenario says of its cases beyond what they stage: expectations, suspects,
// fixes, known bugs. Read once; each case gets what applies to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/read/suspects.h"

namespace gpustage {

class Expected {
 public:
  static Result<Expected> Read(const YamlNode& root, const Matrix& matrix, Fixtures& fixtures);

  // What applied to some case.
  struct Use {
    std::vector<bool> expectations, fixes;
    bool xfail = false;
  };
  // A case that has its axes and its runs gets the rest.
  Status AddTo(Case& c, Use* use = nullptr) const;

  // Every filter and the axis of the suspects: cells that none of them tells apart, and that have
  // the same runs, are expected the same of.
  std::vector<const CellFilter*> Filters() const;
  const std::string& suspects_axis() const { return suspects_.axis; }

 private:
  friend class ExpectedCheck;
  struct KnownBug {
    ExpectedFailure failure;
    CellFilter when;
    SourcePos pos;
  };

  std::optional<YamlNode> expect_;  // the node
  std::vector<Expectation> expectations_;
  Suspects suspects_;
  std::vector<Fix> fixes_;
  std::optional<KnownBug> xfail_;
};

// What never applies says nothing, and a case of which nothing is expected cannot fail. It is shown
// a case of each kind.
class ExpectedCheck {
 public:
  explicit ExpectedCheck(const Expected& expected);
  // `c` has its axes and its runs.
  void See(Case c);
  Status Finish() const;

 private:
  Error UnknownRun(const Expectation& expectation) const;

  const Expected& expected_;
  Expected::Use use_;
  std::vector<bool> run_exists_;                   // of each expectation
  std::vector<std::vector<bool>> fix_run_exists_;  // of those of each fix
  std::vector<std::string> runs_;                  // all names, for the nearest one
  std::optional<Error> of_a_case_;
};

}  // namespace gpustage
