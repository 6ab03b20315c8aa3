#include "harness/scenario/catalog/catalog.h"

#include <fmt/format.h>

#include <sstream>

#include "harness/base/files.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

struct RealFile {
  std::string name;
  std::string part;
  std::string path;  // relative to Catalog::real_root
  bool of_toolkit;   // nobody fetches it
};

// fixtures/real-parts.yaml is also read by what fetches them and says in its head what its keys
// mean; here only three count.
Result<std::vector<RealFile>> ReadRealParts(const std::string& file) {
  TRY(const YamlNode parts, ReadYamlFile(file));
  TRY(CheckList(parts, "the real parts"));
  std::vector<RealFile> files;
  for (const YamlNode& part : parts.items) {
    TRY(const YamlNode* name_node, Require(part, "a real part", "name"));
    TRY(const std::string name, ReadNonEmpty(*name_node, "a name"));
    const YamlNode* gives = part.Find("gives");
    if (gives == nullptr) continue;
    TRY(const YamlNode* into_node, Require(part, "a real part", "into"));
    TRY(const std::string into, ReadNonEmpty(*into_node, "a folder"));
    const YamlNode* client = part.Find("client");
    const bool of_toolkit = client != nullptr && client->text == "toolkit";
    for (const YamlEntry& entry : gives->entries) {
      TRY(const std::string path, ReadNonEmpty(entry.value, "a file of the part"));
      files.push_back({entry.key, name, fmt::format("{}/{}", into, path), of_toolkit});
    }
  }
  return files;
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
      part.missing =
          file.of_toolkit
              ? fmt::format(
                    "the real part {} is not here: it comes with NVIDIA's CUDA Toolkit "
                    "(looked for by CUDA_PATH, nvcc and /usr/local/cuda)",
                    file.part)
              : fmt::format("the real part {} is not here: run {}", file.part, catalog.fetcher);
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

Result<std::string> NamedFile(const std::string& directory, const YamlNode& name,
                              std::string_view suffix, std::string_view what) {
  std::vector<std::string> known;
  std::istringstream directories(directory);
  for (std::string one; std::getline(directories, one, ':');) {
    std::string path = fmt::format("{}/{}{}", one, name.text, suffix);
    if (name.IsText() && name.text.find('/') == std::string::npos && FileExists(path)) return path;
    const std::vector<std::string> names = NamesIn(one, suffix);
    known.insert(known.end(), names.begin(), names.end());
  }
  return UnknownWord(name, what, known);
}

}  // namespace gpustage
