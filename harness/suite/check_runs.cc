#include "harness/suite/check_runs.h"

#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/suite/lint.h"
#include "harness/verdict/verdict.h"

namespace gpustage {

Status CheckRuns(const Case& c) {
  for (const RunSpec& run : c.runs) {
    std::vector<const Claim*> claims;
    for (const Expectation* expectation : ExpectationsFor(c, run))
      for (const Claim& claim : expectation->claims) claims.push_back(&claim);
    // Of a program that the user gives, an expectation may be for some of its versions.
    if (claims.empty() && run.scanner.given.empty())
      return Error{
          fmt::format("nothing is expected of run {}; add it to \"expect\"", Quote(run.name)),
          run.pos};
    for (size_t i = 0; i < claims.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (CannotBothBe(*claims[i], *claims[j]))
          return Error{fmt::format("line {} expects {}, and both cannot be", claims[j]->pos.line,
                                   ToString(*claims[j])),
                       claims[i]->pos};
  }
  return Ok();
}

}  // namespace gpustage
