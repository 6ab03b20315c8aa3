// The runs of a case.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/out_of_line.h"
#include "harness/base/result.h"
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

// What is done to the tree so long after a run's start. What is not due when the run ends is not
// done.
struct TimedOp {
  std::chrono::milliseconds after{0};
  TreeOp op;

  friend bool operator==(const TimedOp&, const TimedOp&) = default;
};

// One start of one scanner in the case's tree.
struct RunSpec {
  OUT_OF_LINE_MEMBERS(RunSpec);
  std::string name;
  ScannerSpec scanner;
  std::vector<std::string> args;  // appended to the scanner's argv
  std::vector<EnvVar> env;        // over the case's env
  std::optional<std::string> user;
  std::optional<std::vector<std::string>> groups;  // further ones of the user, for the case's
  std::vector<TreeOp> change;      // done to the tree before this run; it stays for the runs after
  std::vector<TimedOp> meanwhile;  // done while it runs
  std::optional<MachineChange> machine;  // from this run on; a fix's alone
  bool fixed = false;  // another run once more, after what `fix` changes: "service+fix"
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
void DropRuns(std::vector<RunSpec>& runs, const std::function<bool(const RunSpec&)>& unwanted);

}  // namespace gpustage
