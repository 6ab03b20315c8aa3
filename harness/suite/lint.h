// What is odd about scenario files that are no mistakes: an expectation that cannot fail, an axis
// without effect, a word that is nearly another one. Nothing is staged or run.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/read/scenario.h"
#include "harness/scenario/yaml/edit.h"
#include "harness/suite/case_selection.h"

namespace gpustage {

// One kind of finding, with the reason and what mends it: help and the findings say them.
struct LintRule {
  const char* name;    // "counts-from-zero"
  const char* reason;  // "at_least: 0 is true of every run"
  const char* fix;
};
const std::vector<LintRule>& LintRules();

struct OddThing {
  const LintRule* rule = nullptr;
  std::string what;  // what it is about, in a word or two; "" where the place says it
  SourcePos pos;
};

// Of all scenarios of a selection, by file and line. Of a large matrix some cells are looked at.
// `whole`: it is all there is, so that what nothing of it uses is used by nothing.
Result<std::vector<OddThing>> Lint(const CaseSelection& cases, bool whole);

// One scenario, and where its findings go.
struct Linted {
  const Scenario& scenario;
  std::vector<Case> cases;
  std::vector<OddThing>& findings;

  void Find(const char* rule, const SourcePos& pos, std::string what = "") const;
};

// lint_text.cc: what the text itself tells, whatever it stands for.
void LintText(const Linted& linted);
// lint_claims.cc: what is expected.
void LintClaims(const Linted& linted);
// lint_machine.cc: what is staged.
void LintMachine(const Linted& linted);
// lint_words.cc: names that are nearly others.
void LintWords(const Linted& linted);

// Of the claims of one run: what is claimed of it as a whole, and not of one of its processes.
bool CannotBothBe(const Claim& a, const Claim& b);

}  // namespace gpustage
