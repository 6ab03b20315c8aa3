// cuInit, versions and error texts.
#include "fakes/cuda_driver/driver.h"

#include <cstdlib>

#include "fakes/cuda_driver/visible_devices.h"
#include "fakes/world/stub.h"
#include "fakes/world/world.h"

namespace gpustage::world {
const int32_t kNotSupported = CUDA_ERROR_NOT_SUPPORTED;
}

namespace gpustage::cuda_driver {
namespace {

VisibleDevices g_devices;  // written once, before g_count
int g_count = -1;

CUresult Init(unsigned int flags) {
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  if (DeviceCount() >= 0) return CUDA_SUCCESS;
  const VisibleDevices found = FindVisibleDevices(world::Here(), getenv("CUDA_VISIBLE_DEVICES"),
                                                  getenv("CUDA_DEVICE_ORDER"));
  if (found.result != CUDA_SUCCESS) return found.result;
  g_devices = found;  // threads that race here write the same
  __atomic_store_n(&g_count, found.count, __ATOMIC_RELEASE);
  return CUDA_SUCCESS;
}

struct ErrorText {
  CUresult code;
  const char* name;
  const char* text;
};
constexpr ErrorText kErrors[] = {
#define ERROR(code, name, text) {code, #name, text},
#include "fakes/cuda_driver/errors.inc"
#undef ERROR
};

const ErrorText* FindError(CUresult code) {
  for (const ErrorText& error : kErrors)
    if (error.code == code) return &error;
  return nullptr;
}

CUresult PutText(const char** where, const ErrorText* error, const char* const ErrorText::*text) {
  if (where == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *where = error == nullptr ? nullptr : error->*text;
  return error == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

}  // namespace

int DeviceCount() { return __atomic_load_n(&g_count, __ATOMIC_ACQUIRE); }

const Device* DeviceAt(CUdevice ordinal) {
  if (ordinal < 0 || ordinal >= DeviceCount()) return nullptr;
  return &world::Here().devices[g_devices.index[ordinal]];
}

}  // namespace gpustage::cuda_driver

using namespace gpustage::cuda_driver;

CUresult cuInit(unsigned int flags) {
  return Answer(CALL(flags), [&] { return Init(flags); });
}

CUresult cuDriverGetVersion(int* version) {
  return Answer(CALL(), [&] { return Put(version, gpustage::world::Here().driver_cuda_version); });
}

CUresult cuGetErrorName(CUresult error, const char** text) {
  return Answer(CALL(error), [&] { return PutText(text, FindError(error), &ErrorText::name); });
}

CUresult cuGetErrorString(CUresult error, const char** text) {
  return Answer(CALL(error), [&] { return PutText(text, FindError(error), &ErrorText::text); });
}
