// What a scanner has of its own release stands in the tree where the tree's was, until another run
// needs that back.
#pragma once

#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/case.h"
#include "harness/stage/build.h"

namespace gpustage {

class ReleaseFiles {
 public:
  // Those of this run, in place of the last run's; what they replace waits aside.
  Status Install(const Case& c, const RunSpec& spec, bool private_copies, SharedFiles& shared,
                 StagedTree& tree);

 private:
  Status PutBack(const Root& root);

  std::vector<BroughtFile> installed_;
};

}  // namespace gpustage
