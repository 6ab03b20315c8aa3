// The GPUs and the driver of a case.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

struct ComputeCapability {
  int major = 0;
  int minor = 0;

  friend auto operator<=>(const ComputeCapability&, const ComputeCapability&) = default;
};

// What nobody has recorded or published of a device. Whoever reads it is told so in the evidence.
struct Assumed {
  std::set<int> attributes;
  bool memory_total = false;
  bool memory_free = false;

  friend bool operator==(const Assumed&, const Assumed&) = default;
};

struct GpuDevice {
  std::string profile;  // name in fixtures/devices, "" when written out in the scenario
  std::string name;     // "NVIDIA H100 80GB HBM3"
  std::array<uint8_t, 16> uuid = {};
  std::string pci =
      "0000:01:00.0";  // domain:bus:device.function; may be malformed when a scenario says so
  ComputeCapability cc;
  std::optional<ComputeCapability>
      prop_cc;                     // where cudaDeviceProp and NVML disagree with the driver API
  uint64_t memory_total = 0;       // bytes, as CUDA counts
  uint64_t memory_free = 0;        // bytes
  uint64_t nvml_memory_total = 0;  // bytes; 0: the same as memory_total
  bool no_nvml_memory = false;     // NVML says "not supported": the memory is the machine's own
  int sm_count = 0;
  bool integrated = false;
  std::map<int, int> attributes;  // CUdevice_attribute -> value
  std::map<int, int> board;       // world::BoardFigure -> value: what NVML knows and CUDA does not
  bool recorded = false;  // whole: the real driver refused every attribute that is not there
  Assumed assumed;
  std::string pci_id;        // "10de:2330", "" where it is no PCI device
  std::string gfx;           // "gfx90a", AMD's; "" where amdkfd does not know it
  std::string mig_parent;    // a MIG slice: the profile of the board that it is cut from
  bool mig_enabled = false;  // a board that slices are cut from

  friend bool operator==(const GpuDevice&, const GpuDevice&) = default;
};

enum class FaultKind {
  kReturn,
  kHang,
  kDelay,
  kSegfault,
  kAbort,
  kExit,
  kLost,
  kMemoryLeft,
  kErrno
};

struct FaultSpec {
  std::string function;  // "cuInit"; "" for what befalls a device at a time; kErrno: a node's path
  std::optional<int> device;
  int first_call = 1;
  std::optional<int> last_call;
  std::string process_has;  // only in processes whose command line or environment contains this
  FaultKind kind = FaultKind::kReturn;
  int code = 0;  // kReturn, kExit, kErrno; kLost: 0 is what the library says of a lost device
  int milliseconds = 0;  // kDelay
  bool sticky = false;
  SourcePos pos;
  int from_ms = 0;  // only so long after the process started, from and until
  std::optional<int> to_ms = {};
  uint64_t bytes = 0;  // kMemoryLeft

  friend bool operator==(const FaultSpec&, const FaultSpec&) = default;
};

enum class PropsLayout { kOwn, kCuda12, kCuda13, kNaive, kTruncated, kHomemade };

struct Machine {
  std::vector<GpuDevice> devices;
  std::vector<GpuDevice> boards;      // of MIG slices: NVML lists them, CUDA does not
  std::vector<GpuDevice> others;      // that are not NVIDIA's: CUDA does not list them
  std::string driver = "580.159.04";  // as NVML and /proc/driver/nvidia/version print it
  std::string kernel_driver;          // the kernel module's version; "": the driver's
  int cuda_version = 13000;           // cuDriverGetVersion: 12080 is 12.8
  PropsLayout props_layout = PropsLayout::kOwn;
  std::vector<FaultSpec> faults;
  bool real_nodes = false;  // those of its kernel are character devices, which only root makes
  bool nvidia_container = false;  // a container that NVIDIA's runtime gives of the layouts

  friend bool operator==(const Machine&, const Machine&) = default;
};

// What one placed library says otherwise than the machine does: a stale copy of the driver, a shim
// that counts on its own.
struct MachineChange {
  Machine machine;
  std::vector<std::string> keys;  // the fields of `machine` that were written

  friend bool operator==(const MachineChange&, const MachineChange&) = default;
};

// "GPU-00112233-4455-6677-8899-aabbccddeeff".
std::string UuidText(const std::array<uint8_t, 16>& uuid);
// That, or MIG-… for a slice.
std::string UuidText(const GpuDevice& device);

}  // namespace gpustage
