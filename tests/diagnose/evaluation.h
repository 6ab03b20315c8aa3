// One run of a scenario that says what mends it: what `why` is asked, and what is right.
#pragma once

#include <string>
#include <vector>

#include "harness/diagnose/why.h"

namespace gpustage {

struct EvaluationOptions {
  double share = 100;
  size_t again = 0;  // so many of the proven answers of a run are proven again, by the test
  unsigned seed = 1;
  std::string only;
  int jobs = 2;
  int budget = 200;
  std::vector<std::string> paths;  // of scenarios; empty: all of the collection
  std::string keep;                // scores are kept there, and continued from there; "": nowhere
  std::string stamp;    // of what is evaluated: scores of another one are not continued from
  int minutes = 0;      // then it ends, with what it has; 0: never; below it: with what is kept
  std::string json;     // where results go; "": nowhere
  std::string publish;  // where machines and truth go; "": nowhere
};

// A run and what its scenario's author did about it.
struct Task {
  Case c;
  size_t run = 0;
  size_t fixed = 0;  // the run after the fix
  std::string Name() const { return c.id + " [" + c.runs[run].name + "]"; }
};

struct Score {
  std::string name;
  std::optional<int64_t> before;
  std::vector<std::string> answers;  // proven, in words
  int all_starts = 0;
  double seconds = 0;
  bool found = false;      // no larger than the author's, and the expectation of the fix holds
  bool first = false;      // the first is about what the author changed
  bool named = false;      // the chain of losses names what the author changed
  bool by_claims = false;  // a line, an outcome, which device: as many are counted
  bool by_text = false;    // only a variable that the program's text names is as small
  bool mended = true;      // the machine that its author mended is healthy
  bool again = true;       // what was called proven was, once more, from scratch
  bool after = false;      // its scenario was written after `why` was
  bool unseen = false;     // and after its rules were last made with scenarios in view
  int starts = 0;          // to the first answer, with its proof
};

// Those whose author says what is to be seen after the fix.
std::vector<Task> TasksOf(const Case& c);
int SizeOfFix(const Task& task);
// What its author changed, a sentence each.
std::vector<std::string> WordsOfFix(const Task& task);
std::optional<CountRange> CountOf(const Task& task);  // after the fix
Goal GoalOf(const Task& task);                        // the same, all that is claimed

// Whether its scenario was written after `why` was, and after its rules were made.
void SayWhen(const Task& task, Score& score);

Result<Score> Evaluate(const Task& task, const ProposalContext& knowledge, CaseRunner& runner,
                       const EvaluationOptions& options);

}  // namespace gpustage
