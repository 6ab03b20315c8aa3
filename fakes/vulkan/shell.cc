// A library that a driver needs and that nobody calls anything of here: it is there, or the driver
// is not.
#include "fakes/world/stub.h"

namespace gpustage::world {
const int32_t kNotSupported = 0;
const int32_t kDeviceLost = 0;
}  // namespace gpustage::world

extern "C" int gpustage_shell() { return 0; }
