// From nodes to values: one function for each part of a scenario, one source file for each group.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/case.h"
#include "harness/scenario/matrix.h"
#include "harness/scenario/yaml.h"

namespace gpustage {

class Fixtures;

// read_machine.cc
Result<GpuDevice> ReadDeviceFile(const std::string& file);
Result<Machine> ReadMachine(const YamlNode& node, Fixtures& fixtures);

// read_faults.cc
std::vector<std::string> FaultWords();  // one for each FaultKind, in its order
Result<std::vector<FaultSpec>> ReadFaults(const YamlNode& node);

// read_breakage.cc
std::vector<std::string> BreakageWords();  // one for each Breakage::Kind but kNone, in its order
Result<Breakage> ReadBreakage(const YamlNode& node);

// read_tree.cc
Result<std::string> ReadTreePath(const YamlNode& node, std::string_view what);
Result<std::vector<TreeOp>> ReadTree(const YamlNode& node, Fixtures& fixtures);

// read_layout.cc
struct Layout {
  std::string name;
  std::vector<std::string> provides;
  std::vector<EnvVar> env;
  std::vector<TreeOp> tree;
};
Result<Layout> ReadLayoutFile(const std::string& file, Fixtures& fixtures);

// {NAME: value | {unset: true}}, in the order of the file.
Result<std::vector<EnvVar>> ReadEnv(const YamlNode& node);

// read_scanner.cc
Result<ScannerSpec> ReadScannerFile(const std::string& file, Fixtures& fixtures);

// read_run.cc
Result<std::vector<RunSpec>> ReadRuns(const YamlNode& node, Fixtures& fixtures);

// read_expect.cc
Result<std::vector<Expectation>> ReadExpectations(const YamlNode& node,
                                                  const std::vector<Axis>& axes);

// read_fix.cc: what people did. The runs of the cells that a fix is for start once more after it, and must count otherwise.
Status AddFixes(const YamlNode& node, const std::vector<Axis>& axes, Fixtures& fixtures,
                std::vector<Case>& cases);

// The fix: of one suspect, after which its runs must give what `fixed` says.
Status AddFix(const YamlNode& node, const std::vector<Expectation>& fixed, Fixtures& fixtures, Case& c);

// read_suspects.cc: what the values of an axis stand for. A line that rules one out is expected of its runs, too.
Status AddSuspects(const YamlNode& node, const std::vector<Axis>& axes, Fixtures& fixtures,
                   std::vector<Case>& cases);

}  // namespace gpustage
