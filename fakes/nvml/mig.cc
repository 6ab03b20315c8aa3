// MIG: whether a board is cut, the slices of it, and what it could be cut into. A slice here is one
// compute instance in one GPU instance. Sources: NVIDIA's MIG User Guide; the codes of a board that
// is whole are recorded.
#include "fakes/nvml/board.h"
#include "fakes/world/syscall.h"

namespace gpustage::nvml {
namespace {

// Boards of the guide's list of supported GPUs, by a word of their names, and the slices of one.
struct MigBoard {
  const char* word;
  unsigned int slices;
};
constexpr MigBoard kMigBoards[] = {{"A30", 4},
                                   {"A100", 7},
                                   {"H100", 7},
                                   {"H200", 7},
                                   {"H20", 7},
                                   {"GH200", 7},
                                   {"B200", 7},
                                   {"GB200", 7},
                                   {"B300", 7},
                                   {"GB300", 7},
                                   {"RTX PRO 6000 Blackwell", 4}};

bool IsBoard(const Device& device) { return device.mig == world::Mig::kBoard; }

// 0: it cannot be cut.
unsigned int SlicesOf(const Device& device) {
  for (const MigBoard& board : kMigBoards)
    if (strstr(device.name, board.word) != nullptr) return board.slices;
  return IsBoard(device) ? 7 : 0;
}

// "3" of "NVIDIA A100-SXM4-80GB MIG 3g.40gb".
unsigned int SlicesIn(const Device& slice) {
  const char* const at = strstr(slice.name, " MIG ");
  return at != nullptr && at[5] >= '1' && at[5] <= '9' ? static_cast<unsigned int>(at[5] - '0') : 1;
}

// Assumed of the numbers: those that the guide's examples have, from 7 on for one slice, from 3 for
// two, from 1 for more, 0 for all.
unsigned int FirstInstance(const Device& slice) {
  const unsigned int slices = SlicesIn(slice);
  return slices == 1 ? 7 : slices == 2 ? 3 : slices < 7 ? 1 : 0;
}
unsigned int GpuInstanceOf(nvmlDevice_t slice) {
  const unsigned int first = FirstInstance(*slice->device);
  unsigned int before = 0;
  for (int place = 0; place < slice->place; ++place)
    before += FirstInstance(*SliceAt(slice->board, place)->device) == first;
  return first + before;
}

template <typename Body>
nvmlReturn_t OnSlice(Call&& call, nvmlDevice_t handle, nvmlReturn_t otherwise, Body body) {
  call.set_fidelity(IsSlice(handle) ? Fidelity::kAssumed : Fidelity::kModelled);
  return OnGpuOrSlice(static_cast<Call&&>(call), handle, [&](const Device& d) -> nvmlReturn_t {
    return IsSlice(handle) ? body(d) : otherwise;
  });
}

// nvmlDeviceAttributes_t.
struct Attributes {
  unsigned int multiprocessors, copy_engines, decoders, encoders, jpeg, ofa, gpu_slices,
      compute_slices;
  unsigned long long megabytes;
};
static_assert(sizeof(Attributes) == 40);

nvmlReturn_t PutAttributes(const Device& slice, Attributes* out) {
  const unsigned int slices = SlicesIn(slice);
  return Put(out, Attributes{static_cast<unsigned int>(slice.sm_count), slices,
                             slices > 1 ? slices / 2 : 0, 0, 0, 0, slices, slices,
                             slice.memory_total >> 20});
}

// What of a board's eight parts of the memory a slice of so many of its seven processors has.
unsigned int MemoryParts(unsigned int slices) { return slices == 3 ? 4 : slices == 7 ? 8 : slices; }

// Assumed of any board that was not recorded.
unsigned long long Bar1Of(const Device& board) {
  return IsH200(board) ? 256ull << 30 : IsGeForce(board) ? 256ull << 20 : 128ull << 30;
}

nvmlReturn_t SliceByIndex(nvmlDevice_t board, const Device& device, unsigned int index,
                          nvmlDevice_t* slice) {
  if (slice == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (IsBoard(device) && index >= SlicesOf(device)) return NVML_ERROR_INVALID_ARGUMENT;
  nvmlDevice_t const found =
      IsBoard(device) ? SliceAt(IndexOf(board), static_cast<int>(index)) : nullptr;
  return found == nullptr ? NVML_ERROR_NOT_FOUND : Put(slice, found);
}

// nvmlGpuInstanceProfileInfo_t of a profile by its number of slices. Recorded of an H200's first:
// 19, no P2P, 1 slice, 7 of them, 16 multiprocessors, 1 copy engine.
struct ProfileInfo {
  unsigned int id, p2p, slices, instances, multiprocessors, copy_engines, decoders, encoders, jpeg,
      ofa;
  unsigned long long megabytes;
};
static_assert(sizeof(ProfileInfo) == 48);
struct Profile {
  unsigned int slices, id, instances;
};
// By NVML_GPU_INSTANCE_PROFILE_*; the ids are those of `nvidia-smi mig -lgip` in the guide.
constexpr Profile kProfiles[] = {{1, 19, 7}, {2, 14, 3}, {3, 9, 2}, {4, 5, 1}, {7, 0, 1}};
constexpr unsigned int kProfileCount = sizeof(kProfiles) / sizeof(kProfiles[0]);

nvmlReturn_t PutProfile(const Device& device, unsigned int profile, ProfileInfo* out) {
  if (out == nullptr || profile > 16) return NVML_ERROR_INVALID_ARGUMENT;
  if (profile >= kProfileCount || SlicesOf(device) != 7) return NVML_ERROR_NOT_SUPPORTED;
  const Profile& of = kProfiles[profile];
  const auto all = static_cast<unsigned int>(device.sm_count);
  const unsigned int each = all / 8 / 2 * 2;
  const unsigned int memory_parts = MemoryParts(of.slices);
  const uint64_t whole = device.nvml_memory_total >> 20;
  return Put(out,
             ProfileInfo{of.id, 0, of.slices, of.instances, of.slices == 7 ? all : each * of.slices,
                         of.slices, of.slices / 2, 0, 0, 0, whole * memory_parts / 8});
}

const Profile* ProfileById(unsigned int id) {
  for (const Profile& profile : kProfiles)
    if (profile.id == id) return &profile;
  return nullptr;
}

nvmlReturn_t PutCapacity(nvmlDevice_t board, const Device& device, unsigned int id,
                         unsigned int* count) {
  const Profile* const profile = ProfileById(id);
  if (count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (profile == nullptr || SlicesOf(device) != 7) return NVML_ERROR_NOT_SUPPORTED;
  unsigned int taken = 0;
  for (int place = 0; nvmlDevice_t slice = SliceAt(IndexOf(board), place); ++place)
    taken += SlicesIn(*slice->device);
  const unsigned int fit = (7 - (taken < 7 ? taken : 7)) / profile->slices;
  return Put(count, fit < profile->instances ? fit : profile->instances);
}

struct Placement {
  unsigned int start, size;
};

nvmlReturn_t PutPlacements(const Device& device, unsigned int id, Placement* placements,
                           unsigned int* count) {
  const Profile* const profile = ProfileById(id);
  if (count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (profile == nullptr || SlicesOf(device) != 7) return NVML_ERROR_NOT_SUPPORTED;
  const unsigned int size = MemoryParts(profile->slices);
  if (placements != nullptr)
    for (unsigned int i = 0; i < profile->instances; ++i) placements[i] = {i * size, size};
  return Put(count, profile->instances);
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

// A GeForce has no such mode (nvml.h: NOT_SUPPORTED "if device doesn't support MIG mode").
nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int* current,
                                  unsigned int* pending) {
  return OnBoard(CALL(), device, [&](const Device& d) -> nvmlReturn_t {
    if (current == nullptr || pending == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    if (SlicesOf(d) == 0) return NVML_ERROR_NOT_SUPPORTED;
    return PutTwo(current, pending, IsBoard(d), IsBoard(d));
  });
}

// What a fake is cut into is the scenario's: whoever asks for another mode is refused.
nvmlReturn_t nvmlDeviceSetMigMode(nvmlDevice_t device, unsigned int mode, nvmlReturn_t* status) {
  return OnDevice(CALL(mode).Trust(Fidelity::kAssumed), device,
                  [&](const Device& d) -> nvmlReturn_t {
                    if (status == nullptr || mode > 1) return NVML_ERROR_INVALID_ARGUMENT;
                    if (SlicesOf(d) == 0) return NVML_ERROR_NOT_SUPPORTED;
                    if (gpustage::world::SystemCall(SYS_geteuid) != 0)
                      return NVML_ERROR_NO_PERMISSION;
                    *status = mode == IsBoard(d) ? NVML_SUCCESS : NVML_ERROR_IN_USE;
                    return *status;
                  });
}

// Of a slice by the guide's example: 32767 MiB of a 3g.20gb, 8191 of a 1g.5gb.
nvmlReturn_t nvmlDeviceGetBAR1MemoryInfo(nvmlDevice_t device, nvmlMemory_t* memory) {
  if (IsSlice(device))
    return OnGpuOrSlice(CALL().Trust(Fidelity::kAssumed), device, [&](const Device& d) {
      const unsigned long long whole =
          Bar1Of(*HandleAt(static_cast<unsigned>(device->board))->device);
      const unsigned long long total = whole * MemoryParts(SlicesIn(d)) / 8;
      return Put(memory, nvmlMemory_t{total, total, 0});
    });
  return OnBoard(CALL(), device, [&](const Device& d) {
    return Put(memory, nvmlMemory_t{Bar1Of(d), Bar1Of(d), 0});  // bar1Total, bar1Free, bar1Used
  });
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int* count) {
  return OnBoard(CALL(), device,
                 [&](const Device& d) { return Put(count, IsBoard(d) ? SlicesOf(d) : 0); });
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index,
                                                 nvmlDevice_t* slice) {
  return OnBoard(CALL(index), device,
                 [&](const Device& d) { return SliceByIndex(device, d, index, slice); });
}

nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned int* is_slice) {
  return OnGpuOrSlice(CALL(), device,
                      [&](const Device&) { return Put(is_slice, IsSlice(device)); });
}

nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t slice,
                                                          nvmlDevice_t* device) {
  return OnGpuOrSlice(CALL(), slice, [&](const Device&) -> nvmlReturn_t {
    return IsSlice(slice) ? Put(device, HandleAt(static_cast<unsigned int>(slice->board)))
                          : NVML_ERROR_INVALID_ARGUMENT;
  });
}

nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t device, unsigned int* id) {
  return OnSlice(CALL(), device, NVML_ERROR_INVALID_ARGUMENT,
                 [&](const Device&) { return Put(id, GpuInstanceOf(device)); });
}
nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t device, unsigned int* id) {
  return OnSlice(CALL(), device, NVML_ERROR_INVALID_ARGUMENT,
                 [&](const Device&) { return Put(id, 0); });
}

nvmlReturn_t nvmlDeviceGetAttributes(nvmlDevice_t device, Attributes* attributes) {
  return OnSlice(CALL(), device, NVML_ERROR_NOT_SUPPORTED,
                 [&](const Device& d) { return PutAttributes(d, attributes); });
}
nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t device, Attributes* attributes) {
  return OnSlice(CALL(), device, NVML_ERROR_NOT_SUPPORTED,
                 [&](const Device& d) { return PutAttributes(d, attributes); });
}

nvmlReturn_t nvmlDeviceGetGpuInstanceProfileInfo(nvmlDevice_t device, unsigned int profile,
                                                 ProfileInfo* info) {
  return OnBoard(CALL(profile), device,
                 [&](const Device& d) { return PutProfile(d, profile, info); });
}

// Their structs begin with a version, which nobody's recording has right.
#define OLDER_VERSION(name)                                                                     \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int profile, void* info) {                    \
    return OnBoard(CALL(profile), device, [&](const Device& d) -> nvmlReturn_t {                \
      unsigned int version = 0;                                                                 \
      if (info != nullptr) memcpy(&version, info, sizeof(version));                             \
      if (version == 0) return NVML_ERROR_INVALID_ARGUMENT;                                     \
      return profile < kProfileCount && SlicesOf(d) == 7 ? NVML_ERROR_ARGUMENT_VERSION_MISMATCH \
                                                         : NVML_ERROR_NOT_SUPPORTED;            \
    });                                                                                         \
  }
OLDER_VERSION(nvmlDeviceGetGpuInstanceProfileInfoV)
OLDER_VERSION(nvmlDeviceGetGpuInstanceProfileInfoByIdV)
#undef OLDER_VERSION

nvmlReturn_t nvmlDeviceGetGpuInstanceRemainingCapacity(nvmlDevice_t device, unsigned int id,
                                                       unsigned int* count) {
  return OnBoard(CALL(id), device,
                 [&](const Device& d) { return PutCapacity(device, d, id, count); });
}

nvmlReturn_t nvmlDeviceGetGpuInstancePossiblePlacements_v2(nvmlDevice_t device, unsigned int id,
                                                           Placement* placements,
                                                           unsigned int* count) {
  return OnBoard(CALL(id), device,
                 [&](const Device& d) { return PutPlacements(d, id, placements, count); });
}

// Handles of instances are root's alone and nobody's here: a scenario's slices have none.
nvmlReturn_t nvmlDeviceGetGpuInstances(nvmlDevice_t device, unsigned int id, void** instances,
                                       unsigned int* count) {
  return OnBoard(CALL(id), device, [&](const Device& d) -> nvmlReturn_t {
    if (instances == nullptr || count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    if (ProfileById(id) == nullptr || SlicesOf(d) == 0) return NVML_ERROR_NOT_SUPPORTED;
    return Put(count, 0);
  });
}
nvmlReturn_t nvmlDeviceGetGpuInstanceById(nvmlDevice_t device, unsigned int id, void** instance) {
  return OnBoard(CALL(id), device, [&](const Device&) -> nvmlReturn_t {
    return instance == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_ERROR_NOT_FOUND;
  });
}
}
