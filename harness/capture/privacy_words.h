// The allowlist: words of GPU software and of the system, which tell of no person and no machine.
#pragma once

#include <set>
#include <string_view>

namespace gpustage::capture {

// Whole names of files and directories.
const std::set<std::string_view>& Words();
// STEM of libSTEM.so.N.
const std::set<std::string_view>& Stems();

}  // namespace gpustage::capture
