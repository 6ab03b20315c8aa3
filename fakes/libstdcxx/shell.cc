// The version nodes of an old libstdc++ are all that a loader asks of it, and nobody calls it.
#include "fakes/world/stub.h"

namespace gpustage::world {
const int32_t kNotSupported = 0;
const int32_t kDeviceLost = 0;
}  // namespace gpustage::world
