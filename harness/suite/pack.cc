#include "harness/suite/pack.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/scenario/yaml/edit.h"
#include "harness/scenario/yaml/fields.h"
#include "harness/suite/case_names.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"
#include "harness/suite/project.h"

namespace gpustage {
namespace {

std::string StemOf(const std::string& file) {
  const std::string name = BaseNameOf(file);
  return name.substr(0, name.rfind('.'));
}

// What a file names of this machine: its place in the file, and whether it is a scanner's file.
struct OwnFile {
  YamlPlace place;
  std::string path;
  SourcePos pos;
  bool scanner = false;
};

void FindOwn(const YamlNode& node, const YamlPlace& place, std::vector<OwnFile>& found) {
  const bool library = node.Find("library") != nullptr;
  for (size_t i = 0; i < node.entries.size() + node.items.size(); ++i) {
    const YamlNode& part = node.IsMap() ? node.entries[i].value : node.items[i];
    const std::string key = node.IsMap() ? node.entries[i].key : "";
    YamlPlace here = place;
    here.push_back(i);
    if (part.IsText() &&
        ((key == "file" && library) || (key == "scanner" && IsScannerFile(part.text))))
      found.push_back({here, HostPath(part), part.pos, key == "scanner"});
    const YamlNode* const path = key == "program" ? part.Find("path") : nullptr;
    for (size_t j = 0; path != nullptr && j < part.entries.size(); ++j)
      if (part.entries[j].key == "path" && !path->text.starts_with("/usr/bin/python3")) {
        here.push_back(j);
        found.push_back({here, HostPath(*path), path->pos});
      }
    FindOwn(part, YamlPlace(here.begin(), here.begin() + static_cast<long>(place.size()) + 1),
            found);
  }
}

class Packer {
 public:
  explicit Packer(std::string folder) { pack_.folder = std::move(folder); }

  // A YAML file to this place of the pack, and with it what it names.
  Status AddYaml(const std::string& file, const std::string& to) {
    TRY(std::string text, ReadFile(file));
    TRY(const YamlNode root, ParseYaml(text, file));
    std::vector<OwnFile> own;
    FindOwn(root, {}, own);
    for (const OwnFile& one : own) {
      if (!FileExists(one.path)) return Error{fmt::format("there is no {}", one.path), one.pos};
      const std::string below = ParentOf(file) + "/";
      const bool near = one.path.starts_with(below) || ParentOf(file) == ".";
      const std::string name =
          near ? one.path.substr(near && ParentOf(file) != "." ? below.size() : 0)
               : fmt::format("files/{}", Free(BaseNameOf(one.path), one.path));
      const size_t slash = to.rfind('/');
      const std::string place = slash == std::string::npos ? name : to.substr(0, slash + 1) + name;
      if (!near) {
        const std::string said = one.scanner ? "./" + name : name;
        TRY(text, Edited(text, file, {YamlEdit::Kind::kSet, one.place, "", TextNode(said)}));
      }
      if (one.scanner)
        TRY(AddYaml(one.path, place));
      else
        TRY(AddFile(one.path, place));
    }
    Put(to, {std::move(text), false});
    return Ok();
  }

  Status AddFile(const std::string& file, const std::string& to) {
    TRY(std::string content, ReadRegularFile(file));
    Put(to, {std::move(content), access(file.c_str(), X_OK) == 0});
    return Ok();
  }

  void Put(const std::string& to, TarFile file) {
    pack_.files[pack_.folder + "/" + to] = std::move(file);
  }

  Pack& pack() { return pack_; }

 private:
  // Two files of one name lie side by side.
  std::string Free(const std::string& name, const std::string& path) {
    std::string free = name;
    for (int n = 2; taken_.count(free) != 0 && taken_[free] != path; ++n)
      free = fmt::format("{}-{}", n, name);
    taken_[free] = path;
    return free;
  }

  Pack pack_;
  std::map<std::string, std::string> taken_;
};

Status AddFixtures(const std::vector<std::string>& folders, Packer& packer, std::string& project) {
  std::vector<std::string> names;
  for (size_t i = 0; i < folders.size(); ++i) {
    names.push_back(fmt::format("fixtures/{}", i + 1));
    for (const char* kind : {"layouts", "devices", "scanners"})
      for (const std::string& name : NamesIn(fmt::format("{}/{}", folders[i], kind), ".yaml"))
        TRY(packer.AddYaml(fmt::format("{}/{}/{}.yaml", folders[i], kind, name),
                           fmt::format("{}/{}/{}.yaml", names.back(), kind, name)));
  }
  if (!names.empty()) project += fmt::format("fixtures: [{}]\n", fmt::join(names, ", "));
  return Ok();
}

}  // namespace

Result<Pack> PackOf(const CaseFilter& selection) {
  TRY(const CaseSelection selected, Select(selection));  // nothing that is wrong is packed
  const std::vector<const CaseRange*> ranges = selected.Ranges();
  if (ranges.size() != 1)
    return Error{fmt::format("a pack is of one scenario, and {} are named", ranges.size())};
  const std::string file = ranges.front()->scenario().file;
  const std::string stem = StemOf(file);
  Packer packer(stem);
  TRY(packer.AddYaml(file, stem + ".yaml"));

  TRY(const Project own, ProjectOf(selection));
  std::vector<std::string> folders = own.fixtures;
  std::string project;
  TRY(AddFixtures(folders, packer, project));
  std::string words;
  for (const std::string& scanner : selection.scanners) {
    words += " --scanner " + ShellWord(IsScannerFile(scanner)
                                           ? stem + "/scanners/" + StemOf(scanner) + ".yaml"
                                           : scanner);
    if (IsScannerFile(scanner))
      TRY(packer.AddYaml(scanner, fmt::format("scanners/{}.yaml", StemOf(scanner))));
  }
  if (!own.require.empty()) project += fmt::format("require: [{}]\n", fmt::join(own.require, ", "));
  if (!project.empty()) packer.Put("gpustage.yaml", {project, false});

  const std::string& named = selection.paths.front();
  const std::string cell =
      named.find('@') == std::string::npos ? "" : named.substr(named.find('@'));
  Pack pack = std::move(packer.pack());
  pack.command =
      fmt::format("run {}{}", ShellWord(fmt::format("{0}/{0}.yaml{1}", stem, cell)), words);
  return pack;
}

}  // namespace gpustage
