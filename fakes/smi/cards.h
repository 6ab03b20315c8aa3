// AMD's GPUs as its management libraries find them: the topology of amdkfd, and no node in /dev.
#pragma once

#include "fakes/amd/topology.h"

namespace gpustage::smi {

// Looks once; false: amdgpu is not there.
bool Find();
void Forget();
bool IsOpen();
int Count();
const amd::Node& Card(int index);
inline bool IsCard(uint32_t index) { return index < static_cast<uint32_t>(Count()); }
inline int PlaceOf(uint32_t index) {
  return IsCard(index) ? Card(static_cast<int>(index)).place : -1;
}
const char* NameOf(int index);
uint64_t UsedOf(int index);
// Domain, bus, device and function, as amdsmi_bdf_t packs them from its lowest bit on.
uint64_t AddressOf(int index);

}  // namespace gpustage::smi
