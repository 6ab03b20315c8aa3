// What a scenario can say wrong, each with the whole message.
#pragma once

#include <ostream>
#include <string>

#include "tests/support/scenario_files.h"

namespace gpustage {

// The layouts driver and tools, the device h100 and the scanners dlopen and lister are there.
struct Refused {
  const char* name;
  std::string text;
  const char* message;  // from the line on
};
inline void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

inline std::string NameOf(const testing::TestParamInfo<Refused>& row) { return row.param.name; }

inline const std::string kPlain = "claim: c\nlayout: [driver]\n";  // so what follows begins at 3:1

inline Refused Top(const char* name, const std::string& text, const char* message) {
  return {name, kPlain + text, message};
}

class RefusedScenario : public testing::TestWithParam<Refused> {};

}  // namespace gpustage
