// Ollama's model installed in a scratch directory: T/bin/ollama and T/lib/ollama, as its path rules
// want it.
#pragma once

#include <string>
#include <vector>

#include "harness/base/files.h"

namespace gpustage {

struct Printed {
  int exit_code = -1;              // -1: killed by a signal
  std::vector<std::string> lines;  // stdout and stderr together, without the time
};

// How often a line holds `text`.
int CountOf(const Printed& printed, const std::string& text);

// With exactly these variables "NAME=value". As root, `as_nobody` gives up every privilege.
Printed RunWith(const std::vector<std::string>& env, const std::vector<std::string>& argv,
                bool as_nobody = false);

// The folder of a part that harness/dev real fetches, "ggml-cuda-12"; "" when it is not here.
std::string RealPart(const std::string& name);

class Install {
 public:
  Install();

  const std::string& root() const { return scratch_.path(); }
  std::string lib() const { return root() + "/lib/ollama"; }
  std::string exe() const { return root() + "/bin/ollama"; }

  // Below lib(), parents are made. `backend` is a name of CMakeLists.txt.
  void AddBackend(const std::string& path, const std::string& backend = "good") const;
  void AddFile(const std::string& path, const std::string& content) const;
  void AddDirectory(const std::string& path) const;
  void AddSymlink(const std::string& path, const std::string& to) const;

  Printed Serve(std::vector<std::string> env = {}, bool as_nobody = false) const;

 private:
  std::string Prepare(const std::string& path) const;

  ScratchDirectory scratch_;
};

}  // namespace gpustage
