#include "harness/suite/case_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/case_names.h"
#include "harness/suite/check_runs.h"
#include "harness/suite/scenario_words.h"

namespace gpustage {
namespace {

constexpr size_t kMostOthers = 10000;  // ids that an error looks through

// A file makes its scanner known. Names are what is wanted, and files beside them.
bool WantsRun(const CaseFilter& selection, const std::string& id, const ListedRun& run) {
  const bool scanner =
      std::all_of(selection.scanners.begin(), selection.scanners.end(), IsScannerFile) ||
      std::any_of(selection.scanners.begin(), selection.scanners.end(),
                  [&](const std::string& name) {
                    return Means(name, run.scanner, run.version) ||
                           BaseNameOf(name) == run.scanner + ".yaml";
                  });
  return scanner &&
         (selection.filter.empty() ||
          (id + " " + run.name).find(selection.filter) != std::string::npos) &&
         (!selection.only || selection.only->contains(id + " [" + run.name + "]"));
}

bool WantsScenario(const CaseFilter& selection, const Scenario& scenario) {
  const auto has = [](const std::vector<std::string>& all, const auto& wanted) {
    return std::any_of(all.begin(), all.end(), wanted);
  };
  const std::vector<std::string> tags =
      selection.tags.empty() ? std::vector<std::string>() : TagsOf(scenario);
  return std::all_of(selection.tags.begin(), selection.tags.end(),
                     [&](const std::string& tag) {
                       return has(tags, [&](const std::string& own) { return own == tag; });
                     }) &&
         scenario.claim.find(selection.claim) != std::string::npos &&
         (selection.cause.empty() || has(CausesOf(scenario), [&](const std::string& own) {
            return own.find(selection.cause) != std::string::npos;
          }));
}

ListedRun Listed(const RunSpec& run) { return {run.name, run.scanner.name, run.scanner.version}; }

}  // namespace

struct CaseSelection::Source {
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

Status CaseSelection::Add(const std::string& file, const std::string& cell) {
  std::error_code none;
  const std::string real = std::filesystem::canonical(file, none).string();
  const auto known = by_file_.find(real);
  const bool is_new_file = known == by_file_.end();
  const auto number = is_new_file ? static_cast<uint32_t>(sources_.size()) : known->second;
  std::set<uint32_t> taken;
  if (!is_new_file)
    for (const Chosen& chosen : chosen_)
      if (chosen.source == number) taken.insert(chosen.number);
  if (is_new_file) {
    auto source = std::make_unique<Source>();
    TRY(source->scenario, ReadScenarioFile(file, fixtures_->catalog()));
    if (!WantsScenario(selection_, source->scenario)) return Ok();
    // Their cases would have one id: one report and one file of evidence for two.
    if (const auto [same, is_new] = by_id_.try_emplace(source->scenario.id, file); !is_new)
      return Error{fmt::format("{} and {} are both the scenario {}: run them apart, or rename one",
                               same->second, file, Quote(source->scenario.id))};
    TRY(CaseRange range, CaseRange::Of(source->scenario, *fixtures_));
    source->range = std::make_unique<CaseRange>(std::move(range));
    TRY(source->range->CheckValues());
    TRY(source->range->CheckExpected());
    sources_.push_back(std::move(source));
    by_file_[real] = number;  // not before: a file with a mistake is none of them
  }
  return Choose(number, cell, taken);
}

MistakesOfFile CaseSelection::MistakesOf(const std::string& file) const {
  return MistakesIn(file, *fixtures_);
}

Status CaseSelection::Choose(uint32_t source, const std::string& cell,
                             const std::set<uint32_t>& taken) {
  const CaseRange& range = *sources_[source]->range;
  std::vector<std::string> others;  // what is there instead, for the error
  bool is_there = cell.empty();
  for (size_t number = 0; number < range.cells().limit(); ++number) {
    if (!range.cells().Has(number)) continue;
    const std::string own = range.Id(number);
    const bool meant = cell.empty() || MeansCell(cell, own);
    is_there = is_there || meant;
    if (!is_there && others.size() < kMostOthers) others.push_back(own);
    if (!meant || taken.contains(static_cast<uint32_t>(number))) continue;
    const std::vector<ListedRun>& runs = range.Runs(number);
    if (std::any_of(runs.begin(), runs.end(),
                    [&](const ListedRun& run) { return WantsRun(selection_, own, run); }))
      chosen_.push_back({source, static_cast<uint32_t>(number)});
  }
  if (is_there) return Ok();
  return Error{NoSuchCell(range.scenario().id + cell, others)};
}

std::vector<std::string> CaseSelection::NamesOfRuns() const {
  std::vector<std::string> names;
  for (const auto& source : sources_)
    for (size_t number = 0; number < std::min(source->range->cells().limit(), kMostOthers);
         ++number) {
      if (!source->range->cells().Has(number)) continue;
      for (const ListedRun& run : source->range->Runs(number)) {
        const std::string name =
            run.name == run.scanner ? run.name : fmt::format("{} ({})", run.name, run.scanner);
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
  return names;
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
  const std::string id = Id(place);
  for (const ListedRun& run : RangeOf(place).Runs(chosen_[place].number))
    if (WantsRun(selection_, id, run)) names.push_back(run.name);
  return names;
}

Result<Case> CaseSelection::Read(size_t place) const {
  const std::lock_guard lock(*reading_);
  TRY(Case c, RangeOf(place).Read(chosen_[place].number));
  DropRuns(c.runs, [&](const RunSpec& run) { return !WantsRun(selection_, c.id, Listed(run)); });
  return c;
}

Status CaseSelection::CheckAll(const std::function<void(const Case&)>& visit) const {
  for (size_t place = 0; place < size(); ++place) {
    TRY(const Case c, Read(place));
    TRY(CheckRuns(c));
    visit(c);
  }
  return Ok();
}

std::vector<std::string> CaseSelection::Scanners() const {
  std::vector<std::string> names = NamesIn(catalog().scanners, ".yaml");
  for (const CaseRange* range : Ranges())
    for (const auto& [kind, runs] : range->AllRuns())
      for (const ListedRun& run : runs)
        if (std::find(names.begin(), names.end(), run.scanner) == names.end())
          names.push_back(run.scanner);
  return names;
}

// FNV-1a of ids and run names, each with its end.
std::string CaseSelection::Digest() const {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](const std::string& text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash *= 0x100000001b3;
  };
  for (size_t place = 0; place < size(); ++place) {
    add(Id(place));
    for (const std::string& run : Runs(place)) add(run);
    add("");
  }
  return fmt::format("{:016x}", hash);
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
