// What ld.so would say of a load, computed from the events of the process that tried and from the
// bytes of the files. Nobody is asked: no dlopen happens. tests/proof/derived_test.cc holds it
// against the system's own answer.
#pragma once

#include "harness/base/root.h"
#include "harness/evidence/evidence.h"
#include "harness/run/run.h"

namespace gpustage {

// load_error, signal and exit_code of an DlopenAnswer for the library of a row that was lost at
// "loaded".
DlopenAnswer Predict(const Evidence& evidence, const FunnelRow& row, const Root& root);

}  // namespace gpustage
