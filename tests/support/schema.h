// JSON held to its schema by fastjsonschema, which harness/dev test fetches.
#pragma once

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/matchers.h"
#include "tests/support/program.h"
#include "tests/support/source_dir.h"

namespace gpustage {

inline std::string InCache(const std::string& name) {
  const char* const cache = std::getenv("GPUSTAGE_CACHE");
  return std::string(cache == nullptr ? "" : cache) + "/real/" + name;
}

// What the schema has against each of the values: "" for one that is valid. nullopt: there is no
// validator here.
inline std::optional<std::vector<std::string>> Complaints(
    const nlohmann::json& schema, const std::vector<nlohmann::json>& values) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string of_schema = scratch.path() + "/schema", of_values = scratch.path() + "/values";
  EXPECT_THAT(WriteFile(of_schema, schema.dump()), IsOk());
  EXPECT_THAT(WriteFile(of_values, nlohmann::json(values).dump()), IsOk());
  const Ran ran =
      Finish(Start({"python3", InSources("/tests/support/check_schema.py"), of_schema, of_values},
                   {{"PYTHONPATH", InCache("python/fastjsonschema/site")}, {"PYTHONUTF8", "1"}},
                   scratch.path()),
             scratch.path());
  if (ran.status == 77) return std::nullopt;
  EXPECT_EQ(ran.status, 0) << ran.err;
  std::vector<std::string> complaints;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) complaints.push_back(line);
  EXPECT_EQ(complaints.size(), values.size());
  return complaints;
}

inline constexpr char kNoValidator[] = "the real part fastjsonschema is not here: harness/dev real";

}  // namespace gpustage
