#include "harness/scenario/catalog/fixtures.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <sstream>

#include "harness/base/files.h"
#include "harness/scenario/catalog/allowed.h"
#include "harness/scenario/catalog/device_words.h"
#include "harness/scenario/catalog/functions.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

ProgramSource ProgramAt(std::string path, std::string missing) {
  if (access(path.c_str(), X_OK) == 0 && !IsDirectory(path)) return {std::move(path), ""};
  return {"", std::move(missing)};
}

// The scanner once for each program that was given for it; itself when none is asked for.
std::vector<ScannerSpec> Versions(const ScannerSpec& scanner,
                                  const std::vector<GivenProgram>& given) {
  if (scanner.given.empty()) return {scanner};
  std::vector<ScannerSpec> versions;
  for (const GivenProgram& program : given) {
    if (program.name != scanner.given) continue;
    if (!Holds(scanner.versions, program.version)) continue;
    ScannerSpec& version = versions.emplace_back(scanner);
    version.program = program.path;
    version.version = program.version;
    version.missing.clear();
    for (auto& [fake, path] : version.release)
      path = LexicallyNormal(ParentOf(program.path) + "/" + path);
    for (auto& [folder, path] : version.release_folders)
      path = LexicallyNormal(ParentOf(program.path) + "/" + path);
    // A program alone is a release too: then the layout's own have to do.
    std::erase_if(version.release, [](const auto& library) { return !FileExists(library.second); });
  }
  return versions;
}

// Scanners of which no version was given: then one by its name alone says so.
void AddMissing(const std::vector<ScannerSpec>& definitions,
                std::map<std::string, ScannerSpec>& scanners) {
  for (const ScannerSpec& definition : definitions) {
    const bool is_here = std::any_of(scanners.begin(), scanners.end(), [&](const auto& known) {
      return known.second.name == definition.name && known.second.missing.empty();
    });
    if (definition.given.empty() || is_here) continue;
    const auto [missing, is_first] = scanners.emplace(definition.name, definition);
    if (!is_first)
      missing->second.missing =
          NotGiven(definition.given, "");  // all its definitions are for all versions
  }
}

}  // namespace

Result<const Layout*> Fixtures::FindLayout(const YamlNode& name) {
  if (const auto known = layouts_.find(name.text); known != layouts_.end()) return &known->second;
  TRY(const std::string file, NamedFile(catalog_.layouts, name, ".yaml", "layout"));
  TRY(Layout layout, ReadLayoutFile(file, *this));
  return &layouts_.emplace(name.text, std::move(layout)).first->second;
}

Result<const GpuDevice*> Fixtures::FindDevice(const YamlNode& name) {
  if (const auto known = devices_.find(name.text); known != devices_.end()) return &known->second;
  const std::string file = name.IsText() ? DeviceFile(name.text) : "";
  if (file.empty()) return DeviceByItsWords(name);
  TRY(GpuDevice device, ReadDeviceFile(file));
  return &devices_.emplace(name.text, std::move(device)).first->second;
}

std::vector<std::string> Fixtures::DeviceFolders() const {
  std::vector<std::string> folders;
  std::istringstream list(catalog_.devices);
  for (std::string one; std::getline(list, one, ':');) folders.push_back(one);
  return folders;
}

std::string Fixtures::DeviceFile(const std::string& profile) const {
  if (profile.find('/') != std::string::npos) return "";
  for (const std::string& folder : DeviceFolders())
    if (std::string file = fmt::format("{}/{}.yaml", folder, profile); FileExists(file))
      return file;
  return "";
}

// As people write it, and as nvidia-smi does: "RTX 3090", "3090", "NVIDIA GeForce RTX 3090".
Result<const GpuDevice*> Fixtures::DeviceByItsWords(const YamlNode& name) {
  std::vector<DeviceName> names;
  for (const std::string& folder : DeviceFolders())
    for (const std::string& profile : NamesIn(folder, ".yaml")) {
      TRY(const YamlNode file, ReadYamlFile(fmt::format("{}/{}.yaml", folder, profile)));
      const YamlNode* product = file.Find("name");
      names.push_back({profile, product != nullptr ? product->text : ""});
    }
  std::vector<std::string> meant =
      name.IsText() ? MeantDevices(name.text, names) : std::vector<std::string>{};
  if (meant.size() == 1) {
    YamlNode known = name;
    known.text = meant[0];
    return FindDevice(known);
  }
  if (meant.size() > 1)
    return ErrorAt(name, fmt::format("{} may be {}", Describe(name), JoinOr(meant)));
  if (const std::string nearest = name.IsText() ? NearestDevice(name.text, names) : "";
      !nearest.empty())
    return ErrorAt(
        name, fmt::format("unknown device {}; did you mean {}?", Describe(name), Quote(nearest)));
  for (const DeviceName& known : names) meant.push_back(known.profile);
  return UnknownWord(name, "device", meant);
}

Result<const Capabilities*> Fixtures::FindCapabilities() {
  if (!capabilities_) {
    Capabilities read;
    if (!catalog_.capabilities.empty()) {
      TRY(read, ReadCapabilitiesFile(catalog_.capabilities));
    }
    capabilities_ = std::move(read);
  }
  return &*capabilities_;
}

Result<std::vector<const ScannerSpec*>> Fixtures::ScannersOfFile(const YamlNode& name) {
  const std::string file = HostPath(name);
  if (!FileExists(file)) return ErrorAt(name, fmt::format("there is no file {}", file));
  auto known = own_scanners_.find(file);
  if (known == own_scanners_.end()) {
    TRY(const ScannerSpec definition, ReadScannerFile(file, *this));
    std::vector<ScannerSpec> versions = Versions(definition, catalog_.given);
    if (versions.empty()) versions.push_back(definition);
    known = own_scanners_.emplace(file, std::move(versions)).first;
  }
  std::vector<const ScannerSpec*> found;
  for (const ScannerSpec& version : known->second) found.push_back(&version);
  return found;
}

Result<std::vector<const ScannerSpec*>> Fixtures::FindScanners(const YamlNode& name) {
  if (name.IsText() && IsScannerFile(name.text)) return ScannersOfFile(name);
  TRY(const auto* scanners, AllScanners());
  YamlNode bare = name;  // without a version
  bare.text = name.text.substr(0, name.text.find('@'));
  std::vector<const ScannerSpec*> found;
  std::vector<std::string> names;
  const ScannerSpec* other = nullptr;  // in another version
  for (const auto& [known, spec] : *scanners) {
    names.push_back(spec.name);
    if (!name.IsText()) continue;
    if (Means(name.text, spec.name, spec.version)) found.push_back(&spec);
    if (other == nullptr && spec.name == bare.text && !spec.given.empty()) other = &spec;
  }
  if (!found.empty()) return found;
  if (other == nullptr) {
    Error unknown = UnknownWord(bare, "scanner", names);
    if (!NearestWord(bare.text, names))
      unknown.message +=
          "; one of your own is given by its file: scanner: ./NAME.yaml, or --scanner FILE";
    return unknown;
  }
  const std::string versions = name.text.substr(bare.text.size() + 1);
  const std::optional<VersionRange> range = ParseVersions(versions);
  if (!range) return NoVersion(name);
  const auto [place, is_new] = absent_.try_emplace(name.text, *other);
  ScannerSpec& absent = place->second;
  absent.program.clear();
  absent.version = versions;
  absent.missing = NotGiven(
      absent.given, range->from.empty() || range->below.empty() ? ToString(*range) : versions);
  absent.stand_ins.clear();
  return std::vector<const ScannerSpec*>{&absent};
}

Result<const std::map<std::string, ScannerSpec>*> Fixtures::AllScanners() {
  if (scanners_) return &*scanners_;
  std::vector<ScannerSpec> definitions;
  for (const std::string& name : NamesIn(catalog_.scanners, ".yaml")) {
    TRY(ScannerSpec definition,
        ReadScannerFile(fmt::format("{}/{}.yaml", catalog_.scanners, name), *this));
    definitions.push_back(std::move(definition));
  }
  for (const std::string& file : catalog_.scanner_files) {
    TRY(ScannerSpec definition, ReadScannerFile(file, *this));
    definition.file = file;
    // A file of the user's stands for all versions of the one in the folder.
    std::erase_if(definitions,
                  [&](const ScannerSpec& known) { return known.name == definition.name; });
    definitions.push_back(std::move(definition));
  }
  std::map<std::string, ScannerSpec> scanners;
  for (const ScannerSpec& definition : definitions)
    for (ScannerSpec& version : Versions(definition, catalog_.given)) {
      std::string name = RunName(version.name, version);
      scanners.emplace(std::move(name), std::move(version));
    }
  AddMissing(definitions, scanners);
  return &scanners_.emplace(std::move(scanners));
}

Status Fixtures::CheckFunction(const YamlNode& name) {
  if (!functions_) functions_ = FunctionsIn(catalog_.fakes);
  if (functions_->empty() || std::binary_search(functions_->begin(), functions_->end(), name.text))
    return Ok();
  // Where the headers of Vulkan are missing its drivers are not built, and their names not known.
  const auto first = std::lower_bound(functions_->begin(), functions_->end(), "vk");
  const bool knows_vulkan = first != functions_->end() && first->starts_with("vk");
  if (!knows_vulkan && name.text.starts_with("vk")) return Ok();
  const auto nearest = NearestWord(name.text, *functions_);
  return ErrorAt(name, fmt::format("unknown function {}{}", Quote(name.text),
                                   nearest ? fmt::format("; did you mean {}?", Quote(*nearest))
                                           : ": none of our libraries has it"));
}

Result<LibrarySource> Fixtures::FindReal(const YamlNode& name) {
  if (!real_parts_) {
    TRY(real_parts_, RealParts(catalog_));
  }
  std::vector<std::string> names;
  for (const LibrarySource& part : *real_parts_) {
    if (name.IsText() && part.name == name.text) return part;
    names.push_back(part.name);
  }
  return UnknownWord(name, "real part", names);
}

Result<LibrarySource> Fixtures::FindLibrary(const YamlEntry& choice) {
  if (choice.key == "real") return FindReal(choice.value);
  if (choice.key == "fake") {
    const std::string& fake = choice.value.text;
    if (const std::string why = catalog_.fakes + "/" + fake + ".missing"; FileExists(why)) {
      TRY(std::string reason, ReadFile(why));
      return LibrarySource{LibrarySource::Kind::kFake, fake, "", std::move(reason)};
    }
    TRY(std::string path, NamedFile(catalog_.fakes, choice.value, ".so", "fake"));
    return LibrarySource{LibrarySource::Kind::kFake, choice.value.text, std::move(path), ""};
  }
  TRY(const std::string name, ReadNonEmpty(choice.value, "the path of a library of this machine"));
  const std::string path = HostPath(choice.value);
  if (!FileExists(path)) return ErrorAt(choice.value, fmt::format("there is no file {}", path));
  TRY(CheckAllowed(choice.value, path));
  return LibrarySource{LibrarySource::Kind::kFile, name, path, ""};
}

Result<ProgramSource> Fixtures::FindProgram(const YamlEntry& choice) {
  TRY(const std::string name, ReadNonEmpty(choice.value, "a program"));
  if (choice.key == "real") {
    TRY(const LibrarySource source, FindReal(choice.value));
    return ProgramSource{source.host_path, source.missing};
  }
  if (choice.key == "path" || choice.key == "python") {
    std::string path = HostPath(choice.value);
    char real[PATH_MAX];
    if (choice.key == "python" && realpath(path.c_str(), real) != nullptr) path = real;
    ProgramSource source = ProgramAt(path, fmt::format("{} is not on this machine", path));
    if (source.missing.empty()) TRY(CheckAllowed(choice.value, path));
    return source;
  }
  if (choice.key == "given") return ProgramSource{"", NotGiven(name, "")};
  const std::string& folder = choice.key == "fake" ? catalog_.fakes : catalog_.programs;
  return ProgramAt(fmt::format("{}/{}", folder, name),
                   fmt::format("the program {} is not built", name));
}

}  // namespace gpustage
