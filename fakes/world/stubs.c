// One weak function a name in the list of the library: the stub where no source defines it, and the
// table of all.
#include <stdint.h>

#include GPUSTAGE_EXPORTS

int32_t gpustage_stub(const char* function);

#define STUB(name)                          \
  __attribute__((weak)) int32_t name(void); \
  int32_t name(void) { return gpustage_stub(#name); }
EXPORTS(STUB)

struct GpustageExport {
  const char* name;
  void* address;
};

#define ROW(name) {#name, (void*)name},
const struct GpustageExport gpustage_exports[] = {EXPORTS(ROW)};
const uint32_t gpustage_export_count = sizeof(gpustage_exports) / sizeof(gpustage_exports[0]);
