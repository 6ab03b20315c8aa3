// Which values of a matrix's axes never stand together, and which cells are there all the same.
#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/matrix/matrix.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

size_t AxisNumber(const Matrix& matrix, const std::string& name) {
  const auto axis = std::find_if(matrix.axes.begin(), matrix.axes.end(),
                                 [&](const Axis& a) { return a.name == name; });
  return static_cast<size_t>(axis - matrix.axes.begin());
}

Values ValuesOf(const Axis& axis, const std::vector<std::string>& labels) {
  Values values;
  for (const AxisValue& value : axis.values)
    values.push_back(std::find(labels.begin(), labels.end(), value.label) != labels.end());
  return values;
}

Values Others(Values values) {
  values.flip();
  return values;
}

Rule RuleOf(const Matrix& matrix, const CellFilter& filter, Rule::Kind kind, const SourcePos& pos) {
  Rule rule{kind, {}, pos};
  for (const auto& [name, labels] : filter) {
    const size_t axis = AxisNumber(matrix, name);
    rule.together.emplace_back(axis, ValuesOf(matrix.axes[axis], labels));
  }
  return rule;
}

std::vector<Rule> AtMostOneBroken(const Matrix& matrix, const SourcePos& pos) {
  std::vector<std::pair<size_t, Values>> broken;
  for (size_t i = 0; i < matrix.axes.size(); ++i) {
    Values values;
    for (const AxisValue& value : matrix.axes[i].values) values.push_back(value.broken);
    if (std::find(values.begin(), values.end(), true) != values.end())
      broken.emplace_back(i, std::move(values));
  }
  std::vector<Rule> rules;
  for (size_t i = 0; i < broken.size(); ++i)
    for (size_t j = i + 1; j < broken.size(); ++j)
      rules.push_back({Rule::Kind::kTwoBroken, {broken[i], broken[j]}, pos});
  return rules;
}

// {if: A, not: B}: no cell has both. {if: A, then: B}: where A is, each axis of B has one of its
// values.
Result<std::vector<Rule>> ReadConstraint(const YamlNode& node, const Matrix& matrix) {
  TRY(CheckKeys(node, "a constraint", {"if", "then", "not"}));
  TRY(const YamlNode* when, Require(node, "a constraint", "if"));
  TRY(const YamlEntry* what, RequireOneOf(node, "a constraint", {"then", "not"}));
  TRY(const CellFilter condition, ReadCellFilter(*when, matrix.axes));
  TRY(const CellFilter filter, ReadCellFilter(what->value, matrix.axes));
  for (const YamlNode* part : {when, &what->value})
    if (part->entries.empty()) return ErrorAt(*part, "a constraint needs an axis here");
  for (const YamlEntry& entry : what->value.entries)
    if (condition.contains(entry.key))
      return ErrorAt(entry, fmt::format("{} stands in \"if\" already", Quote(entry.key)));
  const Rule both = RuleOf(matrix, condition, Rule::Kind::kConstraint, node.pos);
  const Rule consequence = RuleOf(matrix, filter, Rule::Kind::kConstraint, node.pos);
  std::vector<Rule> rules;
  if (what->key == "not") {
    rules.push_back(both);
    rules.back().together.insert(rules.back().together.end(), consequence.together.begin(),
                                 consequence.together.end());
  } else {
    for (const auto& [axis, values] : consequence.together) {
      rules.push_back(both);
      rules.back().together.emplace_back(axis, Others(values));
    }
  }
  return rules;
}

// A rule that takes no cell away says nothing, and one that takes the last leaves nothing to run.
Status AddRules(std::vector<Rule> rules, const YamlNode& node, std::string_view verb,
                Matrix& matrix) {
  const bool takes = std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return matrix.rules.CanHave(rule.together);
  });
  if (!takes) return ErrorAt(node, fmt::format("this {} no cell", verb));
  for (Rule& rule : rules) matrix.rules.Add(std::move(rule));
  if (!matrix.rules.CanHave({})) return ErrorAt(node, fmt::format("this {} the last cell", verb));
  return Ok();
}

// A whole cell. Axes that it does not name have their default.
Result<Row> ReadRow(const YamlNode& node, const Matrix& matrix) {
  TRY(const CellFilter filter, ReadCellFilter(node, matrix.axes));
  Row row;
  for (const Axis& axis : matrix.axes) {
    const auto named = filter.find(axis.name);
    if (named == filter.end() && !axis.usual)
      return ErrorAt(node, fmt::format("a cell needs {}", Quote(axis.name)));
    if (named != filter.end() && named->second.size() != 1)
      return ErrorAt(*node.Find(axis.name),
                     fmt::format("one cell has one value of {}", Quote(axis.name)));
    const std::vector<std::string> labels = axis.Labels();
    const std::string& label = named == filter.end() ? *axis.usual : named->second.front();
    row.push_back(
        static_cast<int>(std::find(labels.begin(), labels.end(), label) - labels.begin()));
  }
  return row;
}

Status ReadInclude(const YamlNode& node, Matrix& matrix) {
  TRY(CheckList(node, "include"));
  for (const YamlNode& item : node.items) {
    TRY(Row row, ReadRow(item, matrix));
    const Rule* rule = matrix.rules.BrokenBy(row);
    if (rule != nullptr && rule->kind == Rule::Kind::kTwoBroken)
      return ErrorAt(item, "this cell has two broken values; one would mask the other");
    if (rule != nullptr && rule->kind == Rule::Kind::kConstraint)
      return ErrorAt(item, fmt::format("no cell can be so: line {} rules it out", rule->pos.line));
    if ((rule == nullptr && !matrix.pairwise) ||
        std::find(matrix.include.begin(), matrix.include.end(), row) != matrix.include.end())
      return ErrorAt(item, "this cell is there already");
    matrix.include.push_back(std::move(row));
  }
  return Ok();
}

}  // namespace

Status ReadRules(const YamlNode& node, Matrix& matrix) {
  std::vector<size_t> sizes;
  for (const Axis& axis : matrix.axes) sizes.push_back(axis.values.size());
  matrix.rules = Rules(std::move(sizes), AtMostOneBroken(matrix, node.pos));
  if (!matrix.rules.CanHave({}))
    return ErrorAt(node, "every cell has two broken values; give the axes a value that is whole");
  if (const YamlNode* constraints = node.Find("constraints")) {
    TRY(CheckList(*constraints, "constraints"));
    for (const YamlNode& item : constraints->items) {
      TRY(std::vector<Rule> rules, ReadConstraint(item, matrix));
      TRY(AddRules(std::move(rules), item, "rules out", matrix));
    }
  }
  if (const YamlNode* exclude = node.Find("exclude")) {
    TRY(CheckList(*exclude, "exclude"));
    for (const YamlNode& item : exclude->items) {
      TRY(const CellFilter filter, ReadCellFilter(item, matrix.axes));
      if (filter.empty()) return ErrorAt(item, "an empty map excludes everything");
      TRY(AddRules({RuleOf(matrix, filter, Rule::Kind::kExclude, item.pos)}, item, "excludes",
                   matrix));
    }
  }
  if (const YamlNode* include = node.Find("include")) TRY(ReadInclude(*include, matrix));
  return Ok();
}

}  // namespace gpustage
