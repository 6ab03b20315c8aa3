#include "harness/scenario/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/scenario/fields.h"

namespace gpustage {
namespace {

constexpr size_t kMaxCells = 4096;

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

Result<Axis> ReadAxis(const YamlEntry& entry) {
  YamlNode name;
  name.text = entry.key;
  name.pos = entry.pos;
  Axis axis;
  TRY(axis.name, ReadName(name, "an axis"));
  TRY(CheckKeys(entry.value, "an axis", {"set", "to", "default"}));
  TRY(const YamlNode* set, Require(entry.value, "an axis", "set"));
  TRY(const YamlNode* to, Require(entry.value, "an axis", "to"));
  TRY(ReadNonEmpty(*set, "what an axis sets"));
  axis.set = *set;
  TRY(CheckList(*to, "the values of an axis"));
  if (to->items.empty()) return ErrorAt(*to, "an axis needs a value");
  for (const YamlNode& item : to->items) {
    TRY(AxisValue value, ReadAxisValue(item));
    for (const AxisValue& other : axis.values)
      if (other.label == value.label)
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
  return axis;
}

// ---- Substitution

struct Part {
  std::string name;
  SourcePos pos;
};

// "machine.devices.0" -> machine, devices, 0. The rest after "env." is one name.
std::vector<Part> SplitPath(const YamlNode& set) {
  std::vector<Part> parts;
  const std::string_view path = set.text;
  for (size_t begin = 0; begin <= path.size();) {
    const bool whole = parts.size() == 1 && parts[0].name == "env";
    const size_t end = whole ? path.size() : std::min(path.find('.', begin), path.size());
    Part part{std::string(path.substr(begin, end - begin)), set.pos};
    part.pos.column += static_cast<int>(begin) + (set.plain ? 0 : 1);
    part.pos.length = static_cast<int>(end - begin);
    parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

std::string RunName(const YamlNode& item) {
  for (const char* key : {"name", "scanner"})
    if (const YamlNode* name = item.Find(key); name != nullptr && name->IsText()) return name->text;
  return "";
}

class Setter {
 public:
  Setter(const Axis& axis, const YamlNode& value)
      : axis_(axis), value_(value), parts_(SplitPath(axis.set)) {}

  Status Set(YamlNode& scenario) const {
    if (axis_.set.text == "case") return SetSeveral(scenario);
    const std::vector<std::string> tops = {"machine",           "layout", "tree", "env", "user",
                                           "working_directory", "runs"};
    if (std::find(tops.begin(), tops.end(), parts_[0].name) == tops.end())
      return Error{fmt::format("an axis cannot set {}{}", Quote(axis_.set.text),
                               DidYouMean(parts_[0].name, tops)),
                   parts_[0].pos};
    return Descend(scenario, 0);
  }

 private:
  // A value that is a small scenario of its own: {tree: […], env: {A: b}, machine: {faults: […]}}.
  Status SetSeveral(YamlNode& scenario) const {
    if (!value_.IsMap())
      return ErrorAt(value_, fmt::format("expected a map of what the case gets, got {}", Describe(value_)));
    for (const YamlEntry& entry : value_.entries) {
      const bool parts = entry.value.IsMap() && (entry.key == "env" || entry.key == "machine");
      if (!parts) TRY(SetOne(entry.key, entry.value, entry.pos, scenario));
      if (!parts) continue;
      for (const YamlEntry& part : entry.value.entries)
        TRY(SetOne(entry.key + "." + part.key, part.value, part.pos, scenario));
    }
    return Ok();
  }

  static Status SetOne(const std::string& path, const YamlNode& value, const SourcePos& pos, YamlNode& scenario) {
    Axis axis;
    axis.set.text = path;
    axis.set.pos = pos;
    return Setter(axis, value).Set(scenario);
  }

  Status Descend(YamlNode& node, size_t depth) const {
    if (depth == parts_.size()) return Put(node);
    if (node.IsMap()) return IntoMap(node, depth);
    if (node.IsList()) return IntoList(node, depth);
    return Error{fmt::format("cannot set {}: it would be a key of {}, which is no map",
                             Quote(parts_[depth].name), Describe(node)),
                 parts_[depth].pos};
  }

  Status Put(YamlNode& node) const {
    if (parts_.size() != 1 || parts_[0].name != "tree") {
      node = value_;
      return Ok();
    }
    // Operations are appended: an axis varies a tree, it does not stand for it.
    if (value_.IsText())
      return ErrorAt(value_,
                     fmt::format("expected a list of tree operations, got {}", Describe(value_)));
    if (!node.IsList()) node = YamlNode{YamlNode::Kind::kList, "", true, {}, {}, value_.pos};
    if (value_.IsMap()) node.items.push_back(value_);
    node.items.insert(node.items.end(), value_.items.begin(), value_.items.end());
    return Ok();
  }

  Status IntoMap(YamlNode& map, size_t depth) const {
    for (YamlEntry& entry : map.entries)
      if (entry.key == parts_[depth].name) return Descend(entry.value, depth + 1);
    YamlNode made;
    made.kind = YamlNode::Kind::kMap;
    made.pos = parts_[depth].pos;
    map.entries.push_back({parts_[depth].name, parts_[depth].pos, std::move(made)});
    return Descend(map.entries.back().value, depth + 1);
  }

  // An item by its number or name; any other word is a key of every item.
  Status IntoList(YamlNode& list, size_t depth) const {
    const std::string& name = parts_[depth].name;
    for (size_t i = 0; i < list.items.size(); ++i)
      if (name == std::to_string(i) || name == RunName(list.items[i]))
        return Descend(list.items[i], depth + 1);
    if (list.items.empty())
      return Error{fmt::format("{} cannot be set: the list is empty", Quote(name)),
                   parts_[depth].pos};
    for (YamlNode& item : list.items) TRY(Descend(item, depth));
    return Ok();
  }

  const Axis& axis_;
  const YamlNode& value_;
  std::vector<Part> parts_;
};

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
    if (entry.key == "exclude") continue;
    TRY(Axis axis, ReadAxis(entry));
    matrix.axes.push_back(std::move(axis));
  }
  if (const YamlNode* exclude = node.Find("exclude")) {
    TRY(CheckList(*exclude, "exclude"));
    for (const YamlNode& item : exclude->items) {
      TRY(CellFilter filter, ReadCellFilter(item, matrix.axes));
      if (filter.empty()) return ErrorAt(item, "an empty map excludes everything");
      matrix.exclude.push_back(std::move(filter));
    }
  }
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

Result<std::vector<Cell>> CellsOf(const Matrix& matrix, const YamlNode* node) {
  std::vector<Cell> cells = {{}};
  for (const Axis& axis : matrix.axes) {
    if (cells.size() * axis.values.size() > kMaxCells)
      return ErrorAt(*node, fmt::format("the matrix has more than {} cells", kMaxCells));
    std::vector<Cell> wider;
    for (const Cell& cell : cells)
      for (const AxisValue& value : axis.values)
        wider.emplace_back(cell).emplace(axis.name, value.label);
    cells = std::move(wider);
  }
  for (size_t i = 0; i < matrix.exclude.size(); ++i) {
    const size_t before = cells.size();
    std::erase_if(cells, [&](const Cell& cell) { return Matches(matrix.exclude[i], cell); });
    const YamlNode& item = node->Find("exclude")->items[i];
    if (cells.size() == before) return ErrorAt(item, "this excludes no cell");
    if (cells.empty()) return ErrorAt(item, "this excludes the last cell");
  }
  return cells;
}

std::string IdSuffix(const Matrix& matrix, const Cell& cell) {
  std::string suffix;
  for (const auto& [name, label] : cell) {
    const auto axis = std::find_if(matrix.axes.begin(), matrix.axes.end(),
                                   [&name = name](const Axis& a) { return a.name == name; });
    if (axis->usual == label) continue;
    suffix += fmt::format("{}{}={}", suffix.empty() ? '@' : ',', name, label);
  }
  return suffix;
}

Result<YamlNode> Substitute(YamlNode scenario, const Matrix& matrix, const Cell& cell) {
  for (const Axis& axis : matrix.axes)
    for (const AxisValue& value : axis.values)
      if (value.label == cell.at(axis.name)) TRY(Setter(axis, value.value).Set(scenario));
  return scenario;
}

}  // namespace gpustage
