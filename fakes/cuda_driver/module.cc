// Modules: text of PTX and images are accepted, and nothing in them is run.
#include <sys/mman.h>

#include <cstring>

#include "fakes/cuda_driver/driver.h"
#include "fakes/world/syscall.h"

struct CUmod_st {
  int32_t used;
  char* ptx;  // a copy; null: an image, whose names are not known
};
struct CUfunc_st {
  int32_t used;
};

namespace gpustage::cuda_driver {
namespace {

constexpr unsigned int kMaxThreads = 1024;
constexpr int kLazyLoading = 2;

CUmod_st g_modules[256];
CUfunc_st g_function;  // one serves all: it does nothing

// PTX begins with its version behind comments, a cubin with ELF's magic, a fat binary with its own.
const char* PtxIn(const void* image) {
  const char* text = static_cast<const char*>(image);
  while (*text == '\n' || *text == ' ' || *text == '\t') ++text;
  return strncmp(text, ".version", 8) == 0 || strncmp(text, "//", 2) == 0 ? text : nullptr;
}
bool IsImage(const void* image) {
  static constexpr unsigned char kElf[] = {0x7f, 'E', 'L', 'F'};
  static constexpr unsigned char kFatBinary[] = {0x50, 0xed, 0x55, 0xba};
  return strncmp(static_cast<const char*>(image), reinterpret_cast<const char*>(kElf), 4) == 0 ||
         strncmp(static_cast<const char*>(image), reinterpret_cast<const char*>(kFatBinary), 4) ==
             0;
}

char* Copied(const char* text) {
  const size_t size = strlen(text) + 1;
  void* const copy = world::MapMemory(size, PROT_READ | PROT_WRITE);
  return copy == nullptr ? nullptr : static_cast<char*>(memcpy(copy, text, size));
}

CUresult Load(CUmodule* module, const void* image) {
  if (module == nullptr || image == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const char* const ptx = PtxIn(image);
  if (ptx == nullptr && !IsImage(image)) return CUDA_ERROR_INVALID_IMAGE;
  for (CUmod_st& slot : g_modules) {
    int32_t unused = 0;
    if (!__atomic_compare_exchange_n(&slot.used, &unused, 1, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    slot.ptx = ptx == nullptr ? nullptr : Copied(ptx);
    return Put(module, &slot);
  }
  return CUDA_ERROR_OUT_OF_MEMORY;
}

bool IsModule(CUmodule module) {
  return module >= g_modules && module < g_modules + 256 && module->used != 0;
}

// A file that is there is taken for an image.
CUresult LoadFile(CUmodule* module, const char* file) {
  if (module == nullptr || file == nullptr) return CUDA_ERROR_INVALID_VALUE;
  char begin[4] = {};
  if (world::ReadFile(file, begin, sizeof(begin)) == 0) return CUDA_ERROR_FILE_NOT_FOUND;
  return IsImage(begin) ? Load(module, begin) : CUDA_ERROR_INVALID_IMAGE;
}

CUresult FindFunction(CUfunction* function, CUmodule module, const char* name) {
  if (function == nullptr || name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (!IsModule(module)) return CUDA_ERROR_INVALID_HANDLE;
  const bool known = module->ptx == nullptr || strstr(module->ptx, name) != nullptr;
  *function = known ? &g_function : nullptr;
  return known ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

bool IsSize(unsigned int x, unsigned int y, unsigned int z) { return x > 0 && y > 0 && z > 0; }

}  // namespace
}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuModuleLoad(CUmodule* module, const char* file) {
  return InContext(CALL(file).Trust(Fidelity::kFixed), [&] { return LoadFile(module, file); });
}

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return InContext(CALL().Trust(Fidelity::kFixed), [&] { return Load(module, image); });
}

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int count, CUjit_option*,
                            void**) {
  return InContext(CALL(count).Trust(Fidelity::kFixed), [&] { return Load(module, image); });
}

CUresult cuModuleUnload(CUmodule module) {
  return InContext(CALL(module).Trust(Fidelity::kFixed), [&]() -> CUresult {
    if (!IsModule(module)) return CUDA_ERROR_INVALID_HANDLE;
    if (module->ptx != nullptr) gpustage::world::UnmapMemory(module->ptx, strlen(module->ptx) + 1);
    __atomic_store_n(&module->used, 0, __ATOMIC_RELEASE);
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return InContext(CALL(module, name).Trust(Fidelity::kFixed),
                   [&] { return FindFunction(function, module, name); });
}

CUresult cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  return AfterInit(CALL().Trust(Fidelity::kFixed),
                   [&] { return Put(mode, CUmoduleLoadingMode{kLazyLoading}); });
}

CUresult cuLaunchKernel(CUfunction function, unsigned int grid_x, unsigned int grid_y,
                        unsigned int grid_z, unsigned int block_x, unsigned int block_y,
                        unsigned int block_z, unsigned int shared_bytes, CUstream stream, void**,
                        void**) {
  return InContext(CALL(function, shared_bytes, stream).Trust(Fidelity::kFixed), [&]() -> CUresult {
    if (function != &g_function) return CUDA_ERROR_INVALID_HANDLE;
    const bool fits = IsSize(grid_x, grid_y, grid_z) && IsSize(block_x, block_y, block_z) &&
                      uint64_t{block_x} * block_y * block_z <= kMaxThreads;
    return fits ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}
