// What a scenario says, once everything is resolved: one Case is one cell of its matrix and needs nothing else.
// Nothing after this stage reads scenarios/ or fixtures/.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/claim.h"
#include "harness/scenario/machine.h"
#include "harness/scenario/scanner.h"
#include "harness/scenario/tree_op.h"

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
  std::vector<TreeOp> change;     // done to the tree before this run; it stays for the runs after
  SourcePos pos;

  friend bool operator==(const RunSpec&, const RunSpec&) = default;
};

// "ollama@0.17.4" for a scanner that was given in a version, the name alone for all others.
std::string RunName(const std::string& name, const ScannerSpec& scanner);
// Whether an expectation's `run: ollama` or `run: ollama@0.17.4` means this run.
bool IsNamed(const RunSpec& run, const std::string& wanted);

// The scenario expects its claims to fail: a known bug, with the thread that knows it.
struct ExpectedFailure {
  std::string reason;
  SourcePos pos;

  friend bool operator==(const ExpectedFailure&, const ExpectedFailure&) = default;
};

struct Case {
  std::string id;        // "first-steps/links@cuda=12,link=chained": path without .yaml, then sorted axis=value
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

  friend bool operator==(const Case&, const Case&) = default;
};

}  // namespace gpustage
