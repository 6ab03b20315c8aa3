// The special members of the model's large values.
#include "harness/scenario/model/case.h"

namespace gpustage {

DEFINE_OUT_OF_LINE_MEMBERS(ScannerSpec);
DEFINE_OUT_OF_LINE_MEMBERS(RunSpec);
DEFINE_OUT_OF_LINE_MEMBERS(Case);

}  // namespace gpustage
