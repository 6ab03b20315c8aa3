// Every case of scenario files, for a test framework: its name there, and how it ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

struct Case;

struct ListedCase {
  std::string id;     // "first-steps/links@cuda=12,link=chained"
  std::string suite;  // "first_steps": letters, digits, '_', '/' and '=' only, since '-' means "not" in a filter
  std::string name;   // "links/cuda=12/link=chained"; unique in its suite
  std::string file;
  std::shared_ptr<const Case> resolved;
};

// Of files, folders or names; none: all scenarios of this installation. An error when nothing matches.
Result<std::vector<ListedCase>> ListCases(const std::vector<std::string>& paths);

struct CaseEnd {
  std::string failed;      // the report of the runs that are bad; "" when none is
  std::string skipped;     // why no run was; "" when one was
  std::string known_bug;   // the reason of an xfail that failed as expected
  std::string skips;       // why some runs were not, a line each
};

// Stages the case and runs all its scanners. The first call must come before any thread is started.
CaseEnd RunListed(const ListedCase& listed);

// Error, line and caret, as `gpustage run` prints it.
std::string Rendered(const Error& error);

}  // namespace gpustage
