#include "harness/run/after_run.h"

namespace gpustage {

DEFINE_OUT_OF_LINE_MEMBERS(AfterRun);

}  // namespace gpustage
