#include "harness/evidence/path/families.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace gpustage {
namespace {

using std::string_view;

constexpr unsigned Bit(Family family) { return 1u << static_cast<unsigned>(family); }

struct Row {
  Family family;
  string_view name;
  string_view prefix;  // of its functions; a capital letter or '_' follows
  unsigned asks;       // the families whose calls are a part of its story
};
constexpr unsigned kCuda = Bit(Family::kDriver) | Bit(Family::kRuntime) | Bit(Family::kBlas);
constexpr Row kRows[] = {
    {Family::kBackend, "a backend of ggml's", "ggml", ~0u},
    {Family::kRuntime, "CUDA's runtime", "cuda", Bit(Family::kDriver)},
    {Family::kBlas, "a library of CUDA's", "cublas", kCuda},
    {Family::kDriver, "NVIDIA's driver", "cu", 0},
    {Family::kManagement, "NVML", "nvml", 0},
    {Family::kVulkanLoader, "the Vulkan loader", "vk", Bit(Family::kVulkanDriver)},
    {Family::kVulkanDriver, "a Vulkan driver", "vk_icd", Bit(Family::kVulkanLoader)},
    {Family::kHip, "HIP's runtime", "hip", Bit(Family::kHsa)},
    {Family::kHsa, "the HSA runtime", "hsa", 0},
    {Family::kSmi, "AMD's SMI", "rsmi", 0},
    {Family::kSmi, "AMD's SMI", "amdsmi", 0},
    {Family::kOpenCl, "OpenCL", "cl", 0},
    {Family::kLevelZero, "Level Zero", "ze", 0},
};

struct Name {
  string_view begin;  // of the name of a file that has ".so" in it
  Family family;
};
// The first that fits decides.
constexpr Name kNames[] = {
    {"libcuda.so", Family::kDriver},
    {"libcudart.so", Family::kRuntime},
    {"libcudart-", Family::kRuntime},  // as a wheel for several programs renames it
    {"libnvidia-ml.so", Family::kManagement},
    {"libcublas", Family::kBlas},
    {"libcudnn", Family::kBlas},
    {"libcufft", Family::kBlas},
    {"libcurand", Family::kBlas},
    {"libcusparse", Family::kBlas},
    {"libcusolver", Family::kBlas},
    {"libnvrtc", Family::kBlas},
    {"libnvJitLink", Family::kBlas},
    {"libnccl", Family::kBlas},
    {"libggml-cuda", Family::kBackend},
    {"libggml-hip", Family::kBackend},
    {"libggml-vulkan", Family::kBackend},
    {"libggml-sycl", Family::kBackend},
    {"libggml-opencl", Family::kBackend},
    {"libggml-musa", Family::kBackend},
    {"libggml-cann", Family::kBackend},
    {"libvulkan.so", Family::kVulkanLoader},
    {"libvulkan_", Family::kVulkanDriver},
    {"libGLX_nvidia.so", Family::kVulkanDriver},
    {"libamdhip64.so", Family::kHip},
    {"libhsa-runtime64.so", Family::kHsa},
    {"librocm_smi64.so", Family::kSmi},
    {"libamd_smi.so", Family::kSmi},
    {"libOpenCL.so", Family::kOpenCl},
    {"libze_loader.so", Family::kLevelZero},
    {"libze_intel_gpu.so", Family::kLevelZero},
};

struct Function {
  Family family;
  string_view name;
};
constexpr Function kStarts[] = {
    {Family::kDriver, "cuInit"},
    {Family::kRuntime, "cudaGetDeviceCount"},
    {Family::kManagement, "nvmlInit"},
    {Family::kManagement, "nvmlInit_v2"},
    {Family::kManagement, "nvmlInitWithFlags"},
    {Family::kVulkanLoader, "vkCreateInstance"},
    {Family::kHip, "hipInit"},
    {Family::kHip, "hipGetDeviceCount"},
    {Family::kHsa, "hsa_init"},
    {Family::kSmi, "rsmi_init"},
    {Family::kSmi, "amdsmi_init"},
    {Family::kOpenCl, "clGetPlatformIDs"},
    {Family::kLevelZero, "zeInit"},
};
// By what a backend comes to its devices. The others ask CUDA's runtime, or one made after it.
struct Stack {
  string_view begin;
  Family family;
};
constexpr Stack kStacks[] = {{"libggml-vulkan", Family::kVulkanLoader},
                             {"libggml-hip", Family::kHip},
                             {"libggml-opencl", Family::kOpenCl},
                             {"libggml-sycl", Family::kLevelZero}};
constexpr string_view kCounts[] = {
    "cuDeviceGetCount",           "cudaGetDeviceCount", "nvmlDeviceGetCount",
    "nvmlDeviceGetCount_v2",      "hipGetDeviceCount",  "rsmi_num_monitor_devices",
    "vkEnumeratePhysicalDevices", "clGetDeviceIDs",     "zeDeviceGet"};

const Row* RowOf(Family family) {
  for (const Row& row : kRows)
    if (row.family == family) return &row;
  return nullptr;
}

template <typename List, typename Is>
bool AnyOf(const List& list, Is is) {
  return std::any_of(std::begin(list), std::end(list), is);
}

}  // namespace

Family FamilyOfLibrary(string_view base_name) {
  if (base_name.find(".so") == string_view::npos) return Family::kNone;
  for (const Name& name : kNames)
    if (base_name.starts_with(name.begin)) return name.family;
  return Family::kNone;
}

Family FamilyOfFunction(string_view function) {
  while (function.starts_with('_')) function.remove_prefix(1);
  Family best = Family::kNone;
  size_t longest = 0;
  for (const Row& row : kRows)
    if (function.starts_with(row.prefix) && row.prefix.size() > longest) {
      best = row.family;
      longest = row.prefix.size();
    }
  return best;
}

Family StackOf(string_view base_name) {
  const Family own = FamilyOfLibrary(base_name);
  if (own != Family::kBackend && own != Family::kNone) return own;
  for (const Stack& stack : kStacks)
    if (base_name.starts_with(stack.begin)) return stack.family;
  return Family::kRuntime;
}

string_view NameOf(Family family) {
  const Row* const row = RowOf(family);
  return row == nullptr ? "a library" : row->name;
}

bool Asks(Family family, string_view function) {
  const Row* const row = RowOf(family);
  const Family of = FamilyOfFunction(function);
  return row != nullptr && (of == family || (row->asks & Bit(of)) != 0);
}

bool AsksFamily(Family family, Family other) {
  const Row* const row = RowOf(family);
  return row != nullptr && (row->asks & Bit(other)) != 0;
}

bool IsEntryPoint(Family family, string_view symbol) {
  if (family == Family::kBackend || family == Family::kNone)
    return symbol == "ggml_backend_init" || symbol == "cuInit" || symbol == "cudaGetDeviceCount" ||
           symbol == "nvmlInit_v2";
  return FamilyOfFunction(symbol) == family;
}

bool Starts(Family family, string_view function) {
  return Asks(family, function) &&
         AnyOf(kStarts, [&](const Function& start) { return start.name == function; });
}

bool Counts(string_view function) {
  return AnyOf(kCounts, [&](string_view name) { return name == function; });
}

bool OnlyLoads(Family family) { return family == Family::kBlas; }

}  // namespace gpustage
