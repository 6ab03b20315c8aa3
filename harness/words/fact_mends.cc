#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/words/parts.h"

namespace gpustage {

// What mends a place: as little as lets whoever was refused in.
std::string MendOfFact(const Fact& fact, const Fact* container) {
  const std::string& path = fact.subject;
  if (fact.kind == Fact::Kind::kNode && fact.error == 0)
    return fmt::format("remove {} and make the node anew (nvidia-modprobe, or mknod)", path);
  // Control groups of the kernel's documentation, "Device Whitelist Controller" and "Device
  // controller": EPERM; it is no mode that refuses.
  if (fact.kind == Fact::Kind::kNode && fact.error == EPERM)
    return fmt::format(
        "{}start the container, or the unit, anew with --device {} and each other node, --gpus all "
        "or --privileged (DeviceAllow= in a unit of systemd): a device cgroup gives what was named "
        "alone, and systemctl daemon-reload takes that from a running one (lastingly: links in "
        "/dev/char by nvidia-ctk system create-dev-char-symlinks, or the cgroupfs driver)",
        container ? "" : "where the program runs in a container or a unit, ", path);
  // mknod (2), open (2): no driver behind the node, or no such device.
  if (fact.kind == Fact::Kind::kNode && (fact.error == ENXIO || fact.error == ENODEV))
    return fmt::format(
        "see what the kernel says of the GPU behind {} (dmesg: NVRM, Xid; lspci), and load the "
        "driver's module anew, or restart",
        path);
  if (fact.kind == Fact::Kind::kNode && fact.error == EIO)
    return fmt::format(
        "see what the kernel says of {} (dmesg: NVRM, Xid), reset the GPU, or restart", path);
  if (fact.kind == Fact::Kind::kNode && fact.error == EBUSY)
    return fmt::format("end whoever holds {} (fuser -v {}), or wait for it", path, path);
  if (fact.kind == Fact::Kind::kNode && fact.error == ENOENT) {
    if (container != nullptr && container->other == "CDI" && path.starts_with("/dev/nvidia"))
      return fmt::format(
          "make the host's CDI specification anew (nvidia-ctk cdi generate) and start the "
          "container anew: the one that it was started by does not have the node {}",
          path);
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
    if (container && (path == "/dev/kfd" || path.starts_with("/dev/dri/")))
      return "start the container with --device /dev/kfd --device /dev/dri";
    if (path == "/dev/kfd" || path.starts_with("/dev/dri/"))
      return "load the module amdgpu; in a container pass --device /dev/kfd --device /dev/dri";
    return "";
  }
  if (fact.kind == Fact::Kind::kManifest && fact.subject.empty() && container)
    return "have the driver's manifest brought into the container: a container toolkit of 1.12 or "
           "later with NVIDIA_DRIVER_CAPABILITIES=all, or the host's "
           "/usr/share/vulkan/icd.d/nvidia_icd.json mounted";
  if (fact.kind == Fact::Kind::kManifest && fact.subject.empty())
    return "install the manifest of the driver, as /usr/share/vulkan/icd.d/nvidia_icd.json; in a "
           "container of NVIDIA's ask for NVIDIA_DRIVER_CAPABILITIES=all";
  if (fact.kind == Fact::Kind::kManifest)
    return "see that the manifest names the driver's library, and that this is there";
  if (fact.kind == Fact::Kind::kElsewhere && fact.other.ends_with(".so"))
    return fmt::format("ask for it by its SONAME, or make a link {} in a folder that is searched",
                       fact.other);
  if (fact.kind == Fact::Kind::kElsewhere)
    return fmt::format("add {} to LD_LIBRARY_PATH", ParentOf(path)) +
           (fact.rule.empty()
                ? ", or run a build for the system's own loader, which asks its ld.so.cache"
                : ", or to /etc/ld.so.conf and run ldconfig");
  if (fact.kind == Fact::Kind::kRunpath)
    return fmt::format("patchelf --add-rpath {} {}", ParentOf(path), fact.names.front());
  if (fact.kind == Fact::Kind::kAdvised) return fmt::format("set {}={}", path, fact.other);
  if (fact.kind == Fact::Kind::kProgram)
    return fmt::format("install the program {}, or add its folder to PATH", path);
  if (fact.kind == Fact::Kind::kLink && fact.number == 1)
    return fmt::format("start {}, and not the link to it", fact.other);
  if (fact.kind == Fact::Kind::kVain) return fmt::format("ln -s {} {}", fact.other, path);
  if (fact.kind == Fact::Kind::kCopy)
    return fact.number == 1 ? fmt::format("ln -s {} {}", ParentOf(path), ParentOf(fact.other))
                            : fmt::format("ln -s {} {}", path, fact.other);
  if (fact.kind == Fact::Kind::kNamed)
    return fmt::format("install what has {}, where it is looked for", path);
  if (fact.kind == Fact::Kind::kUnversioned)
    return fmt::format("ask for {}, with its version", BaseNameOf(fact.other));
  if (fact.kind == Fact::Kind::kMask && path == "NVIDIA_DRIVER_CAPABILITIES")
    return fact.other.find("compute") != std::string::npos || fact.other == "all"
               ? ""
               : "set NVIDIA_DRIVER_CAPABILITIES=compute,utility for the container";
  if (fact.kind == Fact::Kind::kAlso && fact.error == EACCES)
    return fmt::format("chmod o+rw {}, too", JoinAnd(fact.names));
  if (fact.kind == Fact::Kind::kAlso && fact.error == ENOENT && fact.number == 0)
    return fmt::format("have {} there, too", JoinAnd(fact.names));
  if (fact.kind == Fact::Kind::kMask && fact.number < 0)
    return "unset " + fact.subject + ", or name a device in it";
  if (fact.kind == Fact::Kind::kMask && fact.subject.ends_with("VISIBLE_DEVICES"))
    return "unset " + fact.subject + ", or name each device in it once";
  if (fact.kind == Fact::Kind::kMask && fact.subject.ends_with("ORDER"))
    return "unset " + fact.subject + ", or say PCI_BUS_ID or FASTEST_FIRST";
  if (fact.kind == Fact::Kind::kMask && fact.subject.starts_with("VK_"))
    return "unset " + fact.subject + ", or name the driver in it";
  if (fact.kind != Fact::Kind::kPlace) return "";
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
            "start the container anew with --device {}, or with --privileged: it may open what it "
            "was given alone; where the host's node is shut, too, chmod o+rw it there, for good by "
            "NVreg_DeviceFileMode=0666",
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

}  // namespace gpustage
