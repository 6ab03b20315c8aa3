// --require: scanners and real parts that must not be missing.
#pragma once

#include <string>
#include <vector>

#include "harness/suite/case_selection.h"
#include "harness/suite/run_all.h"

namespace gpustage {

class Requirements {
 public:
  // An error at a name that nothing has: the nearest word is said.
  static Result<Requirements> Of(const std::vector<std::string>& names,
                                 const CaseSelection& selected);

  // Before anything runs: which of them the case uses.
  void Add(const Case& c);
  // An error where no case uses one of them: it could never be met.
  Status CheckUsed() const;

  void Saw(const FinishedCase& finished);
  // The first that was missing, with the sentence of its skip; "" when none was.
  std::string Missing() const;

 private:
  struct One {
    std::string name;
    std::vector<LibrarySource> parts;  // of this name
    bool used = false;
    std::string missing;

    bool IsScanner(const RunSpec& run) const;
    bool IsPartOf(const Case& c, const RunSpec& run) const;
  };
  std::vector<One> all_;
};

}  // namespace gpustage
