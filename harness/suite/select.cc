#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

// "first-steps/links@link=dangling" -> the file in the scenario folder, and the whole id as a
// filter; "./mine.yaml@link=dangling" -> that file, and the end of the id.
Result<std::vector<std::string>> FilesOf(const Catalog& catalog, const std::string& path,
                                         std::string& id) {
  if (FileExists(path)) return DiscoverScenarios({path});
  const std::string name = path.substr(0, path.find('@'));
  if (name.ends_with(".yaml") && FileExists(name)) {
    id = path.substr(name.size());
    return DiscoverScenarios({name});
  }
  for (const std::string& candidate :
       {catalog.scenarios + "/" + name + ".yaml", catalog.scenarios + "/" + name})
    if (FileExists(candidate)) {
      if (name != path) id = path;
      return DiscoverScenarios({candidate});
    }
  // The last part of a scenario's name is enough when it is the only one.
  TRY(const std::vector<std::string> all, DiscoverScenarios({catalog.scenarios}));
  std::vector<std::string> matching, names;
  for (const std::string& file : all) {
    const std::string base = BaseNameOf(file);
    names.push_back(base.substr(0, base.rfind('.')));
    if (names.back() == name) matching.push_back(file);
  }
  if (matching.size() == 1) {
    if (name != path) id = path.substr(path.find('@'));
    return matching;
  }
  return Error{fmt::format("no scenario {}{}", Quote(path), DidYouMean(name, names))};
}

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

}  // namespace

Result<CaseSelection> Select(const CaseFilter& selection) {
  std::vector<std::string> files;
  std::copy_if(selection.scanners.begin(), selection.scanners.end(), std::back_inserter(files),
               IsScannerFile);
  Catalog catalog = FindCatalog(files, selection.ollama);
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
  std::erase_if(known, [](const std::string& name) {
    return name.find('@') != std::string::npos;
  });  // one more of another's
  for (const std::string& scanner : selection.scanners)
    if (!IsScannerFile(scanner) &&
        std::find(known.begin(), known.end(), scanner.substr(0, scanner.find('@'))) == known.end())
      return Error{fmt::format("no scanner {}{}", Quote(scanner), DidYouMean(scanner, known))};

  const std::string all = catalog.scenarios;
  CaseSelection selected(selection, catalog);
  for (const std::string& path : selection.paths.empty() ? std::vector{all} : selection.paths) {
    std::string id;
    TRY(const std::vector<std::string> scenario_files, FilesOf(catalog, path, id));
    for (const std::string& file : scenario_files) TRY(selected.Add(file, id));
  }
  if (selected.size() > 0) return selected;
  for (const std::string& scanner : selection.scanners)
    if (const std::string absent = AbsentVersion(scanner, catalog); !absent.empty())
      return Error{absent};
  return Error{"no case matches; gpustage list shows all"};
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
