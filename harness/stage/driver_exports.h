// What a libcuda of an older driver does not export yet.
#pragma once

#include <string>
#include <vector>

namespace gpustage {

// Of the names that our libcuda has, those that came with a CUDA newer than the driver's, 11040
// being 11.4. Source: fakes/cuda_driver/proc_address.inc. Names of GL, EGL and VDPAU have no
// version there, and stay.
std::vector<std::string> ExportsNewerThan(int cuda);

}  // namespace gpustage
