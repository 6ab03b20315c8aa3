// What amdgpu and amdkfd show of AMD's GPUs: the topology that HSA takes its devices from, the
// cards, and /dev/kfd.
#pragma once

#include <vector>

#include "harness/scenario/model/machine.h"
#include "harness/scenario/model/tree_op.h"

namespace gpustage {

// Of those with a target of their own; the others belong to other drivers. The nth of `others` has
// the node renderD(128 + n).
std::vector<TreeOp> AmdKernelSide(const std::vector<GpuDevice>& others);

}  // namespace gpustage
