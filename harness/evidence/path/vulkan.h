// Why the Vulkan loader of a process started no driver: what it was to load and could not, or the
// manifests that name drivers and were not there.
#pragma once

#include <vector>

#include "harness/evidence/evidence.h"

namespace gpustage {

std::vector<Fact> WhyNoVulkanDriver(const Evidence& evidence, int pid);

// What stood around a call of Vulkan's that failed or gave nothing: folders of manifests that
// refused to be read, and the drivers that were loaded.
std::vector<Fact> VulkanAround(const Evidence& evidence, int pid);

// Of devices that were counted and of which none was reported: what the last one said it is, and
// the drivers that were loaded.
std::vector<Fact> DroppedByVulkan(const Evidence& evidence, int pid);

}  // namespace gpustage
