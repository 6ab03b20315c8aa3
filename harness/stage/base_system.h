// The part of the host that every scanner needs: its own program, the loader, libc and what else it
// links. Nothing else of the host is in a staged tree unless a scenario or a scanner asks for it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

struct HostFile {
  std::string host_path;
  std::string path;  // where it is placed, absolute inside the root
  friend auto operator<=>(const HostFile&, const HostFile&) = default;
};

// What one program of the host needs to start, as the host's own loader would resolve it (see
// host_loader.h), without the program itself. For a script: its interpreter and what that needs.
Result<std::vector<HostFile>> ClosureOf(const std::string& program);

// A library of the host by its SONAME ("libstdc++.so.6"), as /etc/ld.so.cache has it, with its
// closure; or a host path.
Result<std::vector<HostFile>> HostLibrary(const std::string& name);

}  // namespace gpustage
