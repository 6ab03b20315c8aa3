// A run written by hand for each cause of a loss, with what the system would say of it.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/evidence/records/recorded_run.h"

namespace gpustage {

struct Example {
  std::string what;  // a few words
  RecordedRun recorded;
  Evidence evidence;                                      // of it
  std::string library = "/opt/cuda_v12/libggml-cuda.so";  // of which row
};

std::vector<Example> CauseExamples();

}  // namespace gpustage
