// What of this machine a file may name: it may be a stranger's, and whoever runs it may read more
// than the stranger should.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

// Whether the file that says `at` may have `path` of this machine, whose bytes a scanner will see:
// what lies below its own folder, links followed; what a shipped file names; interpreters and
// ld.so; what the user allows.
Status CheckAllowed(const YamlNode& at, const std::string& path);
// The same of a directory to be shown inside: of the system's, too, but for those in which the
// kernel and services speak.
Status CheckShown(const YamlNode& at, const std::string& path);

// --allow-file: what lies below these folders may be named by any file from now on. So may what
// lies below those of GPUSTAGE_ALLOW_FILE, a list with colons. Before any file is read.
void AllowFiles(const std::vector<std::string>& folders);
// The folder of the files that came with gpustage, which may name anything.
void TrustFilesBelow(const std::string& folder);

}  // namespace gpustage
