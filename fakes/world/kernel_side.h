// The kernel side of the machine as the libraries of the driver meet it: its nodes in /dev, and
// which version the kernel module is.
#pragma once

#include "fakes/world/format.h"

namespace gpustage::world {

enum class Node { kThere, kMissing, kRefused, kNotTheDevice };

// /dev/nvidiactl and /dev/nvidia-uvm.
Node ControlNode();
Node MemoryNode();

// /dev/NAME, of any driver: "dri/renderD128".
Node NodeCalled(const char* name);

// A bit for each place in World::devices whose node can be opened.
uint32_t DevicesThere();
// N of /dev/nvidiaN: devices are numbered by their PCI addresses.
int NodeNumber(int place);

// The library against the kernel module: the branch is the first number of a driver's version.
enum class KernelModule { kSame, kOlderBranch, kOther };
KernelModule TheKernelModule();

}  // namespace gpustage::world
