#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/files.h"
#include "harness/evidence/path/families.h"
#include "harness/words/parts.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

using Kind = Fact::Kind;

// What mends a place: as little as lets whoever was refused in.
std::string Mend(const Fact& fact, bool container) {
  const std::string& path = fact.subject;
  if (fact.kind == Kind::kNode && fact.error == 0)
    return fmt::format("remove {} and make the node anew (nvidia-modprobe, or mknod)", path);
  if (fact.kind == Kind::kNode && fact.error == ENOENT) {
    if (container && path.starts_with("/dev/nvidia"))
      return fmt::format(
          "start the container with the node {} (--gpus all, or --device); with CDI make the "
          "host's specification anew before (nvidia-ctk cdi generate)",
          path);
    if (path == "/dev/nvidia-uvm")
      return "load the module nvidia-uvm (nvidia-modprobe -u -c=0), and where a suspend took it, "
             "rmmod it before and start the program anew; in a container add the node "
             "/dev/nvidia-uvm, with CDI by a new specification (nvidia-ctk cdi generate)";
    if (path.starts_with("/dev/nvidia"))
      return fmt::format(
          "load the driver's module (nvidia-modprobe); in a container add the node {}, as "
          "--gpus all does",
          path);
    if (path == "/dev/kfd" || path.starts_with("/dev/dri/"))
      return "load the module amdgpu; in a container pass --device /dev/kfd --device /dev/dri";
    return "";
  }
  if (fact.kind == Kind::kManifest && fact.subject.empty() && container)
    return "have the driver's manifest brought into the container: a container toolkit of 1.12 or "
           "later with NVIDIA_DRIVER_CAPABILITIES=all, or the host's "
           "/usr/share/vulkan/icd.d/nvidia_icd.json mounted";
  if (fact.kind == Kind::kManifest && fact.subject.empty())
    return "install the manifest of the driver, as /usr/share/vulkan/icd.d/nvidia_icd.json; in a "
           "container of NVIDIA's ask for NVIDIA_DRIVER_CAPABILITIES=all";
  if (fact.kind == Kind::kManifest)
    return "see that the manifest names the driver's library, and that this is there";
  if (fact.kind == Kind::kElsewhere && fact.other.ends_with(".so"))
    return fmt::format("ask for it by its SONAME, or make a link {} in a folder that is searched",
                       fact.other);
  if (fact.kind == Kind::kElsewhere)
    return fmt::format("add {} to LD_LIBRARY_PATH", ParentOf(path)) +
           (fact.rule.empty() ? "" : ", or to /etc/ld.so.conf and run ldconfig");
  if (fact.kind == Kind::kProgram)
    return fmt::format("install the program {}, or add its folder to PATH", path);
  if (fact.kind == Kind::kLink && fact.number == 1)
    return fmt::format("start {}, and not the link to it", fact.other);
  if (fact.kind == Kind::kVain) return fmt::format("ln -s {} {}", fact.other, path);
  if (fact.kind == Kind::kCopy)
    return fact.number == 1 ? fmt::format("ln -s {} {}", ParentOf(path), ParentOf(fact.other))
                            : fmt::format("ln -s {} {}", path, fact.other);
  if (fact.kind == Kind::kNamed)
    return fmt::format("install what has {}, where it is looked for", path);
  if (fact.kind == Kind::kUnversioned)
    return fmt::format("ask for {}, with its version", BaseNameOf(fact.other));
  if (fact.kind == Kind::kMask && path == "NVIDIA_DRIVER_CAPABILITIES")
    return fact.other.find("compute") != std::string::npos || fact.other == "all"
               ? ""
               : "set NVIDIA_DRIVER_CAPABILITIES=compute,utility for the container";
  if (fact.kind == Kind::kAlso && fact.error == EACCES)
    return fmt::format("chmod o+rw {}, too", path);
  if (fact.kind == Kind::kAlso && fact.error == ENOENT && fact.number == 0)
    return fmt::format("have {} there, too", path);
  if (fact.kind == Kind::kMask && fact.number < 0)
    return "unset " + fact.subject + ", or name a device in it";
  if (fact.kind == Kind::kMask && fact.subject.ends_with("VISIBLE_DEVICES"))
    return "unset " + fact.subject + ", or name each device in it once";
  if (fact.kind == Kind::kMask && fact.subject.ends_with("ORDER"))
    return "unset " + fact.subject + ", or say PCI_BUS_ID or FASTEST_FIRST";
  if (fact.kind == Kind::kMask && fact.subject.starts_with("VK_"))
    return "unset " + fact.subject + ", or name the driver in it";
  if (fact.kind != Kind::kPlace) return "";
  if (fact.error == EACCES) {
    // What every system lets all users read is more often shut by a sandbox than by its mode.
    const bool of_system = path.starts_with("/etc/") || path.starts_with("/usr/");
    const std::string wider = (fact.number == 1     ? "chmod o+x "
                               : S_ISDIR(fact.mode) ? "chmod o+rx "
                                                    : "chmod o+r ") +
                              path;
    if (of_system && container)
      return "run the program outside of its sandbox, or have that let it read " + path +
             "; where its mode alone is wrong, " + wider;
    if (of_system)
      return wider + ", or, where a sandbox such as a snap's refuses it, run the program outside";
    if (fact.number == 1 || S_ISDIR(fact.mode)) return wider;
    if (path.starts_with("/dev/")) {
      const std::string group = fact.owner.substr(fact.owner.find(':') + 1);
      const bool helps = (fact.mode & 0060) == 0060 && group != "root" && group != "0";
      // NVIDIA/nvidia-container-toolkit#48.
      if (container && (fact.mode & 0777) == 0)
        return fmt::format(
            "systemctl daemon-reload takes a running container's devices away: start it anew with "
            "--device {} and each other node, and lastingly with links in /dev/char (nvidia-ctk "
            "system create-dev-char-symlinks) or the cgroupfs driver",
            path);
      if (container)
        return fmt::format(
            "start the container with --device {} (--privileged gives all), or chmod o+rw the node "
            "on the host, for good by NVreg_DeviceFileMode=0666",
            path);
      return fmt::format(
                 "chmod o+rw {}, or in a container pass it with --device, and start that anew "
                 "after systemctl daemon-reload, which takes a running one's devices away",
                 path) +
             (helps ? fmt::format(", or put the user into the group {}", group) : "");
    }
    return wider;
  }
  return "";
}

// The device that a program dropped is no GPU's: VkPhysicalDeviceType's CPU.
bool OnlyRenders(const FunnelRow& row) {
  const Fact* const device = First(row, Kind::kDevice);
  return device != nullptr && device->subject.find("deviceType=\"CPU\"") != std::string::npos;
}

bool LacksDriver(const FunnelRow& row) {
  const auto of_driver = [](const std::string& name) {
    const Family family = FamilyOfLibrary(BaseNameOf(name));
    return family == Family::kDriver || family == Family::kManagement;
  };
  if (row.cause() == Cause::kNotFound) return of_driver(row.library);
  return std::any_of(row.needs.begin(), row.needs.end(), [&](const Need& need) {
    return need.found.empty() && !need.opened && of_driver(need.name);
  });
}

// Which of several copies should answer: the one of the module's version, if there is one.
template <typename Add>
void AddMendsOfCopies(const FunnelRow& row, const Add& add) {
  const Fact* const versions = First(row, Kind::kVersions);
  const Fact* const answered = First(row, Kind::kAnswered);
  const Fact* shadowed = First(row, Kind::kShadowed);
  const bool differ = versions != nullptr && versions->subject != versions->other;
  for (const Fact& fact : row.loss->because)
    if (differ && fact.kind == Kind::kShadowed && fact.other == versions->other) shadowed = &fact;
  const bool fits = differ && shadowed != nullptr && shadowed->other == versions->other;
  const bool theirs = row.cause() == Cause::kInitError || row.cause() == Cause::kMissingSymbol ||
                      row.cause() == Cause::kMissingVersion ||
                      row.cause() == Cause::kMissingDependency;
  if (answered != nullptr && shadowed != nullptr && theirs) {
    const std::string first = fmt::format("put {} first into LD_LIBRARY_PATH, so that {} answers",
                                          ParentOf(shadowed->subject), shadowed->subject);
    const bool fixed = answered->rule == "RPATH" || answered->rule.empty();
    const bool store = answered->other.starts_with("/nix/store/");
    add(store   ? first
        : fixed ? fmt::format("take {} out of the way, so that {} answers", answered->other,
                              shadowed->subject)
                : fmt::format("take {} out of the way, or {}", answered->other, first));
  }
  // CUDA's compatibility guide, "Forward Compatibility".
  if (row.loss->code == 804)
    add("use the driver of the module's version: a newer one over an older module is for "
        "data-centre GPUs alone, and for none that it has dropped");
  // A folder that is searched anyway hides nothing.
  if (differ && !fits && answered != nullptr && answered->rule.starts_with("LD_LIBRARY_PATH") &&
      !answered->other.starts_with("/usr/lib/") && !answered->other.starts_with("/lib/") &&
      !answered->other.starts_with("/usr/lib64/") && !answered->other.starts_with("/lib64/"))
    add(fmt::format(
        "take {} out of LD_LIBRARY_PATH, so that the running system's own driver "
        "answers{}",
        ParentOf(answered->other.substr(0, answered->other.find(' '))),
        answered->other.starts_with("/nix/store/") ? ": on NixOS /run/opengl-driver/lib" : ""));
  if (differ && !fits && First(row, Kind::kContainer) != nullptr)
    add(
        fmt::format("take the driver's libraries of {} out of the image, so that the host's of {} "
                    "are used",
                    versions->subject, versions->other));
  if (differ && !fits)
    add(fmt::format(
        "restart, so that the kernel loads the module of {}, or install the libraries of {}; in a "
        "container, or with a compat folder, take that copy of the driver out of the way",
        versions->subject, versions->other));
}

// What the code of a call says of the driver that gave it.
template <typename Add>
void AddMendsOfCode(const FunnelRow& row, const Add& add) {
  // "All required driver daemons" must run: driver_types.h of CUDA, cudaErrorSystemNotReady.
  const bool not_ready = row.loss->code == 802;
  if (not_ready)
    add("start the driver's daemons: nvidia-fabricmanager on a machine with NVSwitch, "
        "nvidia-persistenced");
  const bool of_driver = row.family == Family::kDriver || row.family == Family::kManagement ||
                         row.family == Family::kBackend;
  if (row.cause() == Cause::kHung && of_driver && First(row, Kind::kAnswered) != nullptr)
    add("put another version of the driver there, module and libraries: the call hangs in it");
  // cuda.h of CUDA: CUDA_ERROR_INVALID_IMAGE, _NO_BINARY_FOR_GPU, _UNSUPPORTED_PTX_VERSION.
  const bool of_kernels = row.loss->code == 200 || row.loss->code == 209 || row.loss->code == 222;
  if (of_kernels)
    add("install a driver as new as the CUDA that the program's kernels were built with, or a "
        "build for this driver and this GPU");
  const Fact* const answered = First(row, Kind::kAnswered);
  const Fact* const versions = First(row, Kind::kVersions);
  const bool refuses =
      First(row, Kind::kOpened) != nullptr || First(row, Kind::kNothing) != nullptr;
  if (refuses && !not_ready && !of_kernels && answered != nullptr &&
      First(row, Kind::kShadowed) == nullptr &&
      (versions == nullptr || versions->subject == versions->other))
    add(IsToolkitsStub(answered->other)
            ? fmt::format("take {} out of the way: the driver's own is wanted", answered->other)
            : fmt::format("put another copy of {} there: of the same version anew, or of another",
                          answered->subject));
}

// A library that is there, and of another build than is wanted.
template <typename Add>
void AddMendsOfBuild(const FunnelRow& row, const Add& add) {
  const Fact* const answered = First(row, Kind::kAnswered);
  if ((row.cause() == Cause::kMissingSymbol || row.cause() == Cause::kMissingVersion) &&
      answered != nullptr && First(row, Kind::kShadowed) == nullptr)
    add(answered->subject == "libc.so.6"
            ? "take a build for a system as old as this one, or run it on a newer system or image"
            : fmt::format("install another version of {}: this one is the only copy",
                          answered->subject));
  if (row.cause() == Cause::kNoEntryPoint && row.family == Family::kBackend)
    add(
        fmt::format("take a {} that was built as a backend to be loaded (GGML_BACKEND_DL), of the "
                    "scanner's own release",
                    BaseNameOf(row.library)));
}

// A library that is not where it was looked for.
template <typename Add>
void AddMendsOfMissing(const FunnelRow& row, bool container, const Add& add) {
  const bool not_there = row.cause() == Cause::kNoNameMatches || row.cause() == Cause::kNeverListed;
  if (not_there && row.loss->known == Known::kAsked && First(row, Kind::kCopy) == nullptr)
    add(fmt::format("install what has {} into {}", BaseNameOf(row.library), ParentOf(row.library)));
  const bool elsewhere = First(row, Kind::kElsewhere) != nullptr;
  if (container && !elsewhere && LacksDriver(row))
    add("start the container with its GPUs, which brings the driver's libraries: --gpus all, in "
        "Kubernetes NVIDIA's runtime class and device plugin");
  if (row.cause() == Cause::kNotFound && !elsewhere)
    add(fmt::format("install {}, or add its directory to LD_LIBRARY_PATH", row.library));
  if (row.cause() == Cause::kMissingDependency && !elsewhere)
    for (const Need& need : row.needs)
      if (need.found.empty() && !need.opened) {
        add(fmt::format(
            "install what has {}{}", BaseNameOf(need.name),
            FamilyOfLibrary(BaseNameOf(need.name)) == Family::kDriver ? ": NVIDIA's driver" : ""));
        break;
      }
}

}  // namespace

std::vector<std::string> Suggestions(const FunnelRow& row) {
  std::vector<std::string> all;
  if (!row.loss) return all;
  const auto add = [&](const std::string& what) {
    if (!what.empty() && std::find(all.begin(), all.end(), what) == all.end()) all.push_back(what);
  };
  const bool container = First(row, Kind::kContainer) != nullptr;
  const bool driver_lost =
      First(row, Kind::kNowhere) != nullptr || First(row, Kind::kReason) != nullptr;
  for (const Fact& fact : row.loss->because)
    if (fact.kind != Kind::kManifest || !driver_lost) add(Mend(fact, container));
  if (const Fact* const nowhere = First(row, Kind::kNowhere))
    add(fmt::format(
        "install what has {}: {}", nowhere->subject,
        FamilyOfLibrary(nowhere->subject) == Family::kDriver ? "NVIDIA's driver" : "its package"));
  if (OnlyRenders(row))
    add("install the Vulkan driver of the GPU's maker, with its manifest: what answered renders on "
        "the processor");
  AddMendsOfCopies(row, add);
  AddMendsOfCode(row, add);
  AddMendsOfBuild(row, add);
  AddMendsOfMissing(row, container, add);
  return all;
}

}  // namespace gpustage
