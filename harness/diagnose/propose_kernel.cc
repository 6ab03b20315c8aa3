// What the kernel shows of a GPU, what hides one, and as which target it is taken.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "harness/base/files.h"
#include "harness/diagnose/propose.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

bool IsAmd(const GpuDevice& device) { return !device.gfx.empty(); }

bool HasAmd(const Machine& machine) {
  return std::any_of(machine.others.begin(), machine.others.end(), IsAmd);
}

// "gfx1035" as HSA_OVERRIDE_GFX_VERSION says it: 10.3.5.
struct GfxVersion {
  long major = 0, minor = 0, stepping = 0;
  std::string Text() const { return fmt::format("{}.{}.{}", major, minor, stepping); }
};
GfxVersion VersionOf(const std::string& gfx) {
  constexpr size_t kStart = 3, kTail = 2;
  if (gfx.size() < kStart + 1 + kTail) return {};
  const size_t minor = gfx.size() - kTail;
  return {std::strtol(gfx.substr(kStart, minor - kStart).c_str(), nullptr, 10),
          std::strtol(gfx.substr(minor, 1).c_str(), nullptr, 16),
          std::strtol(gfx.substr(minor + 1).c_str(), nullptr, 16)};
}

// Of the accelerators without a display, whose kernels no other GPU runs: gfx908, gfx90a, gfx942.
bool IsOfDataCentre(const GfxVersion& one) {
  return one.major == 9 && (one.minor > 0 || one.stepping == 8 || one.stepping == 10);
}

// Of the same generation: the first target of its kind, then those of GPUs that are known.
std::vector<std::string> RelativesOf(const GfxVersion& own, const ProposalContext& knowledge) {
  std::vector<std::string> relatives;
  const auto add = [&](const GfxVersion& one) {
    const std::string text = one.Text();
    if (text != own.Text() &&
        std::find(relatives.begin(), relatives.end(), text) == relatives.end())
      relatives.push_back(text);
  };
  add({own.major, own.minor, 0});
  for (const bool near : {true, false})
    for (const auto& [name, device] : knowledge.devices)
      if (const GfxVersion other = VersionOf(device.gfx);
          IsAmd(device) && other.major == own.major &&
          IsOfDataCentre(other) == IsOfDataCentre(own) && (other.minor == own.minor) == near)
        add(other);
  return relatives;
}

// "libcuda" of "/a/libcuda.so.1".
bool IsLoaded(const SeenByRun& looked, const std::string& stem) {
  return std::any_of(looked.loaded.begin(), looked.loaded.end(), [&](const std::string& path) {
    return BaseNameOf(path).starts_with(stem + ".so");
  });
}

// The variables that cut a list of GPUs, and whose list it is.
struct Mask {
  const char* name;
  const char* library;  // that reads it
};
constexpr Mask kMasks[] = {{"CUDA_VISIBLE_DEVICES", "libcuda"},
                           {"HIP_VISIBLE_DEVICES", "libamdhip64"},
                           {"ROCR_VISIBLE_DEVICES", "libhsa-runtime64"},
                           {"GGML_VK_VISIBLE_DEVICES", "libggml-vulkan"}};

// "0,1,2"
std::string FirstOf(int64_t count) {
  std::string list;
  for (int64_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + std::to_string(i);
  return list;
}

bool IsGpuNode(const std::string& path) {
  return path.starts_with("/dev/nvidia") || path == "/dev/kfd" || path.starts_with("/dev/dri/");
}

// What a module of the kernel makes, or shows.
bool IsOfAmdgpu(const std::string& path) {
  return path == "/dev/kfd" || path.starts_with("/dev/dri/") ||
         path.starts_with("/sys/class/kfd") || path.starts_with("/sys/class/drm") ||
         path.starts_with("/sys/module/amdgpu");
}

bool IsOfKernel(const std::string& path) {
  return path.starts_with("/sys/") || path.starts_with("/proc/");
}

}  // namespace

bool IsMadeBy(const std::string& module, const std::string& path) {
  return module == "amdgpu" && IsOfAmdgpu(path);
}

void ProposeOverrides(const FlatCase& flat, const SeenByRun& looked,
                      const ProposalContext& knowledge, std::vector<Intervention>& all) {
  constexpr size_t kMost = 4;
  if (!IsLoaded(looked, "libhsa-runtime64")) return;
  // What is lacking or refused is nearer than another target.
  const int tier = looked.lacks.empty() && looked.refused.empty() ? kMask : kVariable;
  for (const GpuDevice& device : flat.c.machine.others) {
    if (!IsAmd(device)) continue;
    const std::vector<std::string> relatives = RelativesOf(VersionOf(device.gfx), knowledge);
    for (size_t i = 0; i < relatives.size() && i < kMost; ++i)
      all.push_back(Change(Kind::kSetVariable, tier, "HSA_OVERRIDE_GFX_VERSION", relatives[i]));
  }
}

void ProposeMasks(const FlatCase& flat, const SeenByRun& looked, std::optional<int64_t> most,
                  std::vector<Intervention>& all) {
  const auto there =
      static_cast<int64_t>(std::max(flat.c.machine.devices.size(), flat.c.machine.others.size()));
  constexpr int64_t kMostOneByOne = 4;
  // Who wants fewer than there are wants them hidden; else something is counted twice.
  const int tier = !most ? kVariable : *most < there ? kRefused : kMask;
  for (const Mask& mask : kMasks) {
    if (!IsLoaded(looked, mask.library) || (!most && there < 2)) continue;
    std::vector<std::string> values;
    if (most == 0) values.push_back("-1");
    for (int64_t i = 0; most == 1 && i < there; ++i) values.push_back(std::to_string(i));
    // Who names each has them all: what takes two for one looks only at those that nobody named.
    for (int64_t i = 0; !most && VariableOf(flat, mask.name) && i < std::min(there, kMostOneByOne);
         ++i)
      values.push_back(std::to_string(i));
    if (!most || *most > 1) values.push_back(FirstOf(std::min(there, most.value_or(there))));
    // What its numbers count.
    if (mask.name == std::string_view("CUDA_VISIBLE_DEVICES") && VariableOf(flat, mask.name))
      for (const char* order : {"PCI_BUS_ID", "FASTEST_FIRST"})
        all.push_back(Change(Kind::kSetVariable, kVariable, "CUDA_DEVICE_ORDER", order));
    for (const std::string& value : values)
      all.push_back(Change(Kind::kSetVariable, tier, mask.name, value));
  }
  for (const std::string& path : looked.paths)
    if (most && IsGpuNode(path) && flat.tree.count(path) == 0)
      all.push_back(Change(Kind::kRemove, kTwice, path));
}

void ProposeKernel(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all) {
  int of_module = 0;
  for (const auto& [path, entry] : flat.tree) {
    const bool absent = entry.kind == FlatEntry::Kind::kAbsent;
    of_module += absent && IsOfAmdgpu(path) ? 1 : 0;
    if (IsOfKernel(path) && entry.kind != FlatEntry::Kind::kDirectory)
      all.push_back(Change(Kind::kKernelShows, absent ? kRefused : kDiffers, path));
  }
  if (of_module > 0 && HasAmd(flat.c.machine) && looked.complete)
    all.push_back(Change(Kind::kLoadModule, kRefused, "amdgpu"));
}

}  // namespace gpustage
