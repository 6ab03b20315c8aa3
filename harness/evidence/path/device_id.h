// Identifiers of devices that are none: a backend that reads cudaDeviceProp in another layout than
// its runtime wrote takes other fields for them, and what they held can still be read.
#pragma once

#include <optional>
#include <string>

#include "harness/evidence/path/reason.h"

namespace gpustage {

// What stands in a uuid that is none: memory, and capability or shared memory. None for one that
// may be real. `other` of the reason is what was given.
std::optional<Reason> FieldsInUuid(const std::string& uuid);

// What is wrong with a PCI address. None for a well-formed one and for "".
std::optional<Reason> FieldsInPciId(const std::string& pci_id);

}  // namespace gpustage
