#include "harness/scenario/matrix/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "harness/base/limits.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

const std::vector<std::string> kNoAxis = {"exclude", "include", "constraints", "cover", "seed"};

Result<AxisValue> ReadAxisValue(const YamlNode& node) {
  if (node.Find("as") != nullptr) {
    TRY(CheckKeys(node, "a labelled value", {"as", "value"}));
    TRY(std::string label, ReadName(*node.Find("as"), "a label"));
    TRY(const YamlNode* value, Require(node, "a labelled value", "value"));
    return AxisValue{std::move(label), *value};
  }
  if (!node.IsText())
    return ErrorAt(node, fmt::format("{} needs a label for the case id: {{as: NAME, value: …}}",
                                     Describe(node)));
  const bool fits =
      !node.text.empty() && std::all_of(node.text.begin(), node.text.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view(",=@\"'").find(c) == std::string_view::npos;
      });
  if (!fits)
    return ErrorAt(node,
                   fmt::format("{0} cannot stand in a case id; write {{as: NAME, value: {0}}}",
                               Quote(node.text)));
  return AxisValue{node.text, node};
}

Status MarkBroken(const YamlNode& node, Axis& axis) {
  TRY(const std::vector<std::string> broken, ReadTexts(node, "the broken values of an axis"));
  for (size_t i = 0; i < broken.size(); ++i) {
    const auto value = std::find_if(axis.values.begin(), axis.values.end(),
                                    [&](const AxisValue& v) { return v.label == broken[i]; });
    if (value == axis.values.end())
      return UnknownWord(node.IsText() ? node : node.items[i], "value", axis.Labels());
    value->broken = true;
  }
  return Ok();
}

Result<Axis> ReadAxis(const YamlEntry& entry) {
  YamlNode name;
  name.text = entry.key;
  name.pos = entry.pos;
  Axis axis;
  TRY(axis.name, ReadName(name, "an axis"));
  TRY(CheckKeys(entry.value, "an axis", {"set", "to", "default", "broken"}));
  TRY(const YamlNode* set, Require(entry.value, "an axis", "set"));
  TRY(const YamlNode* to, Require(entry.value, "an axis", "to"));
  TRY(ReadNonEmpty(*set, "what an axis sets"));
  axis.set = *set;
  TRY(CheckList(*to, "the values of an axis"));
  if (to->items.empty()) return ErrorAt(*to, "an axis needs a value");
  std::set<std::string> labels_so_far;
  for (const YamlNode& item : to->items) {
    TRY(AxisValue value, ReadAxisValue(item));
    if (!labels_so_far.insert(value.label).second)
      return ErrorAt(
          item, fmt::format("axis {} has two values {}", Quote(axis.name), Quote(value.label)));
    axis.values.push_back(std::move(value));
  }
  if (const YamlNode* usual = entry.value.Find("default")) {
    TRY(axis.usual, ReadText(*usual, "a default"));
    const auto labels = axis.Labels();
    if (std::find(labels.begin(), labels.end(), *axis.usual) == labels.end())
      return UnknownWord(*usual, "value", labels);
  }
  if (const YamlNode* broken = entry.value.Find("broken")) TRY(MarkBroken(*broken, axis));
  return axis;
}

// cover: all | pairwise, and the seed of the latter.
Status ReadCover(const YamlNode& node, Matrix& matrix) {
  if (const YamlNode* cover = node.Find("cover")) {
    TRY(matrix.pairwise, ReadChoice<bool>(*cover, "cover", {{"all", false}, {"pairwise", true}}));
  }
  if (const YamlNode* seed = node.Find("seed")) {
    if (!matrix.pairwise)
      return ErrorAt(*seed, "a seed is for \"cover: pairwise\"; all cells need none");
    TRY(const int64_t read, ReadInteger(*seed, "a seed", 0, std::numeric_limits<int64_t>::max()));
    matrix.seed = static_cast<uint64_t>(read);
  }
  if (matrix.pairwise && matrix.axes.size() < 2)
    return ErrorAt(*node.Find("cover"), "pairs need two axes");
  size_t cells = 1, pairs = 0, values = 0;
  for (const Axis& axis : matrix.axes) {
    cells = std::min(cells * axis.values.size(), limits::kCells + 1);
    pairs += values * axis.values.size();
    values += axis.values.size();
  }
  if (!matrix.pairwise && cells > limits::kCells)
    return ErrorAt(
        node,
        fmt::format("the matrix has more than {} cells; \"cover: pairwise\" takes few of them",
                    limits::kCells));
  if (matrix.pairwise && pairs > limits::kPairs)
    return ErrorAt(node,
                   fmt::format("the matrix has more than {} pairs of values", limits::kPairs));
  return Ok();
}

}  // namespace

std::vector<std::string> Axis::Labels() const {
  std::vector<std::string> labels;
  for (const AxisValue& value : values) labels.push_back(value.label);
  return labels;
}

Result<Matrix> ReadMatrix(const YamlNode& node) {
  if (!node.IsMap())
    return ErrorAt(node, fmt::format("expected a matrix, a map of axes, got {}", Describe(node)));
  Matrix matrix;
  for (const YamlEntry& entry : node.entries) {
    if (std::find(kNoAxis.begin(), kNoAxis.end(), entry.key) != kNoAxis.end()) continue;
    TRY(Axis axis, ReadAxis(entry));
    matrix.axes.push_back(std::move(axis));
  }
  TRY(ReadCover(node, matrix));
  TRY(ReadRules(node, matrix));
  return matrix;
}

Result<CellFilter> ReadCellFilter(const YamlNode& node, const std::vector<Axis>& axes) {
  if (!node.IsMap())
    return ErrorAt(node, fmt::format("expected a map of axes and values, got {}", Describe(node)));
  CellFilter filter;
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  for (const YamlEntry& entry : node.entries) {
    const auto axis =
        std::find_if(axes.begin(), axes.end(), [&](const Axis& a) { return a.name == entry.key; });
    if (axis == axes.end())
      return ErrorAt(
          entry, fmt::format("unknown axis {}{}", Quote(entry.key), DidYouMean(entry.key, names)));
    TRY(const std::vector<std::string> wanted, ReadTexts(entry.value, "values of an axis"));
    const std::vector<std::string> labels = axis->Labels();
    for (size_t i = 0; i < wanted.size(); ++i)
      if (std::find(labels.begin(), labels.end(), wanted[i]) == labels.end())
        return UnknownWord(entry.value.IsText() ? entry.value : entry.value.items[i], "value",
                           labels);
    filter[entry.key] = wanted;
  }
  return filter;
}

bool Matches(const CellFilter& filter, const Cell& cell) {
  return std::all_of(filter.begin(), filter.end(), [&](const auto& wanted) {
    const auto label = cell.find(wanted.first);
    return label != cell.end() && std::find(wanted.second.begin(), wanted.second.end(),
                                            label->second) != wanted.second.end();
  });
}

}  // namespace gpustage
