// What a stage will be, before anything is made: pure data that can be printed and compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/case.h"
#include "harness/stage/base_system.h"

namespace gpustage {

// One step of the plan. `instance` numbers the placed fakes of a case from 1; 0 for everything
// else.
struct PlanStep {
  TreeOp op;
  uint32_t instance = 0;
  std::string world = {};                // bytes of the world of this fake alone; "": the case's
  std::vector<std::string> lacked = {};  // names that a driver of its version does not export yet
  friend bool operator==(const PlanStep&, const PlanStep&) = default;
};

struct StagePlan {
  std::vector<PlanStep> skeleton;  // directories and files that every Debian system has
  std::vector<HostFile> base;      // the scanners' programs and the base system, placed unchanged
  std::vector<PlanStep> nodes;     // /dev/nvidia*, which the tree may change or take away
  std::vector<PlanStep> steps;     // the case's tree, in order
  std::string world;               // bytes of the world file
  bool private_copies = false;     // a scanner runs as root and could write to what cases share
  bool real_nodes = false;         // a node is made as a character device
  friend bool operator==(const StagePlan&, const StagePlan&) = default;
};

// `base` is what the host must lend: see base_system.h. `owners` is false where there is only one
// user id: then the homes of the tree's users belong to it too. Pure: reads nothing.
Result<StagePlan> PlanStage(const Case& c, std::vector<HostFile> base, bool owners = true);

// The steps of one run's change, planned like those of the tree; `instance` continues the case's
// numbers. An Error when a library's own machine is one that no world file can hold.
Result<std::vector<PlanStep>> PlanChange(const std::vector<TreeOp>& ops, uint32_t first_instance,
                                         const Machine& machine = {});

// The machine as it is after a restart: the module's nodes made anew, and another world.
Result<std::vector<PlanStep>> PlanRestart(const Machine& machine);

// The environment that a run starts with, "NAME=value", sorted by name: a plain system's, then the
// scanner's defaults, then the case's, then the run's; a later layer wins, and "unset" removes.
std::vector<std::string> EnvironmentOf(const Case& c, const RunSpec& run);

// Why this case needs a second user id beside the one that owns the tree, as a sentence; "" when it
// does not.
std::string NeedOfSecondUid(const Case& c);

// One line a step, for `gpustage show`.
std::string ToString(const StagePlan& plan);

}  // namespace gpustage
