// Start and end, versions, error texts.
#include <fcntl.h>

#include <cerrno>
#include <cstdlib>

#include "fakes/nvml/machine.h"
#include "fakes/world/kernel_side.h"
#include "fakes/world/limits.h"
#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"

namespace gpustage::world {
const int32_t kNotSupported = NVML_ERROR_NOT_SUPPORTED;
const int32_t kDeviceLost = NVML_ERROR_GPU_IS_LOST;
int32_t AnswerOfStub(const char*) {
  return gpustage::nvml::Initialised() ? NVML_ERROR_NOT_SUPPORTED : NVML_ERROR_UNINITIALIZED;
}
}  // namespace gpustage::world

namespace gpustage::nvml {
namespace {

using world::World;

int g_users = 0;  // nvmlInit counts, nvmlShutdown counts back
nvmlDevice_st g_handles[world::kMaxDevices];
unsigned int g_count = 0;
nvmlDevice_st g_slices[world::kMaxDevices];
int g_slice_count = 0;
int g_process = 0;  // that began it
uint32_t g_there = 0;

// With 3 descriptors left it starts and finds no device; with 5 it finds one.
constexpr int kDescriptorsOfStart = 5;

// Where open itself fails, the errno decides; a mode that shuts the node is seen before.
nvmlReturn_t CodeOf(int error) {
  return error == EIO || error == EMFILE ? NVML_ERROR_OPERATING_SYSTEM : NVML_ERROR_UNKNOWN;
}

nvmlReturn_t AskKernel() {
  int error = 0;
  switch (world::ControlNode(&error)) {
    case world::Node::kThere: break;
    case world::Node::kFails: return CodeOf(error);
    case world::Node::kMissing: return NVML_ERROR_DRIVER_NOT_LOADED;
    case world::Node::kRefused: return NVML_ERROR_NO_PERMISSION;
    case world::Node::kNotTheDevice: return NVML_ERROR_OPERATING_SYSTEM;
  }
  return world::TheKernelModule() == world::KernelModule::kSame
             ? NVML_SUCCESS
             : NVML_ERROR_LIB_RM_VERSION_MISMATCH;
}

// On the board of its address, in the order of the scenario.
void FindSlices(int boards) {
  const World& world = world::Here();
  g_slice_count = 0;
  for (uint32_t i = 0; i < world.device_count; ++i) {
    const world::Device& slice = world.devices[i];
    if (slice.mig != world::Mig::kSlice) continue;
    for (int board = 0; board < boards; ++board) {
      const world::Device& of = *g_handles[board].device;
      if (of.mig != world::Mig::kBoard || of.pci_bus != slice.pci_bus ||
          of.pci_domain != slice.pci_domain || of.pci_device != slice.pci_device)
        continue;
      int place = 0;
      for (int other = 0; other < g_slice_count; ++other) place += g_slices[other].board == board;
      g_slices[g_slice_count++] = {&slice, g_handles[board].node, board, place};
    }
  }
}

// NVIDIA's own log of NVML, of which a fake writes none, cannot be written there.
void WarnOfLog() {
  const char* const path = getenv("__NVML_DBG_FILE");
  if (path == nullptr) return;
  const long file = world::SystemCall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path),
                                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file >= 0) {
    world::SystemCall(SYS_close, file);
    return;
  }
  Text<320> text;
  text.Add("WARNING: Failed to open log file __NVML_DBG_FILE='").Add(path).Add("'. errno = ");
  text.Add(strerror(static_cast<int>(-file))).Add('\n');
  world::WriteError(text.c_str(), text.length());
}

constexpr unsigned int kInitNoAttach = 2;

nvmlReturn_t Init(unsigned int flags) {
  if (!Initialised()) {
    WarnOfLog();
    // What was opened once stays open until the process ends; a child opens for itself.
    const bool again = g_process == world::ProcessId();
    const nvmlReturn_t kernel = again ? NVML_SUCCESS : AskKernel();
    if (kernel != NVML_SUCCESS) return kernel;
    const bool room = world::DescriptorsLeft() >= kDescriptorsOfStart;
    const uint32_t there = again ? g_there : room ? world::DevicesThere() : 0;
    if (!again) __atomic_store_n(&g_users, 0, __ATOMIC_RELEASE);
    g_there = there;
    g_process = world::ProcessId();
    uint8_t places[world::kMaxDevices];
    int count = 0;
    // A board in MIG mode stands for its slices, and is behind CUDA's devices.
    const World& world = world::Here();
    for (uint32_t i = 0; i < world.device_count + world.board_count; ++i) {
      const bool is_there = (there >> i & 1) != 0;
      if (is_there && world.devices[i].mig != world::Mig::kSlice)
        places[count++] = static_cast<uint8_t>(i);
    }
    world::SortByPci(world::Here(), places, count);
    for (int i = 0; i < count; ++i)
      g_handles[i] = {&world::Here().devices[places[i]], world::NodeNumber(places[i]), -1, 0};
    if ((flags & kInitNoAttach) != 0) count = 0;
    FindSlices(count);
    __atomic_store_n(&g_count, static_cast<unsigned int>(count), __ATOMIC_RELEASE);
  }
  __atomic_add_fetch(&g_users, 1, __ATOMIC_ACQ_REL);
  return NVML_SUCCESS;
}

nvmlReturn_t Shutdown() {
  __atomic_sub_fetch(&g_users, 1, __ATOMIC_ACQ_REL);
  return NVML_SUCCESS;
}

struct ErrorText {
  nvmlReturn_t code;
  const char* text;
};
constexpr ErrorText kErrors[] = {
#define ERROR(code, text) {code, text},
#include "fakes/nvml/errors.inc"
#undef ERROR
};

const char* FindError(nvmlReturn_t code) {
  for (const ErrorText& error : kErrors)
    if (error.code == code) return error.text;
  return "Unknown Error";
}

}  // namespace

bool Initialised() {
  return __atomic_load_n(&g_users, __ATOMIC_ACQUIRE) > 0 && g_process == world::ProcessId();
}
unsigned int DeviceCount() { return __atomic_load_n(&g_count, __ATOMIC_ACQUIRE); }

nvmlDevice_t HandleAt(unsigned int index) {
  return index < DeviceCount() ? &g_handles[index] : nullptr;
}

int IndexOf(nvmlDevice_t handle) {
  if (handle < g_handles || handle >= g_handles + DeviceCount()) return -1;
  return static_cast<int>(handle - g_handles);
}

nvmlDevice_t SliceAt(int board, int place) {
  for (int i = 0; i < g_slice_count; ++i)
    if (g_slices[i].board == board && g_slices[i].place == place) return &g_slices[i];
  return nullptr;
}

bool IsSlice(nvmlDevice_t handle) {
  return Initialised() && handle >= g_slices && handle < g_slices + g_slice_count;
}

}  // namespace gpustage::nvml

using namespace gpustage::nvml;

nvmlReturn_t nvmlInit() {
  return Answer(CALL(), [] { return Init(0); });
}
nvmlReturn_t nvmlInit_v2() {
  return Answer(CALL(), [] { return Init(0); });
}
nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
  return Answer(CALL(flags), [&] { return Init(flags); });
}
nvmlReturn_t nvmlShutdown() { return AfterInit(CALL(), Shutdown); }

const char* nvmlErrorString(nvmlReturn_t result) {
  return gpustage::world::AnswerText(CALL(result), [&] { return FindError(result); });
}

nvmlReturn_t nvmlSystemGetDriverVersion(char* version, unsigned int length) {
  return AfterInit(CALL(length), [&] {
    return PutText(version, length, gpustage::world::Here().driver_version);
  });
}

// The CUDA major, then the driver's version: "13.580.159.04". Needs no nvmlInit.
nvmlReturn_t nvmlSystemGetNVMLVersion(char* version, unsigned int length) {
  return Answer(CALL(length), [&] {
    const auto& world = gpustage::world::Here();
    Text<64> text;
    text.Decimal(world.driver_cuda_version / 1000).Add('.').Add(world.driver_version);
    return PutText(version, length, text.c_str());
  });
}

// nvidia-smi asks for a table that NVIDIA does not document.
extern "C" nvmlReturn_t nvmlInternalGetExportTable(const void**, const void*) {
  return Answer(CALL().Trust(Fidelity::kStub), [] { return NVML_ERROR_INVALID_ARGUMENT; });
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion(int* version) {
  return AfterInit(CALL(),
                   [&] { return Put(version, gpustage::world::Here().driver_cuda_version); });
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int* version) {
  return AfterInit(CALL(),
                   [&] { return Put(version, gpustage::world::Here().driver_cuda_version); });
}
