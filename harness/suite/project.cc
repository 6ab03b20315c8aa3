#include "harness/suite/project.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

constexpr std::string_view kFile = "gpustage.yaml";

Status ReadFolders(const YamlNode& node, std::vector<std::string>& folders) {
  TRY(CheckList(node, "folders"));
  for (const YamlNode& item : node.items) {
    TRY(const std::string text, ReadNonEmpty(item, "a folder"));
    if (!IsDirectory(HostPath(item))) return ErrorAt(item, fmt::format("no folder {}", text));
    folders.push_back(HostPath(item));
  }
  return Ok();
}

Status ReadInto(const std::string& file, Project& project) {
  TRY(const YamlNode root, ReadYamlFile(file));
  TRY(CheckKeys(root, "gpustage.yaml", {"fixtures", "ollama", "require"}));
  if (const YamlNode* fixtures = root.Find("fixtures"))
    TRY(ReadFolders(*fixtures, project.fixtures));
  if (const YamlNode* ollama = root.Find("ollama"))
    for (const YamlNode& item : ollama->items) {
      if (!FileExists(HostPath(item))) return ErrorAt(item, "no Ollama there");
      project.ollama.push_back(HostPath(item));
    }
  if (const YamlNode* require = root.Find("require")) {
    TRY(const std::vector<std::string> names, ReadTexts(*require, "scanners or parts"));
    project.require.insert(project.require.end(), names.begin(), names.end());
  }
  return Ok();
}

}  // namespace

Result<Project> ProjectOf(const CaseFilter& selection) {
  Project project;
  std::set<std::string> folders;
  for (const std::string& path : selection.paths) {
    const std::string named = path.substr(0, path.find('@'));
    if (FileExists(named)) folders.insert(IsDirectory(named) ? named : ParentOf(named));
  }
  for (const std::string& folder : folders)
    if (const std::string file = fmt::format("{}/{}", folder, kFile); FileExists(file))
      TRY(ReadInto(file, project));
  for (const std::string& folder : selection.fixtures) {
    if (!IsDirectory(folder)) return Error{fmt::format("no folder {} for --fixtures", folder)};
    project.fixtures.push_back(folder);
  }
  return project;
}

void AddFixtures(const std::vector<std::string>& folders, Catalog& catalog) {
  for (const std::string& folder : folders) {
    catalog.layouts = fmt::format("{}/layouts:{}", folder, catalog.layouts);
    catalog.devices = fmt::format("{}/devices:{}", folder, catalog.devices);
    for (const std::string& name : NamesIn(folder + "/scanners", ".yaml"))
      catalog.scanner_files.push_back(fmt::format("{}/scanners/{}.yaml", folder, name));
  }
}

bool IsScenario(const Project& project, const std::string& file) {
  const auto holds = [&](const std::string& folder) { return file.starts_with(folder + "/"); };
  return BaseNameOf(file) != kFile &&
         std::none_of(project.fixtures.begin(), project.fixtures.end(), holds);
}

}  // namespace gpustage
