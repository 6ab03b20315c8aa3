#include "harness/scenario/catalog/functions.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <sstream>

#include "harness/base/files.h"
#include "harness/scenario/catalog/catalog.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

template <typename T>
std::optional<T> At(const std::string& image, uint64_t offset) {
  T value;
  if (offset > image.size() || image.size() - offset < sizeof value) return std::nullopt;
  std::memcpy(&value, image.data() + offset, sizeof value);
  return value;
}

// Of functions that are asked for by name and exported by none, as Vulkan's: texts with their NULs.
constexpr std::string_view kFunctionsSection = ".gpustage_functions";

// The names of .dynsym that are defined and those of that section, by the section table of a
// library of our own build.
void AddFunctions(const std::string& image, std::vector<std::string>& names) {
  const auto header = At<Elf64_Ehdr>(image, 0);
  if (!header || !image.starts_with(ELFMAG)) return;
  const auto section = [&](uint64_t number) {
    return At<Elf64_Shdr>(image, header->e_shoff + number * sizeof(Elf64_Shdr));
  };
  const auto titles = section(header->e_shstrndx);
  for (uint64_t i = 0; i < header->e_shnum; ++i) {
    const auto table = section(i);
    if (!table) continue;
    const uint64_t title = titles ? titles->sh_offset + table->sh_name : image.size();
    if (title < image.size() && image.c_str() + title == kFunctionsSection &&
        table->sh_offset < image.size()) {
      std::istringstream listed(image.substr(table->sh_offset, table->sh_size));
      for (std::string name; std::getline(listed, name, '\0');)
        if (!name.empty()) names.push_back(std::move(name));
    }
    if (table->sh_type != SHT_DYNSYM) continue;
    const auto strings = section(table->sh_link);
    for (uint64_t at = 0; strings && at + sizeof(Elf64_Sym) <= table->sh_size;
         at += sizeof(Elf64_Sym)) {
      const auto symbol = At<Elf64_Sym>(image, table->sh_offset + at);
      if (!symbol || symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
        continue;
      const uint64_t name = strings->sh_offset + symbol->st_name;
      if (name < image.size()) names.emplace_back(image.c_str() + name);
    }
  }
}

// They ask of the library or of all devices.
constexpr std::string_view kOfNoDevice[] = {"cuInit",
                                            "cuDriverGetVersion",
                                            "cuDeviceGetCount",
                                            "cuGetErrorName",
                                            "cuGetErrorString",
                                            "cuGetProcAddress",
                                            "cuGetProcAddress_v2",
                                            "cudaGetDeviceCount",
                                            "cudaDeviceGetByPCIBusId",
                                            "cudaGetDevice",
                                            "cudaDriverGetVersion",
                                            "cudaRuntimeGetVersion",
                                            "cudaGetErrorName",
                                            "cudaGetErrorString",
                                            "cudaGetLastError",
                                            "cudaPeekAtLastError",
                                            "nvmlInit",
                                            "nvmlInit_v2",
                                            "nvmlInitWithFlags",
                                            "nvmlShutdown",
                                            "nvmlErrorString",
                                            "nvmlDeviceGetCount",
                                            "nvmlDeviceGetCount_v2",
                                            "ggml_backend_init"};

struct Code {
  std::string_view name;
  int64_t number;
};
constexpr Code kCodes[] = {
#define CODE(number, name) {#name, number},
#include "harness/scenario/catalog/codes.inc"
#undef CODE
};

}  // namespace

std::vector<std::string> FunctionsIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const std::string& library : NamesIn(folder, ".so"))
    if (const Result<std::string> image = ReadFile(fmt::format("{}/{}.so", folder, library)))
      AddFunctions(*image, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool IsOfADevice(std::string_view function) {
  if (function.starts_with("nvmlSystem") || function.starts_with("nvmlUnit")) return false;
  return std::find(std::begin(kOfNoDevice), std::end(kOfNoDevice), function) ==
         std::end(kOfNoDevice);
}

Result<int64_t> ReadCode(const YamlNode& node, std::string_view what) {
  int64_t number = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, number);
  if (node.IsText() && !node.text.empty() && parsed.ec == std::errc() && parsed.ptr == end &&
      number >= -std::numeric_limits<int>::max() && number <= std::numeric_limits<int>::max())
    return number;
  std::vector<std::string> names;
  for (const Code& code : kCodes) {
    if (node.IsText() && code.name == node.text) return code.number;
    names.emplace_back(code.name);
  }
  const auto nearest = NearestWord(node.text, names);
  return ErrorAt(node, fmt::format("expected {}, a number or a name such as CUDA_ERROR_NO_DEVICE, "
                                   "got {}{}",
                                   what, Describe(node),
                                   node.IsText() && nearest
                                       ? fmt::format("; did you mean {}?", Quote(*nearest))
                                       : ""));
}

}  // namespace gpustage
