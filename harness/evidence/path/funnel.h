// Where each candidate library got to, process by process: the heart of the product.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/run/run.h"

namespace gpustage {

// Whether a file of this name is a GPU backend to ggml's loader: libggml-cuda.so and its variants,
// -hip, -vulkan, ….
bool IsBackendName(const std::string& base_name);

// A row for each process that touched a candidate, and one without a process for a candidate that
// nobody touched.
std::vector<FunnelRow> BuildFunnel(const Evidence& evidence,
                                   const std::vector<std::string>& candidates);

// Completes rows that stopped without a reason by what the system said when it was asked after the
// run. Steps learned so are marked derived.
void ExplainLosses(const std::vector<Answer>& answers, int uid, Evidence& evidence);

// Rows whose loss is not explained yet: the paths to ask about, and the environment of the process
// that tried. Paths that begin with kLookOnly are where a dependency was looked for, and where
// another copy of one may lie.
struct Question {
  std::vector<std::string> paths;
  std::vector<std::string> environment;  // empty: nobody tried, so that of the run
};
std::vector<Question> OpenQuestions(const Evidence& evidence);

}  // namespace gpustage
