// What a scenario says, once everything is resolved: one Case is one cell of its matrix and needs
// nothing else. Nothing after this stage reads scenarios/ or fixtures/.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/claim.h"
#include "harness/scenario/model/machine.h"
#include "harness/scenario/model/scanner.h"
#include "harness/scenario/model/tree_op.h"

namespace gpustage {

// One variable of the environment. No value: the variable is not set, whatever a layer below says.
struct EnvVar {
  std::string name;
  std::optional<std::string> value;
  SourcePos pos;

  friend bool operator==(const EnvVar&, const EnvVar&) = default;
};

// One start of one scanner in the case's tree.
struct RunSpec {
  std::string name;
  ScannerSpec scanner;
  std::vector<std::string> args;  // appended to the scanner's argv
  std::vector<EnvVar> env;        // over the case's env
  std::optional<std::string> user;
  std::vector<TreeOp> change;  // done to the tree before this run; it stays for the runs after
  bool fixed = false;          // another run once more, after what `fix` changes: "service+fix"
  SourcePos pos;

  friend bool operator==(const RunSpec&, const RunSpec&) = default;
};

inline constexpr char kFixedSuffix[] = "+fix";  // behind the name of a fixed run

// "ollama@0.17.4" for a scanner that was given in a version, the name alone for all others.
std::string RunName(const std::string& name, const ScannerSpec& scanner);
// Whether an expectation's `run: ollama`, `run: ollama@0.17.4` or `run: ollama@<0.30` means this
// run.
bool IsNamed(const RunSpec& run, const std::string& wanted);

// Takes runs out of the list. What one of them would have done to the tree is done before the next.
template <typename Unwanted>
void DropRuns(std::vector<RunSpec>& runs, Unwanted unwanted) {
  std::vector<RunSpec> kept;
  std::vector<TreeOp> owed;
  for (RunSpec& run : runs) {
    owed.insert(owed.end(), run.change.begin(), run.change.end());
    if (unwanted(run)) continue;
    run.change = std::exchange(owed, {});
    kept.push_back(std::move(run));
  }
  runs = std::move(kept);
}

// The scenario expects its claims to fail: a known bug, with the thread that knows it.
struct ExpectedFailure {
  std::string reason;
  SourcePos pos;

  friend bool operator==(const ExpectedFailure&, const ExpectedFailure&) = default;
};

// What a cell stands for when a scenario weighs the causes that a report may have.
struct Suspect {
  std::string name;  // the value of the axis
  std::string is;    // the cause, in a sentence
  // The one observation that tells it from the others: where one looks, and what is seen there of
  // this one.
  std::string look;
  std::string see;
  // The line that rules it out: one that the report has and this one's log lacks, or the other way
  // round. RE2.
  std::string missing;
  std::string extra;
  std::string has;  // RE2: a line that its log has, as the report's
  std::string
      traced;  // RE2: a line that it has at OLLAMA_DEBUG=2, where a child's own output is shown
  std::string untraced;  // RE2: a line that it has not, there
  std::string mend;      // what people did about it, or why nobody can
  bool fits() const { return missing.empty() && extra.empty(); }

  friend bool operator==(const Suspect&, const Suspect&) = default;
};

struct Case {
  std::string
      id;  // "first-steps/links@cuda=12,link=chained": path without .yaml, then sorted axis=value
  std::string scenario;  // "first-steps/links"
  std::string file;      // as it was opened
  std::string claim;
  std::vector<std::string> source;
  std::vector<std::string> tags;
  std::map<std::string, std::string> axes;
  Machine machine;
  std::vector<TreeOp> tree;  // layouts first, in order, then the scenario's own
  std::vector<EnvVar> env;   // one entry a name, sorted; matrix beats env beats layout
  std::string user = "nobody";
  std::string working_directory = "/";
  std::vector<RunSpec> runs;
  std::vector<Expectation> expect;  // those whose `when` matches this cell and whose `run` it has
  std::optional<ExpectedFailure> xfail;
  std::optional<Suspect> suspect;

  friend bool operator==(const Case&, const Case&) = default;
};

}  // namespace gpustage
