// What gpustage-capture reads of a machine, as it was read: nothing here has been made anonymous.
// Only scenario_text.h turns it into text, through privacy.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gpustage::capture {

// What ld.so would read of a library's file.
struct ElfFacts {
  bool is_elf = false;
  int bits = 64;              // EI_CLASS
  bool little_endian = true;  // EI_DATA
  int machine = 62;           // e_machine; EM_X86_64
  bool ends_early = false;    // a segment lies beyond the file's end
  std::string soname;
  std::vector<std::string> needed;
  std::optional<std::string> rpath, runpath;
  std::vector<std::string> versions;  // that it defines, its base name left out
  bool versions_known = false;        // they were looked for
  std::vector<std::pair<std::string, std::string>> wanted_versions;  // file, version
  std::string build_id;
  std::vector<std::string> unmet;  // of what it needs: nowhere to be found, as somebody's ldd said
  std::string newer_libc;          // a version of glibc that it wants and this system has not
  std::vector<std::string> lacks;  // of the entry points of its kind (stand_in.h)
};

enum class FileKind { kDirectory, kFile, kLink, kDevice, kOther };

struct FileFacts {
  std::string path;
  FileKind kind = FileKind::kFile;
  mode_t mode = 0;  // permission bits, set-id and sticky too
  uid_t uid = 0;
  gid_t gid = 0;
  uint64_t size = 0, inode = 0, device = 0;
  std::string link;             // kLink: its text
  std::optional<ElfFacts> elf;  // kFile whose name is a library's
  std::string text;             // kFile: its start, where it is no ELF and short: a git-lfs pointer
  std::string error;            // "Permission denied": it could not be read
  unsigned major = 0, minor = 0;  // kDevice
};

// What a GPU library said when it was asked in a child of its own.
struct Answer {
  std::string family;                         // "cuda", "nvml", "cudart", "hip", "vulkan"
  std::string library;                        // the name that was asked for
  std::string path;                           // what was mapped for it
  std::map<std::string, std::string> values;  // "cuInit" -> "100", "driver" -> "12080", …
  std::vector<std::map<std::string, std::string>> devices;
  std::string error;  // dlopen's words, or how the child ended
};

// A GPU as the kernel lists it: of /sys/class/kfd (AMD's that compute) or of /sys/class/drm.
struct KernelGpu {
  unsigned vendor = 0, device = 0;  // of PCI
  unsigned target = 0;              // kfd: gfx_target_version, 110000 is gfx1100
  std::string driver;               // drm: the kernel's driver, "amdgpu"
};

// A rule of cgroup v1's devices.list: "c 195:* rwm"; -1 is any.
struct DeviceRule {
  char type = 'a';
  int major = -1, minor = -1;
  bool read = false, write = false;
};

struct ProcessFacts {
  pid_t pid = 0;  // 0: capture itself
  std::vector<std::pair<std::string, std::string>> environment;
  bool told = false;  // the environment: by systemctl, not read of the process
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::vector<std::string> argv;
  std::string executable, working_directory;
  std::string root;                     // "" or /proc/PID/root: where its files are seen from here
  std::vector<std::string> namespaces;  // that are not those of process 1: "mnt", "net"
  std::map<std::string, uint64_t> limits;          // "memlock" -> bytes; UINT64_MAX is none
  std::optional<std::vector<DeviceRule>> devices;  // of its cgroup, where that can be read
};

// Something that could not be read, and the command that would. All words are ours but for `path`.
struct Gap {
  std::string what, path, why, command;
};

struct MachineFacts {
  std::string distribution, distribution_version, kernel;  // os-release ID, VERSION_ID; uname -r
  std::string kernel_driver;  // the NVIDIA module's version; "": not loaded
  // Of those that matter to GPUs, loaded: name and version ("" where it has none).
  std::vector<std::pair<std::string, std::string>> modules;
  std::vector<KernelGpu> kfd, cards;
  std::vector<FileFacts> files;                 // parents before what is in them
  std::vector<FileFacts> nodes;                 // below /dev
  std::vector<std::string> loader_directories;  // of ld.so.conf and what it includes, in order
  // GPU-relevant: name, path.
  std::vector<std::pair<std::string, std::string>> loader_cache;
  std::vector<std::string> markers;  // "docker", "podman", "wsl", "flatpak", …
  ProcessFacts process;
  std::vector<Answer> answers;
  std::vector<Gap> gaps;
  // The program behind --, if one was given.
  std::vector<std::string> scanner;
  std::string scanner_output;
  int scanner_status = -1;
};

}  // namespace gpustage::capture
