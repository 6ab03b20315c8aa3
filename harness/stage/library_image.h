// The bytes of a placed library: the image of a fake or of a real file, stamped, then broken as the
// scenario says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/tree_op.h"
#include "harness/stage/world_file.h"

namespace gpustage {

// Writes instance number, mark, journal and the path of its world into the image's stamp. False:
// the image has no stamp, so it is no fake.
bool StampImage(std::string& image, uint32_t instance, uint32_t mark, const std::string& world,
                const std::string& journal = kJournalPath);

// The image as it is to lie in the tree. Bytes of a prebuilt image are changed; no compiler runs.
// An Error when the image has not what is to be broken.
Result<std::string> BreakImage(std::string image, const std::vector<Breakage>& how);

// Without those symbols of these names that it has, and their variants for the default stream of
// each thread ("_ptsz", "_ptds").
Result<std::string> WithoutSymbols(std::string image, const std::vector<std::string>& names);

}  // namespace gpustage
