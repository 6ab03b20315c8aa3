#include "harness/cli/selected.h"

#include <algorithm>

#include "harness/base/files.h"

namespace gpustage {
namespace {

bool WantsRun(const Selection& selection, const std::string& id, const ListedRun& run) {
  const bool scanner = selection.scanners.empty() ||
                       std::any_of(selection.scanners.begin(), selection.scanners.end(), [&](const std::string& name) {
                         return name == run.scanner || name == run.version || BaseNameOf(name) == run.scanner + ".yaml";
                       });
  return scanner && (selection.filter.empty() || (id + " " + run.name).find(selection.filter) != std::string::npos);
}

ListedRun Listed(const RunSpec& run) { return {run.name, run.scanner.name, RunName(run.scanner.name, run.scanner)}; }

}  // namespace

struct Selected::Source {
  Scenario scenario;
  std::unique_ptr<CaseList> list;  // of `scenario`
};

Selected::Selected(Selection selection, Catalog catalog)
    : selection_(std::move(selection)), fixtures_(std::make_unique<Fixtures>(std::move(catalog))), reading_(std::make_unique<std::mutex>()) {}
Selected::Selected(Selected&&) noexcept = default;
Selected& Selected::operator=(Selected&&) noexcept = default;
Selected::~Selected() = default;

Status Selected::Add(const std::string& file, const std::string& id) {
  auto source = std::make_unique<Source>();
  TRY(source->scenario, ReadScenarioFile(file, fixtures_->catalog()));
  TRY(CaseList list, CaseList::Of(source->scenario, *fixtures_));
  source->list = std::make_unique<CaseList>(std::move(list));
  TRY(source->list->CheckValues());
  TRY(source->list->CheckExpected());
  for (size_t number = 0; number < source->list->cells().limit(); ++number) {
    if (!source->list->cells().Has(number)) continue;
    const std::string own = source->list->Id(number);
    if (!id.empty() && own != id && !(id.starts_with('@') && own.ends_with(id))) continue;
    const std::vector<ListedRun>& runs = source->list->Runs(number);
    if (std::any_of(runs.begin(), runs.end(), [&](const ListedRun& run) { return WantsRun(selection_, own, run); }))
      chosen_.push_back({static_cast<uint32_t>(sources_.size()), static_cast<uint32_t>(number)});
  }
  sources_.push_back(std::move(source));
  return Ok();
}

void Selected::Keep(const std::vector<size_t>& places) {
  std::vector<Chosen> kept;
  for (const size_t place : places) kept.push_back(chosen_[place]);
  chosen_ = std::move(kept);
}

const CaseList& Selected::ListOf(size_t place) const { return *sources_[chosen_[place].source]->list; }

std::string Selected::Id(size_t place) const { return ListOf(place).Id(chosen_[place].number); }

Cell Selected::Axes(size_t place) const {
  const Cells& cells = ListOf(place).cells();
  return cells.Labels(cells.At(chosen_[place].number));
}

std::vector<std::string> Selected::Runs(size_t place) const {
  std::vector<std::string> names;
  for (const ListedRun& run : ListOf(place).Runs(chosen_[place].number))
    if (WantsRun(selection_, Id(place), run)) names.push_back(run.name);
  return names;
}

Result<Case> Selected::Read(size_t place) const {
  const std::lock_guard lock(*reading_);
  TRY(Case c, ListOf(place).Read(chosen_[place].number));
  DropRuns(c.runs, [&](const RunSpec& run) { return !WantsRun(selection_, c.id, Listed(run)); });
  return c;
}

Status Selected::CheckAll() const {
  for (size_t place = 0; place < size(); ++place) TRY(Read(place));
  return Ok();
}

std::vector<const CaseList*> Selected::Lists() const {
  std::vector<const CaseList*> lists;
  for (const Chosen& chosen : chosen_)
    if (const CaseList* list = sources_[chosen.source]->list.get(); lists.empty() || lists.back() != list) lists.push_back(list);
  return lists;
}

}  // namespace gpustage
