// The kernel side of the machine as the libraries of the driver meet it: its nodes in /dev, and
// which version the kernel module is.
#pragma once

#include "fakes/world/format.h"

namespace gpustage::world {

// kFails: the scenario has it fail with an errno of its own; kRefused: its mode shuts it.
enum class Node { kThere, kMissing, kRefused, kNotTheDevice, kFails };

// /dev/nvidiactl and /dev/nvidia-uvm. `error` receives the errno of kFails.
Node ControlNode(int* error = nullptr);
Node MemoryNode();

// /dev/NAME, of any driver: "dri/renderD128", "kfd". Who opens these does not make them.
Node NodeCalled(const char* name);

// A bit for each place in World::devices, boards too, whose node can be opened. `gone`: the node of
// one says that it has no device any more.
uint32_t DevicesThere(bool* gone = nullptr);
// N of /dev/nvidiaN: devices are numbered by their PCI addresses.
int NodeNumber(int place);

// The first number of a driver's version: "580.159.04" is of 580.
int Branch(const char* version);
// The library against the kernel module.
enum class KernelModule { kSame, kOlderBranch, kOther };
KernelModule TheKernelModule();

}  // namespace gpustage::world
