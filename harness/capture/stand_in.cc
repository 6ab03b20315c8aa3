#include "harness/capture/stand_in.h"

#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace gpustage::capture {
namespace {

std::string MajorOf(const std::string& text, const std::string& stem) {
  const size_t at = text.find(stem);
  if (at == std::string::npos) return "";
  const size_t begin = at + stem.size();
  return text.substr(begin, text.find_first_not_of("0123456789", begin) - begin);
}

// ROCm counts its libraries apart: rocBLAS 4 and hipBLAS 2 are of ROCm 6.
Fake OfAmd(const std::string& name) {
  static const std::tuple<const char*, const char*, const char*> kOf[] = {
      {"libamdhip64.so.5", "hip-5", "libamdhip64.so.5"},
      {"libamdhip64.so.6", "hip-6", "libamdhip64.so.6"},
      {"libamdhip64.so.7", "hip-7", "libamdhip64.so.7"},
      {"librocblas.so.4", "rocblas-6", "librocblas.so.4"},
      {"librocblas.so.5", "rocblas-7", "librocblas.so.5"},
      {"libhipblas.so.2", "hipblas-6", "libhipblas.so.2"},
      {"libhipblas.so.3", "hipblas-7", "libhipblas.so.3"},
      {"libhsa-runtime64.so.1", "hsa-6", "libhsa-runtime64.so.1"},
      {"librocm_smi64.so", "rocm-smi", ""},
      {"libamd_smi.so", "amd-smi", ""}};
  for (const auto& [stem, fake, soname] : kOf)
    if (name.rfind(stem, 0) == 0) return {fake, soname};
  return {};
}
Fake OfVulkan(const std::string& name) {
  static const std::pair<const char*, const char*> kOf[] = {
      {"libvulkan_radeon.so", "vulkan-radv"},
      {"libvulkan_intel.so", "vulkan-anv"},
      {"libvulkan_lvp.so", "vulkan-lavapipe"},
      {"libvulkan_nouveau.so", "vulkan-nvk"},
      {"libvulkan_virtio.so", "vulkan-venus"},
      {"amdvlk64.so", "vulkan-amdvlk"},
      {"libGLX_nvidia.so", "vulkan-nvidia"},
      {"libnvidia-glcore.so", "nvidia-glcore"},
      {"libnvidia-glsi.so", "nvidia-glsi"},
      {"libnvidia-tls.so", "nvidia-tls"},
      {"libnvidia-gpucomp.so", "nvidia-gpucomp"},
      {"libX11.so.6", "x11"},
      {"libXext.so.6", "xext"}};
  for (const auto& [stem, fake] : kOf)
    if (name.rfind(stem, 0) == 0) return {fake, ""};
  return {};
}

}  // namespace

std::vector<const char*> EntryPoints(const std::string& name) {
  // What ggml, PyTorch and NVML's clients ask for before they count.
  static const std::pair<const char*, std::vector<const char*>> kOf[] = {
      {"libcuda.so",
       {"cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName",
        "cuDeviceGetAttribute", "cuGetErrorString", "cuCtxGetFlags"}},
      {"libnvidia-ml.so",
       {"nvmlInit_v2", "nvmlShutdown", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetName", "nvmlDeviceGetMemoryInfo"}},
      {"libcudart.so",
       {"cudaGetDeviceCount", "cudaGetDevice", "cudaSetDevice", "cudaMalloc", "cudaFree",
        "cudaGetErrorString"}},
      {"libcublasLt.so", {"cublasLtCreate"}},
      {"libcublas.so", {"cublasCreate_v2"}},
      {"libggml-cuda", {"ggml_backend_init"}},
      {"libggml-hip", {"ggml_backend_init"}},
      {"libamdhip64.so", {"hipGetDeviceCount", "hipDeviceGetName"}},
      {"libhsa-runtime64.so", {"hsa_init", "hsa_iterate_agents"}}};
  for (const auto& [stem, functions] : kOf)
    if (name.rfind(stem, 0) == 0) return functions;
  return {};
}

// Which of our fakes stands for the library; none: {}.
Fake FakeOf(const FileFacts& file) {
  const std::string base = file.path.substr(file.path.rfind('/') + 1);
  const std::string name = file.elf && !file.elf->soname.empty() ? file.elf->soname : base;
  const auto is = [&](const char* stem) { return name.rfind(stem, 0) == 0; };
  const auto any_of_runtime = [](const std::string& major) {
    return major == "11" || major == "12" || major == "13";
  };
  if (is("libcuda.so")) {
    const bool stub = file.path.find("/stubs/") != std::string::npos;
    return {stub ? "cuda-stub" : "cuda", "libcuda.so.1"};
  }
  if (is("libnvidia-ml.so")) return {"nvml", "libnvidia-ml.so.1"};
  for (const auto& [stem, fake] : {std::pair{"libcudart.so.", "cudart-"},
                                   {"libcublasLt.so.", "cublaslt-"},
                                   {"libcublas.so.", "cublas-"}})
    if (const std::string major = MajorOf(name, stem); any_of_runtime(major))
      return {fake + major,
              major == "11" && fake == std::string("cudart-") ? "libcudart.so.11.0" : stem + major};
  const bool of_ollama = file.path.find("ollama") != std::string::npos;
  if (is("libggml-base.so"))
    return {of_ollama ? "ggml-base-ollama" : "ggml-base-upstream",
            of_ollama ? "libggml-base.so.0" : "libggml-base.so"};
  if (is("libggml-cuda.so")) {
    std::string major = "12";
    if (file.elf)
      for (const std::string& needed : file.elf->needed)
        if (const std::string found = MajorOf(needed, "libcudart.so."); any_of_runtime(found))
          major = found == "13" ? "13" : "12";
    return {std::string("ggml-cuda-") + (of_ollama ? "ollama-" : "upstream-") + major, ""};
  }
  if (is("libggml-hip"))
    for (const std::string& needed : file.elf ? file.elf->needed : std::vector<std::string>{})
      if (const std::string major = MajorOf(needed, "libamdhip64.so.");
          major == "6" || major == "7")
        return {std::string("ggml-hip-") + (of_ollama ? "ollama-" : "upstream-") + major, ""};
  return OfAmd(name).name.empty() ? OfVulkan(name) : OfAmd(name);
}

const char* ProfileOfTarget(const std::string& gfx) {
  static const std::pair<const char*, const char*> kProfiles[] = {
      {"gfx1030", "rx-6900-xt"},   {"gfx1201", "rx-9070-xt"},     {"gfx1103", "radeon-780m"},
      {"gfx1151", "radeon-8060s"}, {"gfx1036", "radeon-raphael"}, {"gfx906", "radeon-vii"},
      {"gfx90a", "mi210"},         {"gfx942", "mi300x"}};
  for (const auto& [target, profile] : kProfiles)
    if (gfx == target) return profile;
  return "rx-7900-xtx";
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() <= 20 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

// "580.159.04": three numbers at most, as driver versions are.
std::string DriverVersion(const std::string& text) {
  int dots = 0, digits = 0;
  for (const char c : text) {
    if (c == '.')
      ++dots, digits = 0;
    else if (c < '0' || c > '9' || ++digits > 4)
      return "";
  }
  return dots >= 1 && dots <= 2 && digits > 0 ? text : "";
}

// "NVIDIA GeForce RTX 4090 Laptop GPU": makers' words and short codes of letters and digits.
std::string ProductName(const std::string& name) {
  static const std::set<std::string> words = {
      "NVIDIA", "GeForce", "RTX",       "GTX",    "GT",      "Ti",          "SUPER",    "Super",
      "Tesla",  "Quadro",  "TITAN",     "Titan",  "Ada",     "Generation",  "Laptop",   "GPU",
      "Max-Q",  "Orin",    "Thor",      "Xavier", "nvgpu",   "MIG",         "PCIe",     "Graphics",
      "Device", "PRO",     "Blackwell", "Server", "Edition", "Workstation", "GRID",     "Mobile",
      "Design", "with",    "NVL",       "SXM",    "X",       "V",           "D",        "(nvgpu)",
      "Radeon", "RX",      "XTX",       "XT",     "Vega",    "VII",         "Instinct", "AMD",
      "Intel",  "Arc"};
  std::string kept, word;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != ' ') {
      word += name[i];
      continue;
    }
    size_t letters = 0, digits = 0;
    bool plain = true;
    for (const char c : word) {
      letters += (c >= 'A' && c <= 'Z') || c == 'g' || c == 'b';
      digits += c >= '0' && c <= '9';
      plain = plain && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == 'g' || c == 'b' ||
                        c == '.' || c == '-');
    }
    const bool code = plain && digits >= 1 && digits <= 5 && letters <= 4 && word.size() <= 10;
    if (!kept.empty()) kept += ' ';
    kept += word.empty() || words.count(word) != 0 || code ? word : "?";
    word.clear();
  }
  return kept;
}

}  // namespace gpustage::capture
