// Which device somebody means who writes "RTX 3090" and not rtx-3090.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpustage {

struct DeviceName {
  std::string profile;  // "rtx-3090"
  std::string product;  // "NVIDIA GeForce RTX 3090", as the driver names it
};

// The profiles that fit, by words, whatever their case and order; brands may be left out. One that
// fits as a whole leaves out those that fit in part: "A100" is every A100, "H100 80GB" is one.
std::vector<std::string> MeantDevices(std::string_view written,
                                      const std::vector<DeviceName>& known);

// The profile that was likely meant where none fits: one of the same number ("4090Ti"), or the one
// whose letters and digits are nearest ("RTX 3900"); "" where none is near.
std::string NearestDevice(std::string_view written, const std::vector<DeviceName>& known);

}  // namespace gpustage
