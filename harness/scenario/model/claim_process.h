// Claims about processes: what they were started with, what they asked of the kernel, and what they
// said to nobody.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/model/claim_parts.h"

namespace gpustage {

struct ProcessClaim {  // process: {role: ollama runner, count: 2, environment: [GGML_CUDA_INIT=1]}
  std::string role;    // a part of it
  CountRange count{1, std::nullopt};
  std::vector<std::string>
      environment;  // NAME=value, or NAME alone for any value: as it was started
  std::optional<std::string> ended = std::nullopt;  // "exited 2", "killed by SIGSEGV"
  std::optional<std::string> argv = std::nullopt;   // a part of its words, one space between two
  friend bool operator==(const ProcessClaim&, const ProcessClaim&) = default;
};

struct FilesClaim {  // files: {path: /dev/nvidia0, how: opened, answer: missing, in: ollama runner,
                     // count: 0}
  std::string path;
  std::optional<std::string> how =
      std::nullopt;  // "opened", "looked at", "listed", "executed"; none: any
  std::optional<std::string> answer = std::nullopt;  // "found", "missing", "refused"; none: any
  std::optional<std::string> in = std::nullopt;  // a part of the process's role; none: any process
  CountRange count{1, std::nullopt};
  friend bool operator==(const FilesClaim&, const FilesClaim&) = default;
};
struct UnheardClaim {  // unheard: a line that a process printed, and that reached nobody
  LinePattern pattern;
  friend bool operator==(const UnheardClaim&, const UnheardClaim&) = default;
};

}  // namespace gpustage
