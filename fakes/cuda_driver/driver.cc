// cuInit, versions and error texts.
#include "fakes/cuda_driver/driver.h"

#include <cstdlib>

#include "fakes/cuda_driver/visible_devices.h"
#include "fakes/world/kernel_side.h"
#include "fakes/world/limits.h"
#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"
#include "fakes/world/world.h"

namespace gpustage::world {
const int32_t kNotSupported = CUDA_ERROR_NOT_SUPPORTED;
const int32_t kDeviceLost = CUDA_ERROR_UNKNOWN;
}  // namespace gpustage::world

namespace gpustage::cuda_driver {
namespace {

struct BeforeInit {
  const char* function;
  CUresult code;
};
constexpr BeforeInit kBeforeInit[] = {
#define BEFORE_INIT(function, code) {#function, code},
#include "fakes/cuda_driver/before_init.inc"
#undef BEFORE_INIT
};

VisibleDevices g_devices;  // written once, before g_count
int g_count = -1;
int g_process = 0;  // that it was started in: none starts it again, and a child has none of it

bool WasStartedByParent() {
  const int process = __atomic_load_n(&g_process, __ATOMIC_ACQUIRE);
  return process != 0 && process != world::ProcessId();
}

// Recorded on an H200: with 3 and 5 descriptors left 304, with 9 of them 100, with 29 a start.
constexpr int kDescriptorsOfStart = 6, kDescriptorsOfDevices = 13;
CUresult AskResources() {
  if (world::AddressSpaceIsShort()) return CUDA_ERROR_OUT_OF_MEMORY;
  const int left = world::DescriptorsLeft();
  if (left < kDescriptorsOfStart || world::CannotStartThreads() || !world::ProcIsThere())
    return CUDA_ERROR_OPERATING_SYSTEM;
  return left < kDescriptorsOfDevices ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS;
}

// The branches of the kernel module that the compatibility package of a CUDA version is for: what
// NVIDIA's own images of that version ask for beside their own driver (NVIDIA_REQUIRE_CUDA in
// dist/*/base/Dockerfile of nvidia/container-images/cuda). Ends with 0.
struct Compatible {
  int cuda;
  int branches[6];
};
constexpr Compatible kCompatible[] = {{11080, {470}},
                                      {12000, {470}},
                                      {12020, {470, 525}},
                                      {12030, {470, 525, 535}},
                                      {12040, {470, 525, 535}},
                                      {12050, {470, 535, 550}},
                                      {12060, {470, 535, 550}},
                                      {12080, {470, 535, 550, 560, 565}},
                                      {12090, {535, 550, 560, 565, 570}},
                                      {13000, {535, 550, 565, 570, 575}}};

// Assumed of a version between two of them, or newer than all: as the older, and for the branches
// that came since.
bool IsCompatible(int cuda, int branch) {
  const Compatible* row = nullptr;
  for (const Compatible& one : kCompatible)
    if (one.cuda <= cuda) row = &one;
  if (row == nullptr) return true;
  int newest = 0;
  for (const int listed : row->branches) {
    if (listed == branch) return true;
    if (listed > newest) newest = listed;
  }
  return row->cuda != cuda && branch > newest;
}

bool IsConsumerGpu(const world::Device& device) {
  return strstr(device.name, "GeForce") != nullptr || strstr(device.name, "TITAN") != nullptr;
}

// A library of a newer branch than the kernel module is forward compatibility, which is for data
// centre GPUs alone (CUDA Compatibility guide); any other difference is a mismatch (cuda.h on 803).
CUresult AskKernelModule() {
  const world::KernelModule module = world::TheKernelModule();
  if (module == world::KernelModule::kSame) return CUDA_SUCCESS;
  const world::World& machine = world::Here();
  if (module == world::KernelModule::kOther ||
      !IsCompatible(machine.driver_cuda_version, world::Branch(machine.kernel_driver)))
    return CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;
  for (uint32_t i = 0; i < machine.device_count; ++i)
    if (IsConsumerGpu(machine.devices[i])) return CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE;
  return CUDA_SUCCESS;
}

CUresult Init(unsigned int flags) {
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  if (DeviceCount() >= 0) return CUDA_SUCCESS;
  if (WasStartedByParent()) return CUDA_ERROR_NOT_INITIALIZED;
  const CUresult resources = AskResources();
  if (resources != CUDA_SUCCESS) return resources;
  if (world::ControlNode() != world::Node::kThere) return CUDA_ERROR_NO_DEVICE;
  const CUresult module = AskKernelModule();
  if (module != CUDA_SUCCESS) return module;
  bool gone = false;
  const uint32_t there = world::DevicesThere(&gone);
  if (there == 0 && gone) return CUDA_ERROR_INVALID_DEVICE;
  const VisibleDevices found = FindVisibleDevices(
      world::Here(), there, getenv("CUDA_VISIBLE_DEVICES"), getenv("CUDA_DEVICE_ORDER"));
  if (found.result != CUDA_SUCCESS) return found.result;
  if (world::MemoryNode() != world::Node::kThere) return CUDA_ERROR_UNKNOWN;
  g_devices = found;  // threads that race here write the same
  __atomic_store_n(&g_process, world::ProcessId(), __ATOMIC_RELEASE);
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

int DeviceCount() {
  const int count = __atomic_load_n(&g_count, __ATOMIC_ACQUIRE);
  return count >= 0 && WasStartedByParent() ? -1 : count;
}

const Device* DeviceAt(CUdevice ordinal) {
  if (ordinal < 0 || ordinal >= DeviceCount()) return nullptr;
  return &world::Here().devices[g_devices.index[ordinal]];
}

}  // namespace gpustage::cuda_driver

int32_t gpustage::world::AnswerOfStub(const char* function) {
  using namespace gpustage::cuda_driver;
  if (DeviceCount() >= 0) return CUDA_ERROR_NOT_SUPPORTED;
  for (const BeforeInit& row : kBeforeInit)
    if (Equal(row.function, function)) return row.code;
  return CUDA_ERROR_NOT_INITIALIZED;
}

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
