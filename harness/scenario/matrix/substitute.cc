#include "harness/scenario/matrix/substitute.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

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
    const std::vector<std::string> tops = {
        "machine", "layout", "tree", "env", "user", "groups", "working_directory", "runs"};
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
      return ErrorAt(value_,
                     fmt::format("expected a map of what the case gets, got {}", Describe(value_)));
    for (const YamlEntry& entry : value_.entries) {
      const bool parts = entry.value.IsMap() && (entry.key == "env" || entry.key == "machine");
      if (!parts) TRY(SetOne(entry.key, entry.value, entry.pos, scenario));
      if (!parts) continue;
      for (const YamlEntry& part : entry.value.entries)
        TRY(SetOne(entry.key + "." + part.key, part.value, part.pos, scenario));
    }
    return Ok();
  }

  static Status SetOne(const std::string& path, const YamlNode& value, const SourcePos& pos,
                       YamlNode& scenario) {
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

Result<YamlNode> Substitute(YamlNode scenario, const Matrix& matrix, const Row& row) {
  for (size_t i = 0; i < row.size(); ++i) {
    const Axis& axis = matrix.axes[i];
    TRY(Setter(axis, axis.values[static_cast<size_t>(row[i])].value).Set(scenario));
  }
  return scenario;
}

}  // namespace gpustage
