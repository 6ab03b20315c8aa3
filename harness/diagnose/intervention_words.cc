// How a change is said.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/diagnose/intervention.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

constexpr const char* kKinds[] = {
    "set-variable",  "unset-variable", "drop-entry",      "link",
    "copy",          "install",        "install-all",     "search",
    "refresh-cache", "remove",         "make-directory",  "chown",
    "chmod",         "user",           "group",           "add-node",
    "kernel-shows",  "load-module",    "scanner-version", "driver-version",
    "cuda-version",  "whole-board",    "device-answers",  "struct-layout",
    "drop-fault"};

// Lines of a file, as a sentence has them.
std::string InOneLine(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::string BitsText(FileMode mode) {
  std::string text;
  for (const auto& [who, shift] : {std::pair{'u', 6}, std::pair{'g', 3}, std::pair{'o', 0}}) {
    const FileMode bits = mode >> shift & 07;
    if (bits == 0) continue;
    if (!text.empty()) text += ',';
    text += who;
    text += '+';
    for (const auto& [bit, letter] :
         {std::pair{04U, 'r'}, std::pair{02U, 'w'}, std::pair{01U, 'x'}})
      if ((bits & bit) != 0) text += letter;
  }
  return text;
}

std::string CudaText(int version) {
  return fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
}

std::string ToString(Kind kind) {
  static_assert(std::size(kKinds) == static_cast<size_t>(Kind::kDropFault) + 1);
  return kKinds[static_cast<size_t>(kind)];
}

std::string ToString(const Intervention& change) {
  const std::string& on = change.subject;
  switch (change.kind) {
    case Kind::kSetVariable: return fmt::format("set {}={}", on, change.value);
    case Kind::kUnsetVariable: return fmt::format("unset {}", on);
    case Kind::kDropEntry:
      return fmt::format("leave of {} only {}", on,
                         change.value.empty() ? "nothing" : InOneLine(change.value));
    case Kind::kLink: return fmt::format("link {} to {}", on, change.value);
    case Kind::kCopy: return fmt::format("copy {} to {}", change.value, on);
    case Kind::kInstall:
      if (change.number == kHollow)
        return fmt::format("install what has {} (one with nothing in it was enough)", on);
      if (change.number == kPlainStack)
        return fmt::format("let {} not ask for an executable stack", on);
      return change.number == kNotItsOwn
                 ? fmt::format("have as {} the file of that name of {}", on, change.value)
                 : fmt::format("put back {} as {} installs it", on, change.value);
    case Kind::kInstallAll:
      if (change.number == kNotItsOwn)
        return fmt::format("install a build with the backend of {} in {} ({} files)", change.value,
                           on, change.entries.size());
      return fmt::format("install what {} has in {} ({} files)", change.value, on,
                         change.entries.size());
    case Kind::kSearch: return fmt::format("put {} into {}", change.value, on);
    case Kind::kRemove: return fmt::format("take {} away", on);
    case Kind::kMakeDirectory: return fmt::format("make the directory {}", on);
    case Kind::kRefreshCache: return fmt::format("make {} anew", on);
    case Kind::kChown: return fmt::format("chown {} {}", change.value, on);
    case Kind::kChmod: return fmt::format("chmod {} {}", BitsText(change.mode), on);
    case Kind::kUser: return fmt::format("run it as {}", change.value);
    case Kind::kGroup: return fmt::format("let its user be of the group {}", change.value);
    case Kind::kKernelShows: return fmt::format("have the kernel show {} as of this machine", on);
    case Kind::kLoadModule: return fmt::format("load the module {}", on);
    case Kind::kScanner: return fmt::format("use {} {}", on, change.value);
    case Kind::kAddNode: return fmt::format("add the device node {}", on);
    case Kind::kDriverVersion: return "load the kernel module of the driver's own version";
    case Kind::kCudaVersion:
      return change.number == 0 ? "update the driver"
                                : "have a driver of " + CudaText(change.number);
    case Kind::kWholeBoard:
      return fmt::format("turn MIG mode off on board {}, which has no instance", change.number);
    case Kind::kDeviceAnswers:
      return fmt::format("device {} answers as a {} does", change.number, on);
    case Kind::kLayout:
      return change.number == 0 ? "cudaDeviceProp has the layout of the driver's own CUDA"
                                : fmt::format("cudaDeviceProp has the layout {}", change.value);
    case Kind::kDropFault:
      return on.empty() ? "the device is not lost" : fmt::format("{} does not fail", on);
  }
  return "";
}

}  // namespace gpustage
