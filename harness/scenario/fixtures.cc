#include "harness/scenario/fixtures.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/scenario/fields.h"

namespace gpustage {
namespace {

ProgramSource ProgramAt(std::string path, std::string missing) {
  if (access(path.c_str(), X_OK) == 0 && !IsDirectory(path)) return {std::move(path), ""};
  return {"", std::move(missing)};
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
  TRY(const std::string file, NamedFile(catalog_.devices, name, ".yaml", "device"));
  TRY(GpuDevice device, ReadDeviceFile(file));
  return &devices_.emplace(name.text, std::move(device)).first->second;
}

Result<const ScannerSpec*> Fixtures::FindScanner(const YamlNode& name) {
  TRY(const auto* scanners, AllScanners());
  std::vector<std::string> names;
  for (const auto& [known, spec] : *scanners) {
    if (name.IsText() && known == name.text) return &spec;
    names.push_back(known);
  }
  return UnknownWord(name, "scanner", names);
}

Result<const std::map<std::string, ScannerSpec>*> Fixtures::AllScanners() {
  if (scanners_) return &*scanners_;
  std::vector<std::string> files;
  for (const std::string& name : NamesIn(catalog_.scanners, ".yaml"))
    files.push_back(fmt::format("{}/{}.yaml", catalog_.scanners, name));
  files.insert(files.end(), catalog_.scanner_files.begin(), catalog_.scanner_files.end());
  std::map<std::string, ScannerSpec> scanners;
  for (const std::string& file : files) {
    TRY(ScannerSpec spec, ReadScannerFile(file, *this));
    scanners.insert_or_assign(spec.name, std::move(spec));
  }
  return &scanners_.emplace(std::move(scanners));
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
    TRY(std::string path, NamedFile(catalog_.fakes, choice.value, ".so", "fake"));
    return LibrarySource{LibrarySource::Kind::kFake, choice.value.text, std::move(path), ""};
  }
  TRY(const std::string name, ReadNonEmpty(choice.value, "the path of a library of this machine"));
  const std::string path = HostPath(choice.value);
  if (!FileExists(path)) return ErrorAt(choice.value, fmt::format("there is no file {}", path));
  return LibrarySource{LibrarySource::Kind::kFile, name, path, ""};
}

Result<ProgramSource> Fixtures::FindProgram(const YamlEntry& choice) {
  TRY(const std::string name, ReadNonEmpty(choice.value, "a program"));
  if (choice.key == "real") {
    TRY(const LibrarySource source, FindReal(choice.value));
    return ProgramSource{source.host_path, source.missing};
  }
  if (choice.key == "path") {
    const std::string path = HostPath(choice.value);
    return ProgramAt(path, fmt::format("{} is not on this machine", path));
  }
  const std::string& folder = choice.key == "fake" ? catalog_.fakes : catalog_.programs;
  return ProgramAt(fmt::format("{}/{}", folder, name),
                   fmt::format("the program {} is not built", name));
}

}  // namespace gpustage
