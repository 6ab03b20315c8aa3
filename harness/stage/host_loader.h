// What ld.so of this machine would load for a file, found without starting it: an ELF file of a
// stranger's may name an auditor (DT_AUDIT), whose code ld.so runs even where it only lists.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

// Host paths of the libraries that `file` needs, directly and through others, as `ld.so --list`
// prints them, and of ld.so itself; none for a static program or what is no ELF file of this
// architecture. The order of ld.so(8): DT_RPATH of whoever needs it and of those that brought him,
// where he has no DT_RUNPATH; LD_LIBRARY_PATH as we have it; DT_RUNPATH; /etc/ld.so.cache; the
// default directories.
Result<std::vector<std::string>> LoadedFor(const std::string& file);

// The library that /etc/ld.so.cache has by this SONAME; "" when it has none.
std::string InLoaderCache(const std::string& soname);

}  // namespace gpustage
