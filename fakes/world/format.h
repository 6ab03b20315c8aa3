// The three binary shapes that the harness and the fakes share. This is the only header of fakes/
// that harness/ includes.
//
//   stamp    a slot in the data of every fake, filled in when the fake is placed: where its world
//            and journal are
//   world    one read-only file: the devices, the driver and the faults that a placed fake answers
//            from
//   journal  one append-only file a run: every call into a fake, and what the loader did
//            (run/recorders write there too)
//
// All integers are little endian, all structs are plain and 8-byte aligned. Paths are absolute
// inside the private root.
#pragma once

#include <asm/unistd_64.h>

#include <cstdint>

namespace gpustage::world {

// ---- Stamp --------------------------------------------------------------------------------------

inline constexpr char kStampMagic[16] = "GPUSTAGE-STAMP1";  // 15 characters and the NUL

struct Stamp {
  char magic[16];
  uint32_t instance;  // which placed copy, counted from 1 in a case; 0: never placed, so no world
  uint32_t mark;      // of the tree: OwnCall below
  char world[232];
  char journal[232];
};
static_assert(sizeof(Stamp) == 488);

// ---- World --------------------------------------------------------------------------------------

inline constexpr char kWorldMagic[8] = "GPSWRLD";
inline constexpr uint32_t kWorldVersion = 3;
inline constexpr uint32_t kMaxDevices = 32;
inline constexpr uint32_t kMaxFaults = 64;
inline constexpr uint32_t kMaxArchs = 32;
inline constexpr uint32_t kMaxAttributes = 192;  // CUdevice_attribute numbers 0..191
inline constexpr int32_t kNoAttribute =
    INT32_MIN;  // the fake derives it or answers CUDA_ERROR_INVALID_VALUE

// A board in MIG mode is NVML's alone; CUDA has its slices.
enum class Mig : uint32_t { kOff = 0, kSlice = 1, kBoard = 2 };

// Bits of Device::assumed_memory.
inline constexpr uint32_t kTotalIsAssumed = 1;
inline constexpr uint32_t kFreeIsAssumed = 2;

// What NVML says of a board beyond what CUDA knows; kNoAttribute: nobody published it.
enum class BoardFigure : uint32_t {
  kPowerLimit = 0,  // milliwatts, as it comes; the least and the most that can be set
  kLeastPowerLimit = 1,
  kMostPowerLimit = 2,
  kShutdown = 3,  // degrees
  kSlowdown = 4,
  kMemoryMost = 5,
  kGpuMost = 6,
  kVideoClock = 7,  // MHz at most
  kFans = 8,
  kPcieGeneration = 9,
  kPcieLanes = 10,
};
inline constexpr uint32_t kBoardFigures = 12;

struct Device {
  char name[256];
  uint8_t uuid[16];
  char pci_bus_id[32];  // as cudaDeviceGetPCIBusId prints it; a scenario may give a malformed one
  uint32_t pci_domain;
  uint32_t pci_bus;
  uint32_t pci_device;
  int32_t cc_major;  // compute capability by the driver API
  int32_t cc_minor;
  int32_t prop_cc_major;  // the same in cudaDeviceProp and NVML; they differ only where a scenario
                          // says so
  int32_t prop_cc_minor;
  int32_t sm_count;
  int32_t integrated;
  Mig mig;
  uint64_t memory_total;       // bytes, as CUDA counts them
  uint64_t memory_free;        // bytes
  uint64_t nvml_memory_total;  // bytes; NVML's figure is larger than CUDA's on real boards
  int32_t attributes[kMaxAttributes];
  uint8_t assumed[kMaxAttributes / 8];  // a bit an attribute: its value is nobody's record; a call
                                        // that reads it says so
  uint32_t assumed_memory;
  uint32_t no_nvml_memory;       // 1: NVML has no figures of it: the memory is the machine's own
  int32_t board[kBoardFigures];  // by BoardFigure
  char profile[48];              // its name in fixtures/devices; "" where the scenario wrote it out
};

enum class FaultAction : uint32_t {
  kReturn = 0,
  kHang = 1,
  kDelay = 2,
  kSegfault = 3,
  kAbort = 4,
  kExit = 5,
  // These two happen to a device, not to a call: once begun they meet every later call for it.
  kLost = 6,  // it falls off the bus: calls for it answer `code`, or what the library says of a
              // lost device
  kMemoryLeft = 7,  // only `bytes` of its memory are free
  kErrno = 8,       // `function` is the path of a node, and its open fails with `code`
};

struct Fault {
  char function[64];  // exported name, "cuInit"; "" with kLost and kMemoryLeft: no call begins it,
                      // time does
  char process_has[64];  // only in a process whose command line or environment contains this; "" is
                         // every process
  int32_t device;        // only for this ordinal; -1 is every device
  uint32_t first_call;   // N-th call in a process, counted from 1, from which on it applies
  uint32_t last_call;    // up to which it applies; 0: for ever
  FaultAction action;
  int32_t code;           // kReturn: what the function returns; kExit: the exit status
  uint32_t milliseconds;  // kDelay
  uint32_t sticky;        // kReturn in the runtime API: cudaGetLastError keeps it
  uint32_t from_ms;       // only so long after the process started, from which on it applies
  uint32_t to_ms;         // up to which it applies; 0: for ever
  uint32_t reserved;
  uint64_t bytes;  // kMemoryLeft
};

// How cudaGetDeviceProperties fills the caller's struct. Real ones follow the library's own major.
enum class PropsLayout : uint32_t {
  kOwn = 0,
  kCuda12 = 1,
  kCuda13 = 2,
  kNaive = 3,
  kTruncated = 4,
  kHomemade = 5
};

// The kernel side. A placed fake looks at the nodes in World::device_nodes, /dev. No character
// device can be made in a user namespace, so a node of the machine is a regular file that says
// which one it is: "gpustage node nvidia0\n" in nvidia0. Anything else under that name is not the
// device. With World::real_nodes it is a character device, which nobody can open: the fakes decide
// by its numbers and by who may open it.
inline constexpr char kNodeContent[] = "gpustage node ";  // and the name, and a line feed

// Of the node /dev/NAME; major 0: the kernel has none of that name. NVIDIA's majors of nvidia-uvm
// and nvidia-caps are given at loading, and are those of the recorded H100's; so is kfd's, assumed.
struct DeviceNumber {
  uint32_t major;
  uint32_t minor;
};
constexpr DeviceNumber DeviceNumberOf(const char* name) {
  constexpr DeviceNumber kNone = {0, 0};
  struct Kind {
    const char* begin;
    uint32_t major;
    int minor;  // -1: the number that follows
  };
  constexpr Kind kKinds[] = {{"nvidiactl", 195, 255}, {"nvidia-uvm-tools", 238, 1},
                             {"nvidia-uvm", 238, 0},  {"nvidia-caps/nvidia-cap", 241, -1},
                             {"nvidia", 195, -1},     {"dri/renderD", 226, -1},
                             {"kfd", 235, 0}};
  for (const Kind& kind : kKinds) {
    int at = 0;
    while (kind.begin[at] != '\0' && kind.begin[at] == name[at]) ++at;
    if (kind.begin[at] != '\0') continue;
    if (kind.minor >= 0 && name[at] == '\0') return {kind.major, static_cast<uint32_t>(kind.minor)};
    if (kind.minor >= 0) continue;
    uint32_t number = 0;
    int digits = 0;
    for (; name[at] >= '0' && name[at] <= '9' && digits < 5; ++at, ++digits)
      number = number * 10 + static_cast<uint32_t>(name[at] - '0');
    return digits > 0 && name[at] == '\0' ? DeviceNumber{kind.major, number} : kNone;
  }
  return kNone;
}

struct World {
  char magic[8];
  uint32_t version;
  uint32_t bytes;               // sizeof(World): a fake built from another header refuses the file
  int32_t driver_cuda_version;  // cuDriverGetVersion: 12080 is 12.8
  PropsLayout props_layout;
  char driver_version[32];  // "580.159.04", as NVML prints it
  char kernel_driver[32];   // the kernel module's; "": the same
  char device_nodes[96];    // the folder of nvidiactl, nvidia-uvm, nvidia0, …; "": nobody looks
  uint32_t device_count;
  uint32_t fault_count;
  uint32_t board_count;      // boards in MIG mode, in `devices` behind CUDA's
  uint32_t other_count;      // GPUs that are not NVIDIA's, behind the boards: Vulkan's alone
  uint32_t arch_count;       // what a backend was built for; 0: what its release is
  int32_t archs[kMaxArchs];  // compute capability times 100, as ggml counts
  uint32_t real_nodes;       // 1: they are character devices
  uint32_t reserved;
  Device devices[kMaxDevices];
  Fault faults[kMaxFaults];
};

// The sixth argument of an open, a stat or a readlink that our recorders make inside a scanner;
// these calls have at most five. Who watches the scanner's files lets them pass. `mark` is Stamp's,
// another in each tree, so that no program is written with it.
constexpr uint64_t OwnCall(uint32_t mark) { return uint64_t{0x73757067} << 32 | mark; }  // "gpus"

// ---- Journal ------------------------------------------------------------------------------------
// The file is JournalHeader, then records. A writer takes space with one fetch_add on `next`,
// stores `size`, fills the record and stores `kind` last (release). kind 0 is a record whose writer
// died: the reader steps over it by its size. size 0 ends the readable part. When a record does not
// fit, `dropped` counts it and nothing is written.

inline constexpr char kJournalMagic[8] = "GPSJRNL";
inline constexpr uint32_t kJournalVersion = 1;

struct JournalHeader {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t capacity;  // bytes for records, after this header
  uint64_t
      next;  // offset of the next free byte, from the end of this header; may run past capacity
  uint64_t dropped;  // records that did not fit
};

enum class RecordKind : uint16_t {
  kUnfinished = 0,
  // Fakes.
  kCall = 1,  // value: result, or kNoResult; device: ordinal or -1; detail: Fidelity; text:
              // function, arguments, and when a fault met the call "fault: hang", "fault: return
              // 35", …; the number that a count wrote
  kNode =
      2,  // a node that fails as the scenario says, or a character device: value: the errno that
          // its open stands for, 0: none; text: its path. The kernel itself was not asked so.
  // The loader, by the audit recorder.
  kProcess = 16,  // value: parent pid; text: executable, command line (words separated by \x1f)
  kSearch = 17,   // value: id of the requester's link map; detail: LA_SER_* of <link.h>; text: the
                  // name or candidate path
  kObjectOpen = 18,  // value: id of the link map; detail: its namespace (LM_ID); text: its path (""
                     // is the program), build-id
  kObjectClose = 19,  // value: id of the link map
  kSymbol =
      20,  // a dlsym that hit: value: id of the providing link map; text: symbol, provider path
  kSymbolAsked = 21,  // a dlsym or dlvsym begins; value: its handle, the id of a link map or
                      // RTLD_*; text: symbol, version. It missed unless kSymbol of that name is the
                      // next of the two in its thread.
  kBinding = 22,      // value: id of a link map that is not libc's and provides this function to
                      // somebody; text: function
  // Programs of ours that play a scanner may leave a note here.
  kNote = 32,  // text: what
};

// Of a journal that cannot be mapped, for want of a descriptor or of memory: its file is made a
// byte longer than it says it is, which needs neither, so that its reader knows that something is
// missing. `call` makes a system call of six arguments; `mark` is OwnCall's. Nothing where a limit
// of the scanner's own would end it with SIGXFSZ.
template <typename Call>
void TellOfLoss(Call call, const volatile char* journal, long mark) {
  constexpr int kSizePlace = 48;  // st_size in the kernel's struct stat of x86-64
  constexpr int kFileSize = 1;    // RLIMIT_FSIZE
  const long path = reinterpret_cast<long>(journal);
  alignas(8) char status[144] = {};
  uint64_t limit[2] = {};
  if (call(__NR_stat, path, reinterpret_cast<long>(status), 0, 0, 0, mark) != 0) return;
  if (call(__NR_prlimit64, 0, kFileSize, 0, reinterpret_cast<long>(limit), 0, 0) != 0) return;
  const int64_t longer = *reinterpret_cast<const int64_t*>(status + kSizePlace) + 1;
  if (static_cast<uint64_t>(longer) <= limit[0]) call(__NR_truncate, path, longer, 0, 0, 0, 0);
}

// The value of a call that a fault hung or ended: it never returned.
inline constexpr int64_t kNoResult = INT64_MIN;

// How far a fake's answer can be trusted.
enum class Fidelity : uint32_t { kModelled = 0, kFixed = 1, kStub = 2, kAssumed = 3 };

struct Record {
  uint32_t size;  // bytes with this header and the texts, a multiple of 8
  RecordKind kind;
  uint16_t instance;  // Stamp::instance of the writer; 0 for the audit recorder
  uint64_t time_ns;   // CLOCK_MONOTONIC
  int32_t pid;        // as the process sees itself
  int32_t tid;
  int64_t value;
  int32_t device;
  uint32_t detail;
  uint32_t texts;  // how many NUL-terminated strings follow
  uint32_t reserved;
};
static_assert(sizeof(Record) == 48);

}  // namespace gpustage::world
