#include "harness/scenario/matrix/case_range.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/scenario/matrix/substitute.h"

namespace gpustage {
namespace {

// Which runs a case has is said by its runs and its layouts.
bool DecidesRuns(const Axis& axis) {
  const std::string top = axis.set.text.substr(0, axis.set.text.find('.'));
  if (top == "runs" || top == "layout") return true;
  return top == "case" &&
         std::any_of(axis.values.begin(), axis.values.end(), [](const AxisValue& value) {
           return value.value.Find("runs") != nullptr || value.value.Find("layout") != nullptr;
         });
}

// The axes by which runs say when they start, wherever they do: when: in a run.
void FindAxesOfRuns(const YamlNode& node, std::set<std::string>& axes) {
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "when")
      for (const YamlEntry& axis : entry.value.entries) axes.insert(axis.key);
    FindAxesOfRuns(entry.value, axes);
  }
  for (const YamlNode& item : node.items) FindAxesOfRuns(item, axes);
}

std::set<std::string> AxesOfRuns(const Scenario& scenario) {
  std::set<std::string> axes;
  if (const YamlNode* runs = scenario.root.Find("runs")) FindAxesOfRuns(*runs, axes);
  for (const Axis& axis : scenario.matrix.axes)
    if (DecidesRuns(axis))
      for (const AxisValue& value : axis.values) FindAxesOfRuns(value.value, axes);
  return axes;
}

// Of each value of an axis the filters that have it: no filter tells values of one mark apart.
std::vector<std::vector<size_t>> MarksOf(const Axis& axis,
                                         const std::vector<const CellFilter*>& filters) {
  std::map<std::string, std::vector<size_t>> by_label;
  for (size_t filter = 0; filter < filters.size(); ++filter)
    if (const auto labels = filters[filter]->find(axis.name); labels != filters[filter]->end())
      for (const std::string& label : std::set(labels->second.begin(), labels->second.end()))
        by_label[label].push_back(filter);
  std::vector<std::vector<size_t>> marks;
  for (const AxisValue& value : axis.values) marks.push_back(by_label[value.label]);
  return marks;
}

// A hundred thousand values of an axis, or as many claims, would else be copied for each cell.
YamlNode WithoutWhatIsReadOnce(const YamlNode& root) {
  YamlNode staged = root;
  std::erase_if(staged.entries, [](const YamlEntry& entry) {
    return entry.key == "matrix" || entry.key == "expect" || entry.key == "fix" ||
           entry.key == "suspects" || entry.key == "xfail";
  });
  return staged;
}

}  // namespace

Result<CaseRange> CaseRange::Of(const Scenario& scenario, Fixtures& fixtures) {
  TRY(Expected expected, Expected::Read(scenario.root, scenario.matrix, fixtures));
  return CaseRange(scenario, fixtures, std::move(expected));
}

CaseRange::CaseRange(const Scenario& scenario, Fixtures& fixtures, Expected expected)
    : scenario_(&scenario),
      staged_(WithoutWhatIsReadOnce(scenario.root)),
      fixtures_(&fixtures),
      cells_(scenario.matrix),
      expected_(std::move(expected)) {
  const auto filters = expected_.Filters();
  const std::set<std::string> of_runs = AxesOfRuns(scenario);
  for (const Axis& axis : scenario.matrix.axes) {
    const bool each =
        DecidesRuns(axis) || axis.name == expected_.suspects_axis() || of_runs.contains(axis.name);
    std::vector<int>& kinds = kinds_.emplace_back();
    const std::vector<std::vector<size_t>> marks = MarksOf(axis, filters);
    std::map<std::vector<size_t>, int> firsts;
    for (size_t value = 0; value < axis.values.size(); ++value) {
      const int own = static_cast<int>(value);
      kinds.push_back(each ? own : firsts.try_emplace(marks[value], own).first->second);
    }
  }
}

std::vector<int> CaseRange::KindOf(const Row& row) const {
  std::vector<int> kind(row.size());
  for (size_t axis = 0; axis < row.size(); ++axis)
    kind[axis] = kinds_[axis][static_cast<size_t>(row[axis])];
  return kind;
}

Case CaseRange::Start(const Row& row) const {
  Case start;
  start.id = scenario_->id + cells_.IdSuffix(row);
  start.scenario = scenario_->id;
  start.file = scenario_->file;
  start.claim = scenario_->claim;
  start.axes = cells_.Labels(row);
  return start;
}

Result<Case> CaseRange::Stage(size_t number) const {
  const Row row = cells_.At(number);
  TRY(const YamlNode root, Substitute(staged_, scenario_->matrix, row));
  return ReadCase(root, Start(row), scenario_->matrix.axes, *fixtures_);
}

Result<Case> CaseRange::Read(size_t number) const {
  TRY(Case c, Stage(number));
  TRY(expected_.AddTo(c));
  return c;
}

Result<Case> CaseRange::Outline(const Row& row) const {
  TRY(const YamlNode root, Substitute(staged_, scenario_->matrix, row));
  Case outline = Start(row);
  TRY(outline.runs, ReadCaseRuns(root, outline.axes, scenario_->matrix.axes, *fixtures_));
  return outline;
}

Status CaseRange::CheckValues() const {
  std::vector<Values> seen;
  for (const Axis& axis : scenario_->matrix.axes) seen.emplace_back(axis.values.size(), false);
  bool first = true;  // a scenario without a matrix has one cell and no value
  for (size_t number = 0; number < cells_.limit(); ++number) {
    const Row row = cells_.At(number);
    bool news = std::exchange(first, false);
    for (size_t axis = 0; axis < row.size(); ++axis)
      news = news || !seen[axis][static_cast<size_t>(row[axis])];
    if (!news || !cells_.Has(number)) continue;
    for (size_t axis = 0; axis < row.size(); ++axis)
      seen[axis][static_cast<size_t>(row[axis])] = true;
    TRY(Case staged, Stage(number));
    // With its fixes; what is wrong with them CheckExpected says.
    if (Case whole = staged; expected_.AddTo(whole)) staged = std::move(whole);
    TRY(CheckTree(staged));
  }
  return Ok();
}

Status CaseRange::CheckExpected() {
  ExpectedCheck check(expected_);
  for (size_t number = 0; number < cells_.limit(); ++number) {
    if (!cells_.Has(number)) continue;
    const Row row = cells_.At(number);
    const auto [runs, is_new] = runs_.try_emplace(KindOf(row));
    if (!is_new) continue;
    TRY(Case outline, Outline(row));
    check.See(outline);
    // With its fixes, unless something is wrong with them: then Finish says it.
    if (!expected_.AddTo(outline)) continue;
    for (const RunSpec& run : outline.runs)
      runs->second.push_back({run.name, run.scanner.name, run.scanner.version});
  }
  return check.Finish();
}

const std::vector<ListedRun>& CaseRange::Runs(size_t number) const {
  const auto runs = runs_.find(KindOf(cells_.At(number)));
  GPUSTAGE_CHECK(runs != runs_.end());
  return runs->second;
}

}  // namespace gpustage
