// matrix: the axes of a scenario. A cell takes one value of every axis and puts it into the
// scenario's nodes before they are read, so that what is wrong with a value is reported where the
// value stands.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/yaml.h"

namespace gpustage {

struct AxisValue {
  std::string label;  // its text, or what `as:` says
  YamlNode value;
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
  std::vector<CellFilter> exclude;
};

// Axis name -> label. A scenario without a matrix has one empty cell.
using Cell = std::map<std::string, std::string>;

Result<Matrix> ReadMatrix(const YamlNode& node);
// For when: and exclude:. Axes and labels must be known.
Result<CellFilter> ReadCellFilter(const YamlNode& node, const std::vector<Axis>& axes);
bool Matches(const CellFilter& filter, const Cell& cell);

// All cells that are not excluded, the last axis running fastest.
Result<std::vector<Cell>> CellsOf(const Matrix& matrix, const YamlNode* node);
// "@cuda=12,link=chained", sorted; "" for the empty cell.
std::string IdSuffix(const Matrix& matrix, const Cell& cell);
// The scenario of one cell.
Result<YamlNode> Substitute(YamlNode scenario, const Matrix& matrix, const Cell& cell);

}  // namespace gpustage
