// cuGetProcAddress: a name and a CUDA version choose one of several functions.
#include <initializer_list>

#include "fakes/cuda_driver/driver.h"
#include "fakes/world/stub.h"
#include "fakes/world/world.h"

namespace gpustage::cuda_driver {
namespace {

struct Meaning {
  const char* name;
  int since;
  const char* function;
};
constexpr Meaning kMeanings[] = {
#define MEANS(name, since, function) {#name, since, #function},
#include "fakes/cuda_driver/proc_address.inc"
#undef MEANS
};

constexpr cuuint64_t kPerThreadStream = 2, kSearchFlags = 3;

void* Export(const char* name) {
  for (uint32_t i = 0; i < gpustage_export_count; ++i)
    if (world::Equal(gpustage_exports[i].name, name)) return gpustage_exports[i].address;
  return nullptr;
}

// The variant for the default stream of each thread, where there is one.
void* Export(const char* name, cuuint64_t flags) {
  if ((flags & kPerThreadStream) == 0) return Export(name);
  for (const char* suffix : {"_ptsz", "_ptds"}) {
    world::Text<96> variant;
    variant.Add(name).Add(suffix);
    void* const found = Export(variant.c_str());
    if (found != nullptr) return found;
  }
  return Export(name);
}

// A name without a version in it, as the headers of its time wrote it. Version -1 is the newest. Of
// what came with a newer CUDA than the driver's it knows nothing.
CUdriverProcAddressQueryResult Find(const char* symbol, int version, cuuint64_t flags,
                                    void** function) {
  const Meaning* meant = nullptr;
  bool known = false;
  for (const Meaning& row : kMeanings) {
    if (!world::Equal(row.name, symbol) || row.since > world::Here().driver_cuda_version) continue;
    known = true;
    if (version < 0 || version >= row.since) meant = &row;
  }
  *function = meant == nullptr ? nullptr : Export(meant->function, flags);
  if (*function != nullptr) return CU_GET_PROC_ADDRESS_SUCCESS;
  return known ? CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
}

// What is not found is a success for those who ask for the status, and an error for others.
CUresult Look(const char* symbol, void** function, int version, cuuint64_t flags,
              CUdriverProcAddressQueryResult* status) {
  if (symbol == nullptr || function == nullptr || flags > kSearchFlags ||
      version > world::Here().driver_cuda_version)
    return CUDA_ERROR_INVALID_VALUE;
  void* found = nullptr;
  const CUdriverProcAddressQueryResult result = Find(symbol, version, flags, &found);
  if (found == nullptr && status == nullptr) return CUDA_ERROR_NOT_FOUND;
  *function = found;
  if (status != nullptr) *status = result;
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuGetProcAddress(const char* symbol, void** function, int version, cuuint64_t flags) {
  return Answer(CALL(symbol, version, flags),
                [&] { return Look(symbol, function, version, flags, nullptr); });
}

CUresult cuGetProcAddress_v2(const char* symbol, void** function, int version, cuuint64_t flags,
                             CUdriverProcAddressQueryResult* status) {
  return Answer(CALL(symbol, version, flags),
                [&] { return Look(symbol, function, version, flags, status); });
}
