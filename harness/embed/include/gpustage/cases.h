// Every case of scenario files, for a test framework: its name there, and how it ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace gpustage {

struct CaseSource;  // from where the case is read when its turn comes; not for users

struct ListedCase {
  std::string id;     // "first-steps/links@cuda=12,link=chained"
  std::string suite;  // "first_steps": letters, digits, '_', '/' and '=' only, since '-' means
                      // "not" in a filter
  std::string name;   // "links/cuda=12/link=chained"; unique in its suite
  std::string file;
  std::shared_ptr<const CaseSource> source;
};

struct CaseList {
  std::vector<ListedCase> cases;
  std::string error;  // file, line and caret of what is wrong, or that nothing matches; "" when
                      // there are cases
};

// Of files, folders or names; none: all scenarios of this installation. With `scanners`, names or
// definition files of your own (FILE.yaml), only runs of these.
CaseList ListCases(const std::vector<std::string>& paths,
                   const std::vector<std::string>& scanners = {});

struct CaseEnd {
  std::string failed;  // the report of the runs that are bad; "" when none is
  std::string file;    // and the first expectation that does not hold, or the scenario
  int line = 1;
  std::string skipped;    // why no run was; "" when one was
  std::string known_bug;  // the reason of an xfail that failed as expected
  std::string skips;      // why some runs were not, a line each
};

// Stages the case and runs all its scanners; where the first call of a process comes after a thread
// was started, in a process of its own.
CaseEnd RunListed(const ListedCase& listed);

}  // namespace gpustage
