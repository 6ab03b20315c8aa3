// The environment as Ollama reads it (envconfig/config.go of v0.17.4).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/scanner/slog.h"

namespace gpustage::ollama {

using EnvMap = std::map<std::string, std::string>;

// The value without spaces, then without quotes, at both ends; "" when it is not set.
std::string Var(const char* name);

// Go's ParseBool, but what it cannot parse is true. Not set or empty is false.
bool BoolVar(const char* name);

// OLLAMA_DEBUG: true words are DEBUG, a number n is -4n, so that 2 is TRACE.
Level LogLevel();

// "cuda_" + this is the only directory a Jetson uses; "" elsewhere.
std::string Jetpack();

// Bytes that OLLAMA_GPU_OVERHEAD sets aside on each GPU.
unsigned long long GpuOverhead();

// The child's environment: ours with LD_LIBRARY_PATH = lib_dirs before the inherited ones,
// OLLAMA_LIBRARY_PATH = lib_dirs whatever the user set, and `extra`.
std::vector<std::string> ChildEnvironment(const std::vector<std::string>& lib_dirs,
                                          const EnvMap& extra);

// Those variables of `environment` that Ollama shows in its line "subprocess". LD_PRELOAD is not
// among them.
Attributes Shown(const std::vector<std::string>& environment);

// "a:b" -> a, b. Go's SplitList: "" has no parts.
std::vector<std::string> SplitList(std::string_view list);

}  // namespace gpustage::ollama
