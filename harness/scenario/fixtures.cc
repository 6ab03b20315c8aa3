#include "harness/scenario/fixtures.h"

#include <fmt/format.h>

#include "harness/scenario/fields.h"

namespace gpustage {

Result<const Layout*> Fixtures::FindLayout(const YamlNode& name) {
  if (const auto known = layouts_.find(name.text); known != layouts_.end()) return &known->second;
  TRY(const std::string file, FixtureFile(catalog_.layouts, name, "layout"));
  TRY(Layout layout, ReadLayoutFile(file, catalog_));
  return &layouts_.emplace(name.text, std::move(layout)).first->second;
}

Result<const GpuDevice*> Fixtures::FindDevice(const YamlNode& name) {
  if (const auto known = devices_.find(name.text); known != devices_.end()) return &known->second;
  TRY(const std::string file, FixtureFile(catalog_.devices, name, "device"));
  TRY(GpuDevice device, ReadDeviceFile(file));
  return &devices_.emplace(name.text, std::move(device)).first->second;
}

Result<const ScannerSpec*> Fixtures::FindScanner(const YamlNode& name) {
  TRY(const auto* scanners, AllScanners());
  if (const auto known = scanners->find(name.text); name.IsText() && known != scanners->end())
    return &known->second;
  std::vector<std::string> names;
  for (const auto& [known, spec] : *scanners) names.push_back(known);
  return UnknownWord(name, "scanner", names);
}

Result<const std::map<std::string, ScannerSpec>*> Fixtures::AllScanners() {
  if (scanners_are_read_) return &scanners_;
  for (const std::string& name : NamesIn(catalog_.scanners, ".yaml")) {
    TRY(ScannerSpec spec,
        ReadScannerFile(fmt::format("{}/{}.yaml", catalog_.scanners, name), catalog_));
    scanners_.insert_or_assign(spec.name, std::move(spec));
  }
  for (const std::string& file : catalog_.scanner_files) {
    TRY(ScannerSpec spec, ReadScannerFile(file, catalog_));
    scanners_.insert_or_assign(spec.name, std::move(spec));
  }
  scanners_are_read_ = true;
  return &scanners_;
}

}  // namespace gpustage
