// What Ollama takes away: directories before they are tried, devices after (discover/runner.go of
// v0.17.4).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fakes/scanner/device.h"
#include "fakes/scanner/slog.h"

namespace gpustage::ollama {

// True when the directory is not to be tried. In this order: OLLAMA_LLM_LIBRARY, JetPack
// (silently), no JetPack, Vulkan.
bool SkipDirectory(const std::string& directory, const Log& log);

// library -> directory -> device id -> index: what came through the second pass.
using Supported = std::map<std::string, std::map<std::string, std::map<std::string, size_t>>>;

// Where several directories of one library have the same device, marks it for deletion in all but
// one.
void FilterOverlapByLibrary(const Supported& supported, std::vector<bool>& needs_delete,
                            const Log& log);

// Removes what is marked and gives numeric ids their new numbers.
void DeleteMarked(std::vector<DeviceInfo>& devices, const std::vector<bool>& needs_delete,
                  const Log& log);

// One entry for each PCI address: of the same library the first, without a word; of different ones
// CUDA or ROCm.
void DropDuplicates(std::vector<DeviceInfo>& devices, const Log& log);

}  // namespace gpustage::ollama
