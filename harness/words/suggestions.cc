#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "harness/base/files.h"
#include "harness/evidence/path/families.h"
#include "harness/words/parts.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

// What ld.so searches without being told, but for links to these.
constexpr const char* kSystems[] = {"/usr/lib/", "/lib/", "/usr/lib64/", "/lib64/"};

// The device that a program dropped is no GPU's: VkPhysicalDeviceType's CPU.
bool OnlyRenders(const FunnelRow& row) {
  const Fact* const device = First(row, Fact::Kind::kDevice);
  return device != nullptr && device->subject.find("deviceType=\"CPU\"") != std::string::npos;
}

bool IsSingularity(const FunnelRow& row) {
  const Fact* const container = First(row, Fact::Kind::kContainer);
  return container != nullptr && container->subject.find("singularity") != std::string::npos;
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

bool IsSystems(const std::string& path) {
  return std::any_of(std::begin(kSystems), std::end(kSystems),
                     [&](const char* folder) { return path.starts_with(folder); });
}

// That which does not fit is taken away, or the one that does put before it.
std::string Instead(const Fact& answered, const std::string& other) {
  const std::string& file = answered.other;
  const std::string first =
      fmt::format("put {} first into LD_LIBRARY_PATH, so that {} answers", ParentOf(other), other);
  const bool compat = other.find("/compat/") != std::string::npos;
  if (answered.other.starts_with("/nix/store/") || compat) return first;
  // A folder that is searched anyway hides nothing.
  if (answered.rule.starts_with("LD_LIBRARY_PATH") && !IsSystems(file))
    return fmt::format("take {} out of LD_LIBRARY_PATH, so that {} answers", ParentOf(file), other);
  if (answered.rule == "RPATH" || answered.rule.empty())
    return fmt::format("take {} out of the way, so that {} answers", CopyText(answered), other);
  return fmt::format("take {} out of the way, or {}", CopyText(answered), first);
}

// Whichever of the copies the system itself searches is the one that its packages brought.
std::string VersionOfSystem(const FunnelRow& row, const Fact& answered, const Fact& versions) {
  if (IsSystems(answered.other)) return versions.subject;
  for (const Fact& fact : row.loss->because)
    if (fact.kind == Fact::Kind::kShadowed && !fact.other.empty() && IsSystems(fact.subject))
      return fact.other;
  return versions.subject;
}

// Which of several copies should answer: the one of the module's version, if there is one.
template <typename Add>
void AddMendsOfCopies(const FunnelRow& row, const Add& add) {
  const Fact* const versions = First(row, Fact::Kind::kVersions);
  const Fact* const answered = First(row, Fact::Kind::kAnswered);
  const Fact* shadowed = First(row, Fact::Kind::kShadowed);
  const bool differ = versions != nullptr && versions->subject != versions->other;
  // A compatibility package is for whoever needs a newer CUDA: the driver's own stands before it.
  for (const Fact& fact : row.loss->because)
    if (shadowed != nullptr && shadowed->subject.find("/compat/") != std::string::npos &&
        fact.kind == Fact::Kind::kShadowed)
      shadowed = &fact;
  for (const Fact& fact : row.loss->because)
    if (differ && fact.kind == Fact::Kind::kShadowed && fact.other == versions->other)
      shadowed = &fact;
  const bool fits = differ && shadowed != nullptr &&
                    (shadowed->other == versions->other || shadowed->other.empty());
  const bool theirs = row.cause() == Cause::kInitError || row.cause() == Cause::kMissingSymbol ||
                      row.cause() == Cause::kMissingVersion ||
                      row.cause() == Cause::kMissingDependency;
  if (answered != nullptr && shadowed != nullptr && theirs)
    add(Instead(*answered, shadowed->subject));
  const Reason& reason = row.loss->reason;
  if (row.cause() == Cause::kPartialLibrary && !reason.names.empty()) {
    Fact first;
    first.other = reason.other;
    first.rule = reason.rule;
    add(Instead(first, reason.names.front()));
  }
  // CUDA's compatibility guide, "Forward Compatibility".
  if (row.loss->code == 804)
    add("use the driver of the module's version: a newer one over an older module is for "
        "data-centre GPUs alone, and for none that it has dropped");
  if (!differ) return;
  const bool named = answered != nullptr && answered->rule.starts_with("LD_LIBRARY_PATH") &&
                     !IsSystems(answered->other);
  if (!fits && named && shadowed == nullptr)
    add(fmt::format(
        "take {} out of LD_LIBRARY_PATH, so that the running system's own driver "
        "answers{}",
        ParentOf(answered->other),
        answered->other.starts_with("/nix/store/") ? ": on NixOS /run/opengl-driver/lib" : ""));
  const bool container = First(row, Fact::Kind::kContainer) != nullptr;
  if (container && !named)
    add(
        fmt::format("take the driver's libraries of {} out of the image, so that the host's of {} "
                    "are used",
                    versions->subject, versions->other));
  // A folder of the compatibility package, and one that a variable names, are no upgrade's.
  if (fits || named || container) return;
  if (answered == nullptr && row.library.starts_with('/') && !IsSystems(row.library))
    return add(
        fmt::format("take {} out of the way: it is of another driver's version", row.library));
  const std::string system =
      answered == nullptr ? versions->subject : VersionOfSystem(row, *answered, *versions);
  if (system != versions->other)
    add(
        fmt::format("restart, so that the kernel loads the module of {}, or install the libraries "
                    "of {}",
                    system, versions->other));
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
  if (row.cause() == Cause::kHung && of_driver && First(row, Fact::Kind::kAnswered) != nullptr)
    add("put another version of the driver there, module and libraries: the call hangs in it");
  // cuda.h of CUDA: CUDA_ERROR_INVALID_IMAGE, _NO_BINARY_FOR_GPU, _UNSUPPORTED_PTX_VERSION.
  const bool of_kernels = row.loss->code == 200 || row.loss->code == 209 || row.loss->code == 222;
  if (of_kernels)
    add("install a driver as new as the CUDA that the program's kernels were built with, or a "
        "build for this driver and this GPU");
  // NVIDIA/nvidia-container-toolkit#48.
  if (row.family == Family::kManagement && First(row, Fact::Kind::kNothing) != nullptr &&
      First(row, Fact::Kind::kContainer) != nullptr)
    add("start the container anew with --gpus all: a running one loses its devices with systemctl "
        "daemon-reload, and with an upgrade of the host's driver");
  const Fact* const answered = First(row, Fact::Kind::kAnswered);
  const Fact* const versions = First(row, Fact::Kind::kVersions);
  const bool refuses =
      First(row, Fact::Kind::kOpened) != nullptr || First(row, Fact::Kind::kNothing) != nullptr;
  if (refuses && !not_ready && !of_kernels && answered != nullptr &&
      First(row, Fact::Kind::kShadowed) == nullptr &&
      (versions == nullptr || versions->subject == versions->other))
    add(IsToolkitsStub(CopyText(*answered))
            ? fmt::format("take {} out of the way: the driver's own is wanted", CopyText(*answered))
            : fmt::format("put another copy of {} there: of the same version anew, or of another",
                          answered->subject.empty() ? CopyText(*answered) : answered->subject));
}

// The oldest branch of the driver that a CUDA of this major version runs with: table 1 of "Minor
// Version Compatibility" in NVIDIA's guide to CUDA compatibility.
int OldestDriver(const std::string& runtime) {
  if (runtime == "libcudart.so.11.0") return 450;
  if (runtime == "libcudart.so.12") return 525;
  if (runtime == "libcudart.so.13") return 580;
  return 0;
}

template <typename Add>
void AddMendsOfAge(const FunnelRow& row, const Add& add) {
  if (row.loss->code != 35) return;  // driver_types.h of CUDA: cudaErrorInsufficientDriver
  const Fact* const versions = First(row, Fact::Kind::kVersions);
  for (const Need& need : row.needs)
    if (const int oldest = OldestDriver(BaseNameOf(need.name));
        oldest != 0 && (versions == nullptr || std::atoi(versions->subject.c_str()) < oldest))
      return add(
          fmt::format("install a driver of {} or later, which {} wants, or take a build for "
                      "an older CUDA",
                      oldest, BaseNameOf(need.name)));
}

// "take /opt/old out of LD_LIBRARY_PATH, if another is found then, or " of what was found by it.
std::string ByFolder(const Reason& reason) {
  if (!reason.rule.starts_with("LD_LIBRARY_PATH")) return "";
  return fmt::format("take {} out of LD_LIBRARY_PATH, if another is found then, or ",
                     ParentOf(reason.other));
}

// A library that is there, and of another build than is wanted.
template <typename Add>
void AddMendsOfBuild(const FunnelRow& row, const Add& add) {
  const Fact* const answered = First(row, Fact::Kind::kAnswered);
  if ((row.cause() == Cause::kMissingSymbol || row.cause() == Cause::kMissingVersion) &&
      answered != nullptr && First(row, Fact::Kind::kShadowed) == nullptr)
    add(answered->subject == "libc.so.6"
            ? "take a build for a system as old as this one, or run it on a newer system or image"
            : ByFolder(row.loss->reason) + "install another version of " + answered->subject);
  if (row.cause() == Cause::kNoEntryPoint && row.family == Family::kBackend)
    add(
        fmt::format("take a {} that was built as a backend to be loaded (GGML_BACKEND_DL), of the "
                    "scanner's own release",
                    BaseNameOf(row.library)));
}

// Links that lead somebody where he should not go, or do not lead where he would.
template <typename Add>
void AddMendsOfLinks(const FunnelRow& row, const Add& add) {
  const Fact* const link = First(row, Fact::Kind::kLink);
  if (link == nullptr) return;
  if (First(row, Fact::Kind::kRefused) != nullptr)
    add(fmt::format("take the link {} away, or have it lead where the user may go", link->subject));
  // NVIDIA/libnvidia-container#117.
  if (row.loss->code == 35)
    add(
        fmt::format("make {} a folder of the image, or its compat: a container toolkit looks for "
                    "compat libraries there, and not through a link to {}",
                    link->subject, link->other));
}

// What ld.so said of a file that it had found: dl-load.c and dl-reloc.c of glibc have its words.
template <typename Add>
void AddMendsOfFile(const FunnelRow& row, const Add& add) {
  const std::string& said = row.loss->loader_says;
  const std::string file = said.substr(0, said.find(": "));
  const auto says = [&](std::string_view words) {
    return said.find(words) != std::string::npos && file.starts_with('/');
  };
  if (says("file too short") || says("invalid ELF header"))
    add(fmt::format("put {} there anew, and see that the disk is not full: this is no whole file",
                    file));
  // The manual of glibc, "Dynamic Linking Tunables".
  if (says("static TLS block"))
    add(
        fmt::format("set GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384, or have {} loaded at "
                    "the start, by LD_PRELOAD",
                    file));
  if (says("wrong ELF class") || says("cannot open shared object file: Exec format"))
    add(fmt::format("put the library of the program's architecture in the place of {}", file));
  if (row.cause() == Cause::kLoadKills && row.family == Family::kBackend)
    add(
        fmt::format("take {} out of the way, so that the other backends are reached, and put it "
                    "there anew with what it needs",
                    row.library));
}

// What stands in the place of a library, and is none; or what has it passed over.
template <typename Add>
void AddMendsOfUnfit(const FunnelRow& row, const Add& add) {
  const Reason& reason = row.loss->reason;
  const Reason& fault = reason.below.empty() ? reason : reason.below.front();
  const std::string& path = fault.subject;
  switch (fault.kind) {
    case Reason::Kind::kDangling:
      return add(fmt::format("put back what the link {} leads to, or make it anew", path));
    case Reason::Kind::kUnopenable:
      if (fault.error == ELOOP) add(fmt::format("make the link {} anew: it leads to itself", path));
      return;
    case Reason::Kind::kDirectory:
      return add(fmt::format("take the directory {} away, and put the library there", path));
    case Reason::Kind::kTurnedOff:
      if (!fault.names.empty()) add("unset " + fault.names.front());
      return;
    case Reason::Kind::kPassedOverAsAsked:
    case Reason::Kind::kOtherNamed:
      if (!fault.names.empty())
        add(fmt::format("unset {}, or have it name {}", fault.names.front(), BaseNameOf(path)));
      return;
    case Reason::Kind::kLfsPointer:
      return add(fmt::format("fetch {} itself (git lfs pull): this is a pointer to it", path));
    default: return;
  }
}

// A library that is not where it was looked for.
template <typename Add>
void AddMendsOfMissing(const FunnelRow& row, bool container, const Add& add) {
  const bool not_there = row.cause() == Cause::kNoNameMatches || row.cause() == Cause::kNeverListed;
  if (not_there && row.loss->known == Known::kAsked && First(row, Fact::Kind::kCopy) == nullptr)
    add(fmt::format("install what has {} into {}", BaseNameOf(row.library), ParentOf(row.library)));
  const bool elsewhere = First(row, Fact::Kind::kElsewhere) != nullptr;
  if (container && !elsewhere && LacksDriver(row))
    add(IsSingularity(row)
            ? "start it with --nv, and see that etc/nvliblist.conf of Singularity or Apptainer has "
              "the library and that the host's ldconfig -p does, or --bind it"
            : "start the container with its GPUs, which brings the driver's libraries: --gpus all, "
              "in Kubernetes NVIDIA's runtime class and device plugin");
  if (row.cause() == Cause::kNotFound && !elsewhere && !container)
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
  const bool container = First(row, Fact::Kind::kContainer) != nullptr;
  const bool driver_lost =
      First(row, Fact::Kind::kNowhere) != nullptr || First(row, Fact::Kind::kReason) != nullptr;
  for (const Fact& fact : row.loss->because)
    if (fact.kind != Fact::Kind::kManifest || !driver_lost)
      add(MendOfFact(fact, First(row, Fact::Kind::kContainer)));
  if (const Fact* const nowhere = First(row, Fact::Kind::kNowhere))
    add(fmt::format(
        "install what has {}: {}", nowhere->subject,
        FamilyOfLibrary(nowhere->subject) == Family::kDriver ? "NVIDIA's driver" : "its package"));
  if (OnlyRenders(row))
    add("install the Vulkan driver of the GPU's maker, with its manifest: what answered renders on "
        "the processor");
  AddMendsOfCopies(row, add);
  AddMendsOfCode(row, add);
  AddMendsOfAge(row, add);
  AddMendsOfBuild(row, add);
  AddMendsOfLinks(row, add);
  AddMendsOfFile(row, add);
  AddMendsOfUnfit(row, add);
  AddMendsOfMissing(row, container, add);
  return all;
}

}  // namespace gpustage
