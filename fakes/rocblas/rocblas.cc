// librocblas: looks for the kernels of the GPU's target beside itself, and ends the process where
// there are none, as the real one does at the first product or at rocblas_initialize.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>

#include "fakes/hip/types.h"
#include "fakes/world/call.h"
#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"
#include "fakes/world/text.h"

#if defined(__x86_64__)
asm(".symver dladdr,dladdr@GLIBC_2.2.5");
#endif

enum rocblas_status : int32_t {
  rocblas_status_success = 0,
  rocblas_status_not_implemented = 2,
  rocblas_status_invalid_pointer = 3,
  rocblas_status_invalid_size = 4,
  rocblas_status_internal_error = 6,
};

namespace gpustage::world {
const int32_t kNotSupported = rocblas_status_not_implemented;
const int32_t kDeviceLost = rocblas_status_internal_error;
}  // namespace gpustage::world

using namespace gpustage;

namespace {

// rocBLAS of ROCm 5.2, 6.3 and 7.2.
#if GPUSTAGE_ROCM_MAJOR == 5
constexpr char kVersion[] = "2.44.0";
#elif GPUSTAGE_ROCM_MAJOR == 6
constexpr char kVersion[] = "4.3.0";
#else
constexpr char kVersion[] = "5.2.0";
#endif
constexpr size_t kGcnArchName = GPUSTAGE_ROCM_MAJOR == 5 ? 396 : 1160;

bool IsThere(const char* path) { return world::SystemCall(SYS_access, path, 4 /* R_OK */) == 0; }

// The folder of kernels: a variable's, or rocblas/library beside this library.
void AddFolder(world::TextWriter& out) {
  if (const char* const given = getenv("ROCBLAS_TENSILE_LIBPATH")) {
    out.Add(given);
    return;
  }
  Dl_info here = {};
  if (dladdr(reinterpret_cast<const void*>(&AddFolder), &here) == 0 || here.dli_fname == nullptr)
    return;
  const char* const slash = strrchr(here.dli_fname, '/');
  if (slash != nullptr)
    out.Add(here.dli_fname, static_cast<size_t>(slash - here.dli_fname)).Add('/');
  out.Add("rocblas/library");
}

void GfxOf(char* to, size_t size) {
  alignas(8) char properties[1472] = {};
  int device = 0;
  hipGetDevice(&device);
#if GPUSTAGE_ROCM_MAJOR == 5
  hipGetDeviceProperties(properties, device);
#else
  hipGetDevicePropertiesR0600(properties, device);
#endif
  world::CopyText(to, size, properties + kGcnArchName);
}

[[noreturn]] void Refuse(const char* file, const char* gfx) {
  world::Text<768> text;
  text.Add("\nrocBLAS error: Cannot read ").Add(file);
  text.Add(": No such file or directory for GPU arch : ").Add(gfx);
  text.Add("\n List of available TensileLibrary Files : \n");
  world::WriteError(text.c_str(), text.length());
  abort();
}

// Kernels of all targets in one file, as they were before they were split, or those of this one.
void LookForKernels() {
  char gfx[64];
  GfxOf(gfx, sizeof(gfx));
  world::Text<512> own, all;
  AddFolder(own);
  own.Add("/TensileLibrary_lazy_").Add(gfx).Add(".dat");
  AddFolder(all);
  all.Add("/TensileLibrary.dat");
  if (!IsThere(own.c_str()) && !IsThere(all.c_str())) Refuse(all.c_str(), gfx);
}

}  // namespace

extern "C" {

void rocblas_initialize() {
  world::Call call(__func__, "");
  int32_t code = 0;
  (void)call.Begin(&code);
  call.End(0);
  LookForKernels();
}

rocblas_status rocblas_create_handle(void** handle) {
  return static_cast<rocblas_status>(world::Answer(CALL(), [&] {
    if (handle == nullptr) return rocblas_status_invalid_pointer;
    *handle = calloc(1, 64);
    return rocblas_status_success;
  }));
}

rocblas_status rocblas_destroy_handle(void* handle) {
  return static_cast<rocblas_status>(world::Answer(CALL(), [&] {
    free(handle);
    return rocblas_status_success;
  }));
}

rocblas_status rocblas_get_version_string_size(size_t* bytes) {
  return static_cast<rocblas_status>(world::Answer(CALL(), [&] {
    if (bytes == nullptr) return rocblas_status_invalid_pointer;
    *bytes = sizeof(kVersion);
    return rocblas_status_success;
  }));
}

rocblas_status rocblas_get_version_string(char* text, size_t bytes) {
  return static_cast<rocblas_status>(world::Answer(CALL(), [&] {
    if (text == nullptr) return rocblas_status_invalid_pointer;
    if (bytes < sizeof(kVersion)) return rocblas_status_invalid_size;
    memcpy(text, kVersion, sizeof(kVersion));
    return rocblas_status_success;
  }));
}

}  // extern "C"
