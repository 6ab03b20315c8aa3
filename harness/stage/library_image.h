// The bytes of a placed library: the image of a fake or of a real file, stamped, then broken as the scenario says.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/result.h"
#include "harness/scenario/tree_op.h"

namespace gpustage {

// Writes world, journal and instance number into the image's stamp. False: the image has no stamp, so it is no fake.
bool StampImage(std::string& image, uint32_t instance);

// The image as it is to lie in the tree. Edits touch a few bytes of a prebuilt image; no compiler runs.
std::string BreakImage(std::string image, const Breakage& how);

}  // namespace gpustage
