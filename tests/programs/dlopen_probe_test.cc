#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/programs/install.h"

namespace gpustage {
namespace {

using Json = nlohmann::json;

struct Probe {
  int exit_code;
  Json answer;
};

Probe RunProbe(const std::string& library) {
  const Printed printed = RunWith({}, {PROGRAMS "/dlopen_probe", library});
  return {printed.exit_code, Json::parse(printed.lines.back())};
}

TEST(DlopenProbe, CountsTheDevicesOfABackend) {
  const std::string library = BACKENDS "/two_devices.so";
  const Probe probe = RunProbe(library);
  EXPECT_EQ(probe.exit_code, 0);
  EXPECT_EQ(probe.answer["path"], library);
  EXPECT_EQ(probe.answer["api"], "ggml_backend_init");
  EXPECT_EQ(probe.answer["count"], 2);
  EXPECT_EQ(
      probe.answer["devices"],
      Json::parse(R"([{"name":"NVIDIA GeForce RTX 4070"},{"name":"NVIDIA GeForce RTX 4070"}])"));
}

TEST(DlopenProbe, SaysYesWhereAScannerRejectsTheVersion) {
  EXPECT_EQ(RunProbe(BACKENDS "/api_1.so").answer["count"], 1);
}

TEST(DlopenProbe, GivesTheLoadersWords) {
  const Probe missing = RunProbe("libgpustage-nowhere.so");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_TRUE(missing.answer["path"].is_null());
  EXPECT_EQ(missing.answer["error"],
            "libgpustage-nowhere.so: cannot open shared object file: No such file or directory");
}

TEST(DlopenProbe, NamesNoApiForALibraryWithoutDevices) {
  const Probe probe = RunProbe("libm.so.6");
  EXPECT_EQ(probe.exit_code, 0);
  EXPECT_TRUE(probe.answer["api"].is_null());
  EXPECT_EQ(probe.answer["devices"], Json::array());
}

TEST(DlopenProbe, SaysWhenABackendRefuses) {
  EXPECT_EQ(RunProbe(BACKENDS "/null_init.so").answer["error"], "ggml_backend_init returned NULL");
}

}  // namespace
}  // namespace gpustage
