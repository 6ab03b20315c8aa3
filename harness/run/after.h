// Asks the tree of a run that has ended what its evidence leaves open.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/run/after_run.h"
#include "harness/run/run.h"

namespace gpustage {

// Opens a file as the scanner's processes saw it; an invalid one where it cannot.
using FileOpener = std::function<Fd(const std::string& path)>;

// Reads the files that were mapped, and tells a file by what it is and not by how it is called.
// `unasked` are GPU libraries that came from this machine, and that no scanner named.
void ReadUsedFiles(const Questions& questions, const FileOpener& open,
                   const std::vector<std::string>& unasked, AfterRun& after);

// Where paths lead, and who refuses `who` on the way.
void LookAround(const Questions& questions, const Root& root, const Identity& who, AfterRun& after);

// All of it, as the user of the run in its tree. `start` is that of the run.
Result<AfterRun> AskAfter(const Questions& questions, const ScannerStart& start,
                          const std::vector<std::string>& unasked, const Root& root,
                          const Recorders& recorders, const Isolation& isolation);

}  // namespace gpustage
