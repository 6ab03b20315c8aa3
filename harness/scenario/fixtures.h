// The named things of a catalog, read from their files when they are first asked for, and kept.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/scenario/readers.h"

namespace gpustage {

class Fixtures {
 public:
  explicit Fixtures(const Catalog& catalog) : catalog_(catalog) {}

  const Catalog& catalog() const { return catalog_; }

  // Pointers stay valid as long as this does.
  Result<const Layout*> FindLayout(const YamlNode& name);
  Result<const GpuDevice*> FindDevice(const YamlNode& name);
  Result<const ScannerSpec*> FindScanner(const YamlNode& name);
  // By name; a file the user gave stands for the one of that name in the folder.
  Result<const std::map<std::string, ScannerSpec>*> AllScanners();

 private:
  const Catalog& catalog_;
  std::map<std::string, Layout> layouts_;
  std::map<std::string, GpuDevice> devices_;
  std::map<std::string, ScannerSpec> scanners_;
  bool scanners_are_read_ = false;
};

}  // namespace gpustage
