// How the scanner of a run is started.
#pragma once

#include "harness/base/result.h"
#include "harness/run/run.h"
#include "harness/scenario/model/case.h"

namespace gpustage {

Result<ScannerStart> StartOf(const Case& c, const RunSpec& spec);

}  // namespace gpustage
