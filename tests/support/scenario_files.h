// A catalog in a scratch directory: fixtures and scenarios as texts.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/files.h"
#include "harness/scenario/read/scenario.h"
#include "tests/support/matchers.h"

namespace gpustage {

class ScenarioFiles {
 public:
  ScenarioFiles() : scratch_(*ScratchDirectory::Make()) {
    for (const char* folder :
         {"scenarios", "layouts", "devices", "scanners", "fakes", "programs", "real"})
      mkdir(Path(folder).c_str(), 0755);
    catalog_.scenarios = Path("scenarios");
    catalog_.layouts = Path("layouts");
    catalog_.devices = Path("devices");
    catalog_.scanners = Path("scanners");
    catalog_.fakes = Path("fakes");
    catalog_.programs = Path("programs");
    catalog_.real_parts = Path("real-parts.yaml");
    catalog_.real_root = Path("real");
    Write("fakes/cuda-driver.so", "");
    Write("fakes/cudart-12.so", "");
    Write("real-parts.yaml",
          "- name: ggml-12\n  into: ggml-12\n  gives:\n    ggml-cuda-12: libggml-cuda.so\n");
    Write("devices/h100.yaml",
          "device: h100\nname: NVIDIA H100\ncompute_capability: 9.0\nmemory_total: 80 GiB\n"
          "memory_free: 79 GiB\nnvml_memory_total: 81 GiB\nsm_count: 132\nsource: test\n"
          "attributes: {1: 1024, 16: 132, 75: 9, 76: 0}\n");
    Write(
        "layouts/driver.yaml",
        "layout: driver\nabout: a driver\nprovides: [driver]\nenv: {FROM: driver, BELOW: driver}\n"
        "tree: [{symlink: /usr/lib/libcuda.so.1, to: libcuda.so.580}]\n");
    Write("layouts/tools.yaml",
          "layout: tools\nabout: tools over it\nprovides: [tools]\nenv: {FROM: tools}\n"
          "tree: [{dir: /opt/tools}]\n");
    Write("scanners/dlopen.yaml",
          "scanner: dlopen\nabout: it says a number\nprogram: {build: dlopen}\nargv: "
          "[dlopen]\nfits: driver\n");
    Write("scanners/lister.yaml",
          "scanner: lister\nabout: it lists\nprogram: {build: lister}\nargv: [lister]\nfits: "
          "tools\n");
  }

  std::string Path(std::string_view name) const {
    return scratch_.path() + "/" + std::string(name);
  }
  const Catalog& catalog() const { return catalog_; }
  Catalog& catalog() { return catalog_; }

  void Write(std::string_view name, std::string_view text, mode_t mode = 0644) const {
    ASSERT_TRUE(WriteFile(Path(name), text).ok());
    chmod(Path(name).c_str(), mode);
  }

  // The cases of a scenario with this text. Errors name files relative to the scratch directory.
  Result<std::vector<Case>> Load(std::string_view text,
                                 std::string_view name = "scenarios/s.yaml") const {
    Write(name, text);
    auto cases = LoadCases(Path(name), catalog_);
    if (cases) return cases;
    Error error = cases.error();
    const std::string prefix = scratch_.path() + "/";
    if (error.pos && error.pos->file.starts_with(prefix)) error.pos->file.erase(0, prefix.size());
    for (size_t at; (at = error.message.find(prefix)) != std::string::npos;)
      error.message.erase(at, prefix.size());
    return error;
  }

 private:
  ScratchDirectory scratch_;
  Catalog catalog_;
};

}  // namespace gpustage
