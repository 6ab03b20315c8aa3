#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/suite/case_names.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"
#include "harness/suite/project.h"

namespace gpustage {
namespace {

// Why no case has "ollama@0.99": nobody gave it. "" when that is not why.
std::string AbsentVersion(const std::string& scanner, const Catalog& catalog) {
  const size_t at = scanner.find('@');
  if (IsScannerFile(scanner) || at == std::string::npos) return "";
  const bool given =
      std::any_of(catalog.given.begin(), catalog.given.end(), [&](const GivenProgram& program) {
        return Means(program.name + scanner.substr(at), program.name, program.version);
      });
  return given ? "" : NotGiven("ollama", scanner.substr(at + 1));
}

// Every bad file is told at once, as a compiler does it; one that many scenarios name, once.
class Mistakes {
 public:
  void Add(const Error& error) {
    if (told_.insert(Rendered(error)).second) errors_.push_back(error);
  }
  void AreMore() { more_ = true; }
  Status All() const {
    if (errors_.empty()) return Ok();
    if (errors_.size() == 1) return errors_.front();
    std::string all = fmt::format("{}{} mistakes", more_ ? "more than " : "", errors_.size());
    for (const Error& error : errors_) all += "\n" + Rendered(error);
    return Error{all};
  }

 private:
  std::set<std::string> told_;
  std::vector<Error> errors_;
  bool more_ = false;  // than are told of a file
};

// With what was wanted of the runs, and which there are.
Error NothingMatches(const CaseFilter& selection, const std::vector<std::string>& runs) {
  constexpr size_t kShown = 6;
  std::string why;
  for (const std::string& scanner : selection.scanners) why += " --scanner " + scanner;
  if (!selection.filter.empty()) why += fmt::format(" --filter {}", Quote(selection.filter));
  for (const std::string& tag : selection.tags) why += " --tag " + tag;
  if (!selection.claim.empty()) why += fmt::format(" --claim {}", Quote(selection.claim));
  if (!selection.cause.empty()) why += fmt::format(" --cause {}", Quote(selection.cause));
  if (!why.empty() && runs.empty()) return Error{fmt::format("no scenario matches{}", why)};
  if (why.empty() || runs.empty()) return Error{"no case matches; gpustage list shows all"};
  std::vector<std::string> shown(runs.begin(),
                                 runs.begin() + static_cast<long>(std::min(runs.size(), kShown)));
  if (runs.size() > kShown) shown.push_back("…");
  return Error{
      fmt::format("no case matches{}; the runs there are {}", why, fmt::join(shown, ", "))};
}

}  // namespace

Result<CaseSelection> Select(const CaseFilter& selection) {
  std::vector<std::string> files;
  std::copy_if(selection.scanners.begin(), selection.scanners.end(), std::back_inserter(files),
               IsScannerFile);
  TRY(const Project project, ProjectOf(selection));
  Catalog catalog =
      FindCatalog(files, selection.ollama.empty() ? project.ollama : selection.ollama);
  AddFixtures(project.fixtures, catalog);
  catalog.requested = selection.scanners;
  catalog.requested.insert(catalog.requested.end(), selection.requested.begin(),
                           selection.requested.end());
  for (const std::string& ollama : selection.ollama)
    if (!FileExists(ollama + (IsDirectory(ollama) ? "/bin/ollama" : "")))
      return Error{fmt::format("no Ollama at {}", Quote(ollama))};
  if (!files.empty())
    for (const std::string& file : files)
      if (!FileExists(file)) return Error{fmt::format("no scanner definition {}", Quote(file))};
  std::vector<std::string> known = NamesIn(catalog.scanners, ".yaml");
  for (const std::string& file : catalog.scanner_files)
    known.push_back(BaseNameOf(file).substr(0, BaseNameOf(file).rfind('.')));
  std::erase_if(known, [](const std::string& name) {
    return name.find('@') != std::string::npos;
  });  // one more of another's
  for (const std::string& scanner : selection.scanners)
    if (!IsScannerFile(scanner) &&
        std::find(known.begin(), known.end(), scanner.substr(0, scanner.find('@'))) == known.end())
      return Error{fmt::format("no scanner {}{}", Quote(scanner), DidYouMean(scanner, known))};

  const std::string all = catalog.scenarios;
  CaseSelection selected(selection, catalog);
  Mistakes mistakes;
  size_t files_read = 0;
  for (const std::string& path : selection.paths.empty() ? std::vector{all} : selection.paths) {
    const Result<NamedFiles> named = FilesNamed(catalog, path);
    if (!named) mistakes.Add(named.error());
    if (!named) continue;
    for (const std::string& file : named->files)
      if (file != path && !IsScenario(project, file))
        continue;
      else if (const Status added = selected.Add(file, named->cell); !added) {
        const MistakesOfFile found = selected.MistakesOf(file);
        for (const Error& error : found.told) mistakes.Add(error);
        if (found.told.empty()) mistakes.Add(added.error());
        if (found.more) mistakes.AreMore();
      } else
        ++files_read;
  }
  if (const Status none = mistakes.All(); !none) return none.error();
  if (selected.size() > 0) return selected;
  for (const std::string& scanner : selection.scanners)
    if (const std::string absent = AbsentVersion(scanner, catalog); !absent.empty())
      return Error{absent};
  if (files_read == 0 && !selection.paths.empty())
    return Error{
        fmt::format("no scenario (*.yaml, *.yml) in {}", fmt::join(selection.paths, ", "))};
  return NothingMatches(selection, selected.NamesOfRuns());
}

Result<std::vector<Case>> SelectCases(const CaseFilter& selection) {
  TRY(const CaseSelection selected, Select(selection));
  std::vector<Case> cases;
  for (size_t place = 0; place < selected.size(); ++place) {
    TRY(Case c, selected.Read(place));
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace gpustage
