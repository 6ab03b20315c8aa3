// What reached the scanner that is neither of the tree nor of the base system: the leak audit.
#pragma once

#include <string>
#include <vector>

#include "harness/run/after_run.h"

namespace gpustage {

struct Evidence;

// One place outside, and how often one process was there. What the scanner declares may be used; a
// leak may not.
struct Outside {
  enum class What {
    kLibrary,            // of a GPU, of this machine
    kDeclaredLibrary,    // the same, in a directory that the scanner declares
    kDeclaredDirectory,  // that the scanner declares
    kDevices,            // what this machine's kernel says of devices
    kKernel,             // what else it says
  };
  int pid = 0;
  std::string path;  // of a directory that is declared, the directory
  What what = What::kLibrary;
  bool leak = false;
  int count = 0;
  int event = 0;  // the first
  friend bool operator==(const Outside&, const Outside&) = default;
};

// A name such as libcuda.so.1, libcudart.so.12, libnvidia-ml.so.1 or libggml-cuda.so.
bool IsGpuLibrary(const std::string& path);

// The files that were used, to be told by what they are and not by how they are called.
void FindUsedFiles(const Evidence& evidence, Questions& questions);

std::vector<Outside> FindOutside(const Evidence& evidence, const AfterRun& after);

}  // namespace gpustage
