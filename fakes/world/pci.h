// PCI addresses as the libraries read them.
#pragma once

#include <cstdint>

#include "fakes/world/format.h"

namespace gpustage::world {

struct PciAddress {
  uint64_t domain = 0;
  uint64_t bus = 0;
  uint64_t device = 0;
  uint64_t function = 0;
};

// Reads [domain:]bus:device[.function] in hexadecimal, in any case and of any length; without a
// domain there must be a function. False: it is no address.
bool ReadPciAddress(const char* text, PciAddress* address);
bool IsAt(const Device& device, const PciAddress& address);

}  // namespace gpustage::world
