#include "harness/evidence/path/library_path.h"

namespace gpustage {

bool MayHave(const Setting& setting, Family stack) {
  switch (stack) {
    case Family::kHip:
    case Family::kHsa:
    case Family::kSmi: return setting.any_device && setting.amd != 0;
    case Family::kVulkanLoader:
    case Family::kVulkanDriver:
    case Family::kOpenCl:
    case Family::kLevelZero: return setting.any_device;
    default: return setting.any_device && (setting.devices != 0 || setting.own_device);
  }
}

}  // namespace gpustage
