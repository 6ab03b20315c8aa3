// The special members of the evidence's large values.
#include "harness/evidence/evidence.h"
#include "harness/evidence/records/recorded_run.h"

namespace gpustage {

DEFINE_OUT_OF_LINE_MEMBERS(RecordedRun);
DEFINE_OUT_OF_LINE_MEMBERS(Evidence);

}  // namespace gpustage
