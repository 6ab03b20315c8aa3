#include "harness/suite/case_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/scenario/read/scenario.h"

namespace gpustage {
namespace {

constexpr std::string_view kScenarioSuffix = ".yaml";

// "gpus=1", "stack=ggml-12" of "healthy@gpus=1,stack=ggml-12".
std::vector<std::string> WordsOfCell(const std::string& name) {
  std::vector<std::string> words;
  const size_t at = name.find('@');
  if (at == std::string::npos) return words;
  std::istringstream stream(name.substr(at + 1));
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

// "folder/file" of all scenarios that there are.
Result<std::vector<std::string>> NamesOfAll(const Catalog& catalog) {
  TRY(std::vector<std::string> names, DiscoverScenarios({catalog.scenarios}));
  for (std::string& name : names)
    name = name.substr(catalog.scenarios.size() + 1,
                       name.size() - catalog.scenarios.size() - 1 - kScenarioSuffix.size());
  return names;
}

// The whole name, its folder or its last part was nearly written.
std::string Perhaps(const std::string& wrong, const std::vector<std::string>& names) {
  const bool has_folder = wrong.find('/') != std::string::npos;
  if (has_folder && NearestWord(wrong, names)) return DidYouMean(wrong, names);
  std::vector<std::string> folders, lasts;
  for (const std::string& name : names) {
    folders.push_back(ParentOf(name));
    lasts.push_back(BaseNameOf(name));
  }
  const auto folder = NearestWord(wrong, folders), last = NearestWord(BaseNameOf(wrong), lasts);
  for (size_t i = 0; i < names.size(); ++i)
    if (last == lasts[i]) return fmt::format("; did you mean {}?", Quote(names[i]));
  if (folder) return fmt::format("; did you mean {}?", Quote(*folder));
  const std::set<std::string> all(folders.begin(), folders.end());
  return fmt::format("; there are {}: gpustage list shows all", JoinOr({all.begin(), all.end()}));
}

Error NoScenario(const std::string& path, const std::string& name,
                 const std::vector<std::string>& names) {
  if (FileExists(name + std::string(kScenarioSuffix)))
    return Error{fmt::format("no scenario {}; did you mean {}?", Quote(path),
                             Quote(name + std::string(kScenarioSuffix)))};
  // A file was meant: of those beside it the nearest.
  const std::string file_name = BaseNameOf(name);
  if (const size_t dot = file_name.rfind('.');
      dot != std::string::npos && file_name.substr(dot).starts_with(".y")) {
    std::vector<std::string> beside;
    const std::string folder = name.find('/') == std::string::npos ? "." : ParentOf(name);
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none))
      if (entry.path().extension() == kScenarioSuffix)
        beside.push_back(entry.path().filename().string());
    const auto nearest = NearestWord(file_name, beside);
    return Error{
        fmt::format("no such file {}{}", Quote(name),
                    nearest ? fmt::format("; did you mean {}?",
                                          Quote(folder == "." ? *nearest : folder + "/" + *nearest))
                            : "")};
  }
  std::vector<std::string> of_several;
  for (const std::string& one : names)
    if (BaseNameOf(one) == name) of_several.push_back(one);
  if (of_several.size() > 1)
    return Error{fmt::format("{} could be {}", Quote(path), JoinOr(of_several))};
  return Error{fmt::format("no scenario {}{}", Quote(path), Perhaps(name, names))};
}

}  // namespace

bool MeansCell(const std::string& name, const std::string& id) {
  const std::vector<std::string> words = WordsOfCell(id);
  const std::vector<std::string> wanted = WordsOfCell(name);
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& word) { return Contains(words, word); });
}

std::string NoSuchCell(const std::string& name, const std::vector<std::string>& ids) {
  const std::string scenario = name.substr(0, name.find('@'));
  const std::string who = scenario.empty() ? "this scenario" : scenario;
  std::vector<std::string> all;
  for (const std::string& id : ids)
    for (const std::string& word : WordsOfCell(id))
      if (!Contains(all, word)) all.push_back(word);
  if (all.empty()) return fmt::format("{} has no matrix, and so no cells", who);
  for (const std::string& word : WordsOfCell(name)) {
    if (Contains(all, word)) continue;
    const std::string axis = word.substr(0, word.find('='));
    std::vector<std::string> axes, values;
    for (const std::string& known : all) {
      const std::string of = known.substr(0, known.find('='));
      if (!Contains(axes, of)) axes.push_back(of);
      if (of == axis && known.size() > of.size()) values.push_back(known.substr(of.size() + 1));
    }
    if (values.empty())
      return fmt::format("{} has no axis {}{}", who, Quote(axis), DidYouMean(axis, axes));
    return fmt::format("{} has no case with {}; {} can be {}", who, Quote(word), axis,
                       JoinOr(values));
  }
  return fmt::format("{} has no case with all of {}", who, Quote(name.substr(name.find('@') + 1)));
}

Result<NamedFiles> FilesNamed(const Catalog& catalog, const std::string& path) {
  NamedFiles named;
  if (FileExists(path)) {
    TRY(named.files, DiscoverScenarios({path}));
    return named;
  }
  const std::string name = path.substr(0, path.find('@'));
  named.cell = path.substr(name.size());
  for (const std::string& candidate :
       {name, catalog.scenarios + "/" + name + std::string(kScenarioSuffix),
        catalog.scenarios + "/" + name})
    if (!name.empty() && FileExists(candidate)) {
      TRY(named.files, DiscoverScenarios({candidate}));
      return named;
    }
  TRY(const std::vector<std::string> names, NamesOfAll(catalog));
  std::vector<std::string> matching;
  for (const std::string& one : names)
    if (BaseNameOf(one) == name) matching.push_back(one);
  if (matching.size() != 1) return NoScenario(path, name, names);
  named.files = {fmt::format("{}/{}{}", catalog.scenarios, matching.front(), kScenarioSuffix)};
  return named;
}

}  // namespace gpustage
