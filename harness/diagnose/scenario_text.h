// A case as the text of a scenario file that reads as it again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/model/case.h"

namespace gpustage {

// What mends the case, and how many devices there are then.
struct WrittenFix {
  std::vector<TreeOp> tree;
  std::vector<EnvVar> env;
  std::optional<std::string> user;
  std::optional<std::vector<std::string>> groups;
  std::optional<MachineChange> machine;
  int64_t devices = 0;
};

struct WrittenScenario {
  std::vector<std::string> comments;
  std::string claim;
  Case c;  // its first run is written; no layout
  std::optional<int64_t> devices;
  std::optional<std::string> lost_library;  // its last name
  std::string lost_at;
  std::optional<WrittenFix> fix;
};

// `known`: the devices of the catalog, by any name; what a device has from its profile is left out.
std::string ScenarioText(const WrittenScenario& scenario, const std::vector<GpuDevice>& known);

}  // namespace gpustage
