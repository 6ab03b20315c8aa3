// Identifiers of devices that are none: a backend that reads cudaDeviceProp in another layout than
// its runtime wrote takes other fields for them, and what they held can still be read.
#pragma once

#include <optional>
#include <string>

namespace gpustage {

// What stands in a uuid that is none: "totalGlobalMem 80.0 GiB, major 9, minor 0". None for one
// that may be real.
std::optional<std::string> FieldsInUuid(const std::string& uuid);

// What is wrong with a PCI address: "no PCI address: stack bytes, …". None for a well-formed one
// and for "".
std::optional<std::string> FieldsInPciId(const std::string& pci_id);

}  // namespace gpustage
