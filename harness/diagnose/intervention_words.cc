// How a change is said, and done on a real machine.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/diagnose/intervention.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

constexpr const char* kKinds[] = {"set-variable",
                                  "unset-variable",
                                  "drop-entry",
                                  "link",
                                  "copy",
                                  "install",
                                  "install-all",
                                  "search",
                                  "remove",
                                  "make-directory",
                                  "chmod",
                                  "user",
                                  "group",
                                  "add-node",
                                  "kernel-shows",
                                  "load-module",
                                  "scanner-version",
                                  "driver-version",
                                  "cuda-version",
                                  "device-answers",
                                  "struct-layout",
                                  "drop-fault"};

// "o+x", "u+rw".
std::string Bits(FileMode mode) {
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

std::string Without(std::string bits) {
  for (char& c : bits)
    if (c == '+') c = '-';
  return bits;
}

// Lines of a file, as a sentence has them.
std::string InOneLine(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// For a shell.
std::string Word(const std::string& text) {
  const bool plain =
      !text.empty() && text.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"
                           "789_./:=,@%+-") == std::string::npos;
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

Commands OfVariable(const Intervention& change, const FlatCase& flat, const std::string& service) {
  const std::optional<std::string> was = VariableOf(flat, change.subject);
  const auto set = [&](const std::string& value) {
    const std::string pair = Word(change.subject + "=" + value);
    return service.empty()
               ? "export " + pair
               : fmt::format("sudo systemctl edit {}   # [Service] Environment={}", service, pair);
  };
  const std::string unset =
      service.empty() ? "unset " + change.subject
                      : fmt::format("sudo systemctl edit {}   # [Service] UnsetEnvironment={}",
                                    service, change.subject);
  return {change.kind == Kind::kUnsetVariable ? unset : set(change.value), was ? set(*was) : unset};
}

std::string TakeAway(const FlatTree& entries) {
  std::string command = "sudo rm";
  for (const auto& [path, entry] : entries) command += " " + Word(path);
  return command;
}

Commands OfPath(const Intervention& change, const FlatCase& flat) {
  const std::string path = Word(change.subject);
  const bool there = HasPath(flat.tree, change.subject);
  const std::string keep = there ? fmt::format("sudo mv {0} {0}.was && ", path) : "";
  const std::string back =
      there ? fmt::format("sudo rm {0} && sudo mv {0}.was {0}", path) : "sudo rm " + path;
  switch (change.kind) {
    case Kind::kLink:
      return {fmt::format("{}sudo ln -s {} {}", keep, Word(change.value), path), back};
    case Kind::kCopy: return {fmt::format("{}sudo cp {} {}", keep, Word(change.value), path), back};
    case Kind::kInstall:
      if (change.number == kHollow)
        return {"install the package that has " + path, "remove that package again"};
      if (change.number == kPlainStack)
        return {"sudo patchelf --clear-execstack " + path, "sudo patchelf --set-execstack " + path};
      return {fmt::format("{}install {} again from the release that the machine has ({})", keep,
                          path, change.value),
              back};
    case Kind::kInstallAll:
      if (change.number == kNotItsOwn)
        return {fmt::format("install a build that has in {} what {} has", path, change.value),
                TakeAway(change.entries)};
      return {fmt::format("install {} again from the release that the machine has ({})", path,
                          change.value),
              TakeAway(change.entries)};
    case Kind::kSearch:
      return {fmt::format("echo {} | sudo tee /etc/ld.so.conf.d/00-gpu.conf && sudo ldconfig",
                          Word(change.value)),
              "sudo rm /etc/ld.so.conf.d/00-gpu.conf && sudo ldconfig"};
    case Kind::kRemove:
      return {fmt::format("sudo mv {0} {0}.was", path), fmt::format("sudo mv {0}.was {0}", path)};
    case Kind::kMakeDirectory: return {"sudo install -d -m 1777 " + path, "sudo rmdir " + path};
    case Kind::kChmod:
      return {fmt::format("sudo chmod {} {}", Bits(change.mode), path),
              fmt::format("sudo chmod {} {}", Without(Bits(change.mode)), path)};
    case Kind::kDropEntry: {
      const auto write = [&](const std::string& text) {
        return fmt::format("printf %s {} | sudo tee {}", Word(text), path);
      };
      const auto was = flat.tree.find(change.subject);
      return {write(change.value), was == flat.tree.end() ? "" : write(was->second.text)};
    }
    case Kind::kLoadModule: return {"sudo modprobe " + path, "sudo modprobe -r " + path};
    case Kind::kAddNode:
      return {change.subject.ends_with("uvm")
                  ? "sudo nvidia-modprobe -u -c 0   # a container: give it the node"
                  : "sudo nvidia-modprobe -c 0   # a container: give it the node",
              "sudo rm " + change.subject};
    default: return {};
  }
}

}  // namespace

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
    case Kind::kChmod: return fmt::format("chmod {} {}", Bits(change.mode), on);
    case Kind::kUser: return fmt::format("run it as {}", change.value);
    case Kind::kGroup: return fmt::format("let its user be of the group {}", change.value);
    case Kind::kKernelShows: return fmt::format("have the kernel show {} as of this machine", on);
    case Kind::kLoadModule: return fmt::format("load the module {}", on);
    case Kind::kScanner: return fmt::format("use {} {}", on, change.value);
    case Kind::kAddNode: return fmt::format("add the device node {}", on);
    case Kind::kDriverVersion: return "load the kernel module of the driver's own version";
    case Kind::kCudaVersion: return "update the driver";
    case Kind::kDeviceAnswers:
      return fmt::format("device {} answers as a {} does", change.number, on);
    case Kind::kLayout: return "cudaDeviceProp has the layout of the driver's own CUDA";
    case Kind::kDropFault:
      return on.empty() ? "the device is not lost" : fmt::format("{} does not fail", on);
  }
  return "";
}

Commands CommandsFor(const Intervention& change, const FlatCase& flat, const std::string& service) {
  switch (change.kind) {
    case Kind::kSetVariable:
    case Kind::kUnsetVariable:
    case Kind::kDropEntry:
      return change.subject.starts_with('/') ? OfPath(change, flat)
                                             : OfVariable(change, flat, service);
    case Kind::kUser:
      if (service.empty()) return {fmt::format("sudo -u {} …", change.value), ""};
      return {fmt::format("sudo systemctl edit {}   # [Service] User={}", service, change.value),
              fmt::format("sudo systemctl edit {}   # [Service] User={}", service, flat.c.user)};
    case Kind::kGroup:
      return {fmt::format("sudo usermod -aG {} {}   # then start it again", change.value,
                          Word(flat.c.user)),
              fmt::format("sudo gpasswd -d {} {}", Word(flat.c.user), change.value)};
    case Kind::kScanner:
      return {fmt::format("install {} {}", change.subject, change.value),
              fmt::format("install {} {}", change.subject, flat.c.runs.front().scanner.version)};
    case Kind::kDriverVersion: return {"sudo reboot   # after an update of the driver", ""};
    case Kind::kCudaVersion: return {"update the NVIDIA driver, then reboot", ""};
    default: return OfPath(change, flat);
  }
}

}  // namespace gpustage
