// What a tree has below /proc: laid over the kernel's own, for no file can be made there.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/root.h"

namespace gpustage {

// "/proc/driver", "/proc/version": paths of what the tree has in place of the
// kernel's: /proc/driver as a whole, and files. An Error when the kernel has no such file here.
Result<std::vector<std::string>> ProcFiles(const Root& root);

}  // namespace gpustage
