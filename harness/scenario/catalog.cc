#include "harness/scenario/catalog.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "harness/base/files.h"
#include "harness/scenario/fields.h"

namespace gpustage {
namespace {

struct RealFile {
  std::string name;
  std::string part;
  std::string path;  // relative to Catalog::real_root
};

// fixtures/real-parts.yaml is also read by harness/dev and says in its head what its keys mean;
// here only three count.
Result<std::vector<RealFile>> ReadRealParts(const std::string& file) {
  TRY(const YamlNode parts, ReadYamlFile(file));
  TRY(CheckList(parts, "the real parts"));
  std::vector<RealFile> files;
  for (const YamlNode& part : parts.items) {
    TRY(const YamlNode* name_node, Require(part, "a real part", "name"));
    TRY(const YamlNode* into_node, Require(part, "a real part", "into"));
    TRY(const std::string name, ReadNonEmpty(*name_node, "a name"));
    TRY(const std::string into, ReadNonEmpty(*into_node, "a folder"));
    const YamlNode* gives = part.Find("gives");
    if (gives == nullptr) continue;
    for (const YamlEntry& entry : gives->entries) {
      TRY(const std::string path, ReadNonEmpty(entry.value, "a file of the part"));
      files.push_back({entry.key, name, fmt::format("{}/{}", into, path)});
    }
  }
  return files;
}

Result<LibrarySource> FindReal(const Catalog& catalog, const YamlNode& name) {
  TRY(const std::vector<LibrarySource> parts, RealParts(catalog));
  std::vector<std::string> names;
  for (const LibrarySource& part : parts) {
    if (name.IsText() && part.name == name.text) return part;
    names.push_back(part.name);
  }
  return UnknownWord(name, "real part", names);
}

Result<LibrarySource> FindFake(const Catalog& catalog, const YamlNode& name) {
  const std::vector<std::string> names = NamesIn(catalog.fakes, ".so");
  if (!name.IsText() || std::find(names.begin(), names.end(), name.text) == names.end())
    return UnknownWord(name, "fake", names);
  return LibrarySource{LibrarySource::Kind::kFake, name.text,
                       fmt::format("{}/{}.so", catalog.fakes, name.text), ""};
}

ProgramSource ProgramAt(std::string path, std::string missing) {
  if (access(path.c_str(), X_OK) == 0 && !IsDirectory(path)) return {std::move(path), ""};
  return {"", std::move(missing)};
}

}  // namespace

Result<std::vector<LibrarySource>> RealParts(const Catalog& catalog) {
  TRY(const std::vector<RealFile> files, ReadRealParts(catalog.real_parts));
  std::vector<LibrarySource> parts;
  for (const RealFile& file : files) {
    LibrarySource part{LibrarySource::Kind::kReal, file.name,
                       fmt::format("{}/{}", catalog.real_root, file.path), ""};
    if (!FileExists(part.host_path)) {
      part.host_path.clear();
      part.missing = fmt::format("the real part {} is not here: run harness/dev real", file.part);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<std::string> NamesIn(const std::string& directory, std::string_view suffix) {
  std::vector<std::string> names;
  const auto files = FilesBelow(directory, suffix);
  if (!files) return names;
  for (const std::string& file : *files) {
    const std::string name = BaseNameOf(file);
    if (ParentOf(file) == LexicallyNormal(directory))
      names.push_back(name.substr(0, name.size() - suffix.size()));
  }
  return names;
}

std::string HostPath(const YamlNode& path) {
  if (path.text.starts_with('/')) return path.text;
  const size_t slash = path.pos.file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.pos.file.substr(0, slash);
  return LexicallyNormal(fmt::format("{}/{}", folder, path.text));
}

Result<std::string> FixtureFile(const std::string& directory, const YamlNode& name,
                                std::string_view what) {
  const std::vector<std::string> names = NamesIn(directory, ".yaml");
  if (!name.IsText() || std::find(names.begin(), names.end(), name.text) == names.end())
    return UnknownWord(name, what, names);
  return fmt::format("{}/{}.yaml", directory, name.text);
}

Result<LibrarySource> FindLibrary(const Catalog& catalog, const YamlEntry& choice) {
  if (choice.key == "fake") return FindFake(catalog, choice.value);
  if (choice.key == "real") return FindReal(catalog, choice.value);
  TRY(const std::string name, ReadNonEmpty(choice.value, "the path of a library of this machine"));
  const std::string path = HostPath(choice.value);
  if (!FileExists(path)) return ErrorAt(choice.value, fmt::format("there is no file {}", path));
  return LibrarySource{LibrarySource::Kind::kFile, name, path, ""};
}

Result<ProgramSource> FindProgram(const Catalog& catalog, const YamlEntry& choice) {
  TRY(const std::string name, ReadNonEmpty(choice.value, "a program"));
  if (choice.key == "real") {
    TRY(const LibrarySource source, FindReal(catalog, choice.value));
    return ProgramSource{source.host_path, source.missing};
  }
  if (choice.key == "path")
    return ProgramAt(HostPath(choice.value),
                     fmt::format("{} is not on this machine", HostPath(choice.value)));
  const std::string& folder = choice.key == "fake" ? catalog.fakes : catalog.programs;
  return ProgramAt(fmt::format("{}/{}", folder, name),
                   fmt::format("the program {} is not built", name));
}

}  // namespace gpustage
