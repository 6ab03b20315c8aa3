// NVIDIA's own way to pack a version into VkPhysicalDeviceProperties::driverVersion: ten bits,
// eight, eight and six. 580.159.04 is 580, 159, 4, 0.
#pragma once

#include <cstdint>

namespace gpustage::vulkan {

inline uint32_t NvidiaDriverVersion(const char* text) {
  uint32_t parts[3] = {};
  for (uint32_t part = 0; *text != '\0' && part < 3; ++text) {
    if (*text == '.')
      ++part;
    else if (*text >= '0' && *text <= '9')
      parts[part] = parts[part] * 10 + static_cast<uint32_t>(*text - '0');
  }
  return parts[0] << 22 | (parts[1] & 0xff) << 14 | (parts[2] & 0xff) << 6;
}

}  // namespace gpustage::vulkan
