#include "harness/cli/completion.h"

#include <algorithm>
#include <sstream>

#include "harness/base/files.h"
#include "harness/cli/command_line.h"
#include "harness/cli/verb_page.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

// Files are the shell's own business, also where a scenario may be one.
constexpr char kBash[] = R"sh(_gpustage() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _gpustage gpustage
)sh";

constexpr char kZsh[] = R"sh(#compdef gpustage
local -a candidates
candidates=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
compadd -- $candidates
_files
)sh";

std::vector<std::string> ScenarioNames(const Catalog& catalog) {
  std::vector<std::string> names;
  const Result<std::vector<std::string>> files = DiscoverScenarios({catalog.scenarios});
  if (!files) return names;
  for (const std::string& file : *files) {
    const std::string name = file.substr(catalog.scenarios.size() + 1);
    names.push_back(name.substr(0, name.rfind('.')));
    names.push_back(ParentOf(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// "auto|always|never" are the words themselves.
std::vector<std::string> ValuesOf(const std::string& kind) {
  const Catalog catalog = FindCatalog({});
  if (kind == "SCENARIO") return ScenarioNames(catalog);
  if (kind == "SCANNER") return NamesIn(catalog.scanners, ".yaml");
  if (kind == "DEVICE") return NamesIn(catalog.devices, ".yaml");
  if (kind == "LAYOUT") return NamesIn(catalog.layouts, ".yaml");
  if (kind == "COMMAND") return NamesOfVerbs();
  std::vector<std::string> words;
  if (kind.find('|') == std::string::npos) return words;
  std::istringstream stream(kind);
  for (std::string word; std::getline(stream, word, '|');) words.push_back(word);
  return words;
}

const PageEntry* FindOption(const VerbPage& page, const std::string& name) {
  for (const PageEntry& entry : page.options)
    if (std::find(entry.names.begin(), entry.names.end(), name) != entry.names.end()) return &entry;
  return nullptr;
}

std::vector<std::string> OfVerb(const VerbPage& page, const std::vector<std::string>& words) {
  const std::string& last = words.back();
  const PageEntry* const before = FindOption(page, words[words.size() - 2]);
  if (before != nullptr && !before->value.empty()) return ValuesOf(before->value);
  std::vector<std::string> all;
  if (last.starts_with("-"))
    for (const PageEntry& entry : page.options) all.push_back(entry.names.front());
  else
    for (const PageEntry& entry : page.arguments) all = ValuesOf(entry.value);
  return all;
}

}  // namespace

std::string CompletionScript(const std::string& shell) { return shell == "bash" ? kBash : kZsh; }

std::vector<std::string> Completions(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  if (words.size() < 2) {
    all = NamesOfVerbs();
  } else if (const Verb* const verb = FindVerb(words.front())) {
    all = OfVerb(PageOf(*verb), words);
  }
  if (!words.empty())
    std::erase_if(all, [&](const std::string& one) { return !one.starts_with(words.back()); });
  return all;
}

}  // namespace gpustage
