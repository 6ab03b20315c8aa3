// The named things of a catalog, read from their files when they are first asked for, and kept.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/catalog/capabilities.h"
#include "harness/scenario/catalog/catalog.h"
#include "harness/scenario/read/readers.h"

namespace gpustage {

// A program for a scanner: its path, or why it is not here.
struct ProgramSource {
  std::string host_path;
  std::string missing;
};

class Fixtures {
 public:
  explicit Fixtures(Catalog catalog) : catalog_(std::move(catalog)) {}

  const Catalog& catalog() const { return catalog_; }

  // An unknown name is an error with the nearest known one. Pointers stay valid as long as this
  // does.
  Result<const Layout*> FindLayout(const YamlNode& name);
  Result<const GpuDevice*> FindDevice(const YamlNode& name);
  Result<const Capabilities*> FindCapabilities();
  // By the path of a file too: scanner: ./mine.yaml, beside the file that says so.
  // One for each version that was given: "ollama" finds all of them, "ollama@0.17" and
  // "ollama@<0.30" those that are. One that is missing where there are none.
  Result<std::vector<const ScannerSpec*>> FindScanners(const YamlNode& name);
  // By RunName.
  Result<const std::map<std::string, ScannerSpec>*> AllScanners();

  // The name of a function that some fake exports; anything is, where no fakes are built.
  Status CheckFunction(const YamlNode& name);

  // `choice` is the entry fake:, real: or file: of a tree operation.
  Result<LibrarySource> FindReal(const YamlNode& name);
  Result<LibrarySource> FindLibrary(const YamlEntry& choice);
  // `choice` is the entry path:, build:, fake: or real: of a scanner's program.
  Result<ProgramSource> FindProgram(const YamlEntry& choice);

 private:
  Result<std::vector<const ScannerSpec*>> ScannersOfFile(const YamlNode& name);
  std::vector<std::string> DeviceFolders() const;
  std::string DeviceFile(const std::string& profile) const;  // "": there is none
  Result<const GpuDevice*> DeviceByItsWords(const YamlNode& name);

  Catalog catalog_;
  std::map<std::string, Layout> layouts_;
  std::map<std::string, GpuDevice> devices_;
  std::optional<Capabilities> capabilities_;
  std::optional<std::map<std::string, ScannerSpec>> scanners_;
  std::map<std::string, std::vector<ScannerSpec>> own_scanners_;  // by their files
  std::map<std::string, ScannerSpec> absent_;  // by the name with the version that was asked for
  std::optional<std::vector<std::string>> functions_;
  std::optional<std::vector<LibrarySource>> real_parts_;
};

}  // namespace gpustage
