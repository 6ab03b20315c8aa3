// The nodes that the kernel modules of NVIDIA and AMD make below /dev, and AMD's side of /sys.
#pragma once

#include <vector>

#include "harness/scenario/model/machine.h"
#include "harness/scenario/model/tree_op.h"

namespace gpustage {

// As many as the machine, or the machine of any library that the tree places, has devices. With
// real nodes also those of MIG's capabilities; what a driver does without them is not recorded, and
// nothing here asks for them.
std::vector<TreeOp> DeviceNodes(const Machine& machine, const std::vector<TreeOp>& tree);

}  // namespace gpustage
