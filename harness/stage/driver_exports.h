// What a libcuda of an older driver does not export yet.
#pragma once

#include <string>
#include <vector>

namespace gpustage {

// Of the names that our libcuda has, those that came with a CUDA newer than the driver's,
// "470.57.02" having 11.4; none for a version of no known branch. Source:
// fakes/cuda_driver/proc_address.inc. Names of GL, EGL and VDPAU have no version there, and stay.
std::vector<std::string> ExportsNewerThan(const std::string& driver);

}  // namespace gpustage
