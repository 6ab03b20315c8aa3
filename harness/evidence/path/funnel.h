// Where each candidate library got to, process by process: the heart of the product.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/run/after_run.h"

namespace gpustage {

// Whether a file of this name is a GPU backend to ggml's loader: libggml-cuda.so and its variants,
// -hip, -vulkan, ….
bool IsBackendName(const std::string& base_name);

// Fills evidence.funnel: a row for each library of a GPU in each process that asked for it, by
// whatever name, and one without a process for a candidate that nobody touched. What such a library
// asks for in turn goes to evidence.inner.
void BuildFunnel(const std::vector<std::string>& candidates, Evidence& evidence);

// Of rows whose loss is not explained yet.
std::vector<Question> OpenQuestions(const Evidence& evidence);

// Paths of which a loss hangs, to be looked at after the run.
std::vector<std::string> PathsToLook(const Evidence& evidence);
// Libraries that were looked for in vain, each in its process.
std::vector<Sought> SoughtInVain(const Evidence& evidence);

// Completes rows that stopped without a reason. Steps learned so are marked derived.
void ExplainLosses(const AfterRun& after, Evidence& evidence);

}  // namespace gpustage
