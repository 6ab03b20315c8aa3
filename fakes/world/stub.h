// What the generated stubs call: a function that exists so that programs link and load, and that
// nobody modelled.
#pragma once

#include <cstdint>

extern "C" {

// Records the call and answers "not supported" in the words of the library.
int32_t gpustage_stub(const char* function);

// Every exported function of this library, sorted by name, for libraries that look their own
// functions up.
struct GpustageExport {
  const char* name;
  void* address;
};
extern const GpustageExport gpustage_exports[];
extern const uint32_t gpustage_export_count;
}

namespace gpustage::world {

// Each library defines these.
extern const int32_t kNotSupported;
extern const int32_t kDeviceLost;  // what calls for a device that fell off the bus answer

}  // namespace gpustage::world
