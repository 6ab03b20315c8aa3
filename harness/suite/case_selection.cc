#include "harness/suite/case_selection.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "harness/base/files.h"

namespace gpustage {
namespace {

// A file makes its scanner known. Names are what is wanted, and files beside them.
bool WantsRun(const CaseFilter& selection, const std::string& id, const ListedRun& run) {
  const bool scanner =
      std::all_of(selection.scanners.begin(), selection.scanners.end(), IsScannerFile) ||
      std::any_of(selection.scanners.begin(), selection.scanners.end(),
                  [&](const std::string& name) {
                    return Means(name, run.scanner, run.version) ||
                           BaseNameOf(name) == run.scanner + ".yaml";
                  });
  return scanner && (selection.filter.empty() ||
                     (id + " " + run.name).find(selection.filter) != std::string::npos);
}

ListedRun Listed(const RunSpec& run) { return {run.name, run.scanner.name, run.scanner.version}; }

}  // namespace

struct CaseSelection::Source {
  std::string real;  // path of the file, without links
  Scenario scenario;
  std::unique_ptr<CaseRange> range;  // of `scenario`
};

CaseSelection::CaseSelection(CaseFilter selection, Catalog catalog)
    : selection_(std::move(selection)),
      fixtures_(std::make_unique<Fixtures>(std::move(catalog))),
      reading_(std::make_unique<std::mutex>()) {}
CaseSelection::CaseSelection(CaseSelection&&) noexcept = default;
CaseSelection& CaseSelection::operator=(CaseSelection&&) noexcept = default;
CaseSelection::~CaseSelection() = default;

Status CaseSelection::Add(const std::string& file, const std::string& id) {
  std::error_code none;
  const std::string real = std::filesystem::canonical(file, none).string();
  const auto known = std::find_if(sources_.begin(), sources_.end(),
                                  [&](const auto& source) { return source->real == real; });
  const auto number = static_cast<uint32_t>(known - sources_.begin());
  std::set<uint32_t> taken;
  for (const Chosen& chosen : chosen_)
    if (chosen.source == number) taken.insert(chosen.number);
  if (known == sources_.end()) {
    auto source = std::make_unique<Source>();
    source->real = real;
    TRY(source->scenario, ReadScenarioFile(file, fixtures_->catalog()));
    TRY(CaseRange range, CaseRange::Of(source->scenario, *fixtures_));
    source->range = std::make_unique<CaseRange>(std::move(range));
    TRY(source->range->CheckValues());
    TRY(source->range->CheckExpected());
    sources_.push_back(std::move(source));
  }
  Choose(number, id, taken);
  return Ok();
}

void CaseSelection::Choose(uint32_t source, const std::string& id,
                           const std::set<uint32_t>& taken) {
  const CaseRange& range = *sources_[source]->range;
  for (size_t number = 0; number < range.cells().limit(); ++number) {
    if (!range.cells().Has(number) || taken.contains(static_cast<uint32_t>(number))) continue;
    const std::string own = range.Id(number);
    if (!id.empty() && own != id && !(id.starts_with('@') && own.ends_with(id))) continue;
    const std::vector<ListedRun>& runs = range.Runs(number);
    if (std::any_of(runs.begin(), runs.end(),
                    [&](const ListedRun& run) { return WantsRun(selection_, own, run); }))
      chosen_.push_back({source, static_cast<uint32_t>(number)});
  }
}

void CaseSelection::Keep(const std::vector<size_t>& places) {
  std::vector<Chosen> kept;
  for (const size_t place : places) kept.push_back(chosen_[place]);
  chosen_ = std::move(kept);
}

const CaseRange& CaseSelection::RangeOf(size_t place) const {
  return *sources_[chosen_[place].source]->range;
}

std::string CaseSelection::Id(size_t place) const {
  return RangeOf(place).Id(chosen_[place].number);
}

Cell CaseSelection::Axes(size_t place) const {
  const Cells& cells = RangeOf(place).cells();
  return cells.Labels(cells.At(chosen_[place].number));
}

std::vector<std::string> CaseSelection::Runs(size_t place) const {
  std::vector<std::string> names;
  for (const ListedRun& run : RangeOf(place).Runs(chosen_[place].number))
    if (WantsRun(selection_, Id(place), run)) names.push_back(run.name);
  return names;
}

Result<Case> CaseSelection::Read(size_t place) const {
  const std::lock_guard lock(*reading_);
  TRY(Case c, RangeOf(place).Read(chosen_[place].number));
  DropRuns(c.runs, [&](const RunSpec& run) { return !WantsRun(selection_, c.id, Listed(run)); });
  return c;
}

Status CaseSelection::CheckAll() const {
  for (size_t place = 0; place < size(); ++place) TRY(Read(place));
  return Ok();
}

std::vector<const CaseRange*> CaseSelection::Ranges() const {
  std::vector<const CaseRange*> ranges;
  for (const Chosen& chosen : chosen_)
    if (const CaseRange* range = sources_[chosen.source]->range.get();
        ranges.empty() || ranges.back() != range)
      ranges.push_back(range);
  return ranges;
}

}  // namespace gpustage
