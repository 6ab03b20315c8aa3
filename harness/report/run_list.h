// The finished runs of a report, one after the other and as often as is wanted, wherever they are
// kept: a hundred thousand need not be in memory.
#pragma once

#include <functional>

#include "harness/base/result.h"
#include "harness/report/reported_run.h"

namespace gpustage {

// An error of it ends the reading.
using RunVisitor = std::function<Status(const ReportedRun&)>;

class RunList {
 public:
  virtual ~RunList() = default;
  virtual Status Each(const RunVisitor& visit) const = 0;
  // Those whose verdict is bad.
  virtual Status EachBad(const RunVisitor& visit) const {
    return Each([&](const ReportedRun& run) { return IsBad(run.verdict) ? visit(run) : Ok(); });
  }
};

}  // namespace gpustage
