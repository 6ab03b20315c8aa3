// matrix: the axes of a scenario, and which of their values may stand together. A cell takes one
// value of every axis.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/matrix/rules.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

struct AxisValue {
  std::string label;  // its text, or what `as:` says
  YamlNode value;
  bool broken = false;  // a cell has one such value at most: two faults would mask each other
};

struct Axis {
  std::string name;
  YamlNode set;  // text: the dotted path
  std::vector<AxisValue> values;
  std::optional<std::string> usual;  // default: the label that case ids leave out

  std::vector<std::string> Labels() const;
};

// {axis: [labels]}: all axes must match, each by one of its labels.
using CellFilter = std::map<std::string, std::vector<std::string>>;

struct Matrix {
  std::vector<Axis> axes;
  Rules rules = {{}, {}};
  std::vector<Row> include;  // cells that are there whatever `exclude` says
  bool pairwise = false;     // few cells that have every pair, not all
  uint64_t seed = 1;
};

// Axis name -> label. A scenario without a matrix has one empty cell.
using Cell = std::map<std::string, std::string>;

Result<Matrix> ReadMatrix(const YamlNode& node);
// For when: and exclude:. Axes and labels must be known.
Result<CellFilter> ReadCellFilter(const YamlNode& node, const std::vector<Axis>& axes);
bool Matches(const CellFilter& filter, const Cell& cell);

// read_rules.cc: broken values, `constraints`, `exclude` and `include` of a matrix whose axes are
// read.
Status ReadRules(const YamlNode& node, Matrix& matrix);

}  // namespace gpustage
