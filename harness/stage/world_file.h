// The world file: a case's machine in the binary shape that the fakes map (fakes/world/format.h).
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/machine.h"

namespace gpustage {

// The machine as one placed library has it.
Machine Changed(Machine machine, const MachineChange& change);

// The bytes of the file. An Error when the machine has more devices or faults than the shape holds,
// or a text too long.
// `archs`: the compute capabilities that the library was built for.
Result<std::string> WorldFile(const Machine& machine,
                              const std::vector<ComputeCapability>& archs = {});

// Where placed fakes find it and where they write, inside the root.
inline constexpr char kWorldPath[] = "/.gpustage/world";
inline constexpr char kDeviceNodes[] = "/dev";
inline constexpr char kJournalPath[] = "/.gpustage/journal";

}  // namespace gpustage
