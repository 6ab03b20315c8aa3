// One change of a machine, as a value: what it does, how large it is, how it is done on a real
// machine and undone.
#pragma once

#include <optional>
#include <string>

#include "harness/diagnose/flat_case.h"

namespace gpustage {

inline constexpr int kNotItsOwn = 1;
inline constexpr int kHollow = 2;
inline constexpr int kPlainStack = 3;

struct Intervention {
  enum class Kind {
    // The environment.
    kSetVariable,    // subject: its name; value
    kUnsetVariable,  // subject: its name
    kDropEntry,      // subject: a variable or file that is a list; value: what is left of it
    // The tree.
    kLink,           // subject: path; value: what the link says
    kCopy,           // subject: path; value: the path it is copied from
    kInstall,        // subject: path; value: the package; entry: what it installs there
    kInstallAll,     // subject: directory; value: the package; entries: what it installs there
    kSearch,         // subject: the loader's list of directories; value: the directory put first
    kRefreshCache,   // subject: the loader's cache, as ldconfig writes it now
    kRemove,         // subject: path
    kMakeDirectory,  // subject: path
    kChown,          // subject: path; value: the user whose it is
    kChmod,          // subject: path, or the start of several and '*'; mode: bits that are added
    // Who runs it.
    kUser,   // value: the user
    kGroup,  // subject: the path that it lets in; value: the group that the user joins
    // The machine.
    kAddNode,        // subject: path, or the start of several and '*'
    kKernelShows,    // subject: path below /sys or /proc, as the machine's own devices have it
    kLoadModule,     // subject: of the kernel; all that it makes and shows
    kScanner,        // subject: the program; value: the version
    kDriverVersion,  // the kernel module that the driver is of
    kCudaVersion,    // number: of the driver's CUDA; 0: the newest
    kWholeBoard,     // number: of the board in MIG mode, which is one device again
    kDeviceAnswers,  // number: of the device, which answers as the recorded one of its name
    kLayout,         // cudaDeviceProp as the driver's own CUDA lays it out; number: another
    kDropFault,      // number: of the fault; subject: its function
  };
  Kind kind = Kind::kRemove;
  std::string subject;
  std::string value;
  FileMode mode = 0;
  int number = 0;  // kInstall: kNotItsOwn, kHollow where no package installs it; kPlainStack
  FlatEntry entry = {};
  FlatTree entries = {};
  std::optional<ScannerSpec> scanner = {};
  std::optional<GpuDevice> device = {};
  int tier = 0;  // the lower, the nearer to what the run shows
  friend bool operator==(const Intervention&, const Intervention&) = default;
};

// Does it. False: there is nothing to be done, the machine is so already.
bool Apply(const Intervention& intervention, FlatCase& flat);
// How many single changes it is.
int SizeOf(const Intervention& intervention, const FlatCase& flat);
// Whether a user can do it: not what only the maker of a driver or a device can.
bool CanBeDone(const Intervention& intervention);
// Whether a module of the kernel makes the path, or shows it.
bool IsMadeBy(const std::string& module, const std::string& path);
// Of the fakes' answers, not of the tree and the environment.
bool IsOfMachine(const Intervention& intervention);

std::string ToString(Intervention::Kind kind);  // "unset-variable"
// "link /a/libcudart.so.12 to libcudart.so.12.8.90"
std::string ToString(const Intervention& intervention);
std::string BitsText(FileMode mode);  // "o+x", "u+rw"
std::string CudaText(int version);    // "CUDA 12.8" of 12080
// A shell command for a real machine, and the one that undoes it. `service`: the unit, "" for a
// program that is started by hand.
struct Commands {
  std::string apply;
  std::string undo;
};
Commands CommandsFor(const Intervention& intervention, const FlatCase& flat,
                     const std::string& service);

}  // namespace gpustage
