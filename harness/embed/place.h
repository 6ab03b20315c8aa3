// What all cases of one process share: where the things are, and the place where they are staged.
#pragma once

#include "harness/pipeline.h"
#include "harness/scenario/catalog.h"

namespace gpustage {

// Made by the first call and gone with the process. An error when this machine allows no private root.
Result<Worker*> SharedWorker();

}  // namespace gpustage
