// From nodes to values: one function for each part of a scenario, one source file for each group.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/matrix/matrix.h"
#include "harness/scenario/model/case.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

class Fixtures;

// read_device.cc
Result<GpuDevice> ReadDeviceFile(const std::string& file);
Status AddDevices(const YamlNode& node, Fixtures& fixtures, Machine& machine);

// read_machine.cc
Result<Machine> ReadMachine(const YamlNode& node, Fixtures& fixtures);
Result<MachineChange> ReadMachineChange(const YamlNode& node, Fixtures& fixtures);

// read_faults.cc
std::vector<std::string> FaultWords();  // one for each FaultKind, in its order
Result<std::vector<FaultSpec>> ReadFaults(const YamlNode& node, Fixtures& fixtures);

// read_breakage.cc
std::vector<std::string> BreakageWords();  // one for each Breakage::Kind, in its order
Result<std::vector<Breakage>> ReadBreakage(const YamlNode& node);  // in the order of their kinds

// read_tree.cc
Result<std::string> ReadTreePath(const YamlNode& node, std::string_view what);
Result<std::vector<TreeOp>> ReadTree(const YamlNode& node, Fixtures& fixtures);
// Operations with an after_ms each, sorted by it.
Result<std::vector<TimedOp>> ReadMeanwhile(const YamlNode& node, Fixtures& fixtures);

// read_layout.cc
struct Layout {
  std::string name;
  std::vector<std::string> provides;
  std::vector<EnvVar> env;
  std::vector<TreeOp> tree;
  std::string driver;  // the version that its files are called by, which follows the machine's
};
Result<Layout> ReadLayoutFile(const std::string& file, Fixtures& fixtures);
// Its tree, with the names that a driver of this version has.
std::vector<TreeOp> TreeOf(const Layout& layout, const std::string& driver);

// {NAME: value | {unset: true}}, in the order of the file.
Result<std::vector<EnvVar>> ReadEnv(const YamlNode& node);

// read_scanner.cc
Result<ScannerSpec> ReadScannerFile(const std::string& file, Fixtures& fixtures);

// read_run.cc
// Words that a program is started with; an error where the kernel would take no more.
Result<std::vector<std::string>> ReadArguments(const YamlNode& node, std::string_view what);
Result<std::vector<std::string>> ReadGroups(const YamlNode& node);
// Those that start in this cell.
Result<std::vector<RunSpec>> ReadRuns(const YamlNode& node, const Cell& cell,
                                      const std::vector<Axis>& axes, Fixtures& fixtures);

// read_case.cc: all that a cell stages, and its runs. Expectations come later (expected.h).
// `start` has its axes.
Result<Case> ReadCase(const YamlNode& root, Case start, const std::vector<Axis>& axes,
                      Fixtures& fixtures);
Result<std::vector<RunSpec>> ReadCaseRuns(const YamlNode& root, const Cell& cell,
                                          const std::vector<Axis>& axes, Fixtures& fixtures);

// check_tree.cc: of an operation on a path that is nearly one that is there.
Status CheckTree(const Case& c);

// read_expect.cc
Result<std::vector<Expectation>> ReadExpectations(const YamlNode& node,
                                                  const std::vector<Axis>& axes,
                                                  Fixtures& fixtures);

// read_fix.cc: what people did. The runs of the cells that a fix is for start once more after it,
// and must count otherwise.
struct Fix {
  CellFilter when;
  std::vector<TreeOp> tree;  // of its layouts first
  std::vector<EnvVar> env;
  std::vector<EnvVar> layout_env;  // where neither the fix nor the case says more
  std::optional<std::string> user;
  std::optional<std::vector<std::string>> groups;
  std::optional<MachineChange> machine;
  std::optional<ScannerSpec> scanner;  // another program, or the same in another version
  std::vector<Expectation> expect;
  std::string none;  // why there is no fix
  std::string what;  // of a suspect: what people do about it, in words
  SourcePos pos;
};
// What is changed, in the words that a fix has for it: layout, tree, machine, env, user, groups,
// scanner.
extern const std::vector<std::string> kChanges;
Result<Fix> ReadChanges(const YamlNode& node, Fixtures& fixtures);
Result<std::vector<Fix>> ReadFixes(const YamlNode& node, const std::vector<Axis>& axes,
                                   Fixtures& fixtures);
// The fix: of one suspect, after which its runs must give what `fixed` says.
Result<Fix> ReadSuspectsFix(const YamlNode& node, const std::vector<Expectation>& fixed,
                            Fixtures& fixtures);
// Whether it applies to a run of the case. The case has its expectations.
Result<bool> AddFix(const Fix& fix, Case& c);

}  // namespace gpustage
