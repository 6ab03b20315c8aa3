// The operations that build a tree, in the words of the scenario file. Paths are absolute inside
// the root and are bytes, not text: a name may hold anything but '/' and NUL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/breakage.h"
#include "harness/scenario/model/machine.h"

namespace gpustage {

// Permission bits with setuid, setgid and sticky: 0 to 07777.
using FileMode = uint32_t;

struct MakeDirOp {
  std::string path;
  std::optional<FileMode> mode;
  friend bool operator==(const MakeDirOp&, const MakeDirOp&) = default;
};
struct WriteFileOp {
  std::string path;
  std::string content;
  std::optional<FileMode> mode;
  friend bool operator==(const WriteFileOp&, const WriteFileOp&) = default;
};
struct SymlinkOp {
  std::string path;
  std::string to;  // the link's text, byte for byte; absolute means inside the root
  friend bool operator==(const SymlinkOp&, const SymlinkOp&) = default;
};
struct HardLinkOp {
  std::string path;
  std::string to;  // an existing file of the tree
  friend bool operator==(const HardLinkOp&, const HardLinkOp&) = default;
};
struct CopyOp {
  std::string path;
  std::string from;  // an existing file of the tree
  friend bool operator==(const CopyOp&, const CopyOp&) = default;
};
struct ChmodOp {
  std::string path;  // follows links, as chmod(1) does
  FileMode mode = 0;
  friend bool operator==(const ChmodOp&, const ChmodOp&) = default;
};
struct ChownOp {
  std::string path;  // does not follow a link in the last place
  std::optional<std::string>
      user;  // a name of the base system ("root", "nobody", "ollama") or a number
  std::optional<std::string> group;
  friend bool operator==(const ChownOp&, const ChownOp&) = default;
};
struct RemoveOp {
  std::string path;  // a file, a link, or a directory with all below
  friend bool operator==(const RemoveOp&, const RemoveOp&) = default;
};

// Where the bytes of a placed library come from.
struct LibrarySource {
  enum class Kind { kFake, kReal, kFile };
  Kind kind = Kind::kFake;
  std::string name;       // "cudart-12"; for kFile the path as written
  std::string host_path;  // the file itself; "" when it is missing
  std::string missing;    // why it is not here, as a sentence for the skip; "" when it is
  friend bool operator==(const LibrarySource&, const LibrarySource&) = default;
};

struct PlaceLibraryOp {
  std::string path;
  LibrarySource source;
  std::vector<Breakage> broken;  // none: it is whole
  std::optional<FileMode> mode;
  std::optional<MachineChange> machine = {};  // fakes only: this copy answers differently
  // Backends of ours only: the compute capabilities that this build is for; none: its release's.
  std::vector<ComputeCapability> archs = {};
  friend bool operator==(const PlaceLibraryOp&, const PlaceLibraryOp&) = default;
};

inline constexpr char kLoaderCache[] = "/etc/ld.so.cache";

// Runs ldconfig(8) for the tree as it is by now: what comes later, its cache does not know.
struct LdconfigOp {
  std::string path;  // kLoaderCache
  friend bool operator==(const LdconfigOp&, const LdconfigOp&) = default;
};

struct TreeOp {
  std::variant<MakeDirOp, WriteFileOp, SymlinkOp, HardLinkOp, CopyOp, ChmodOp, ChownOp, RemoveOp,
               PlaceLibraryOp, LdconfigOp>
      what;
  SourcePos pos;  // of the path in the file that says so
  friend bool operator==(const TreeOp&, const TreeOp&) = default;
};

// "symlink /usr/lib/libcuda.so.1 -> libcuda.so.580.159.04", one line.
std::string ToString(const TreeOp& op);

}  // namespace gpustage
