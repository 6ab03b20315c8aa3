// What a scenario says, once everything is resolved: one Case is one cell of its matrix and needs
// nothing else. Nothing after this stage reads scenarios/ or fixtures/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/out_of_line.h"
#include "harness/base/result.h"
#include "harness/scenario/model/claim.h"
#include "harness/scenario/model/machine.h"
#include "harness/scenario/model/run_spec.h"
#include "harness/scenario/model/tree_op.h"

namespace gpustage {

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
  OUT_OF_LINE_MEMBERS(Case);
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
  std::vector<std::string> groups;  // further ones, beside its own
  std::string working_directory = "/";
  std::vector<RunSpec> runs;
  std::vector<Expectation> expect;  // those whose `when` matches this cell and whose `run` it has
  std::optional<ExpectedFailure> xfail;
  std::optional<Suspect> suspect;

  friend bool operator==(const Case&, const Case&) = default;
};

}  // namespace gpustage
