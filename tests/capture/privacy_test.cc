#include "harness/capture/privacy.h"

#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/capture/secrets.h"

namespace gpustage::capture {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Field {
  std::string name;
  std::function<std::string(Placeholders&, const std::string&)> write;
};

// Every way in which a text of the machine gets into a capture.
std::vector<Field> Fields() {
  return {
      {"file name", [](auto& p, const auto& s) { return p.Name(s); }},
      {"path", [](auto& p, const auto& s) { return p.Path("/opt/" + s + "/lib/libcuda.so.1"); }},
      {"home", [](auto& p, const auto& s) { return p.Path("/home/" + s + "/sdk"); }},
      {"link", [](auto& p, const auto& s) { return p.Path("../" + s); }},
      {"SONAME", [](auto& p, const auto& s) { return p.Name("lib" + s + ".so.1"); }},
      {"version of a SONAME", [](auto& p, const auto& s) { return p.Name("libcuda.so." + s); }},
      {"RUNPATH", [](auto& p, const auto& s) { return p.Paths("$ORIGIN:/srv/" + s + ":"); }},
      {"LD_LIBRARY_PATH", [](auto& p, const auto& s) { return p.Paths(s + ":/usr/lib"); }},
      {"mask", [](auto& p, const auto& s) { return p.Mask("0," + s + ",GPU-" + s); }},
      {"switch", [](auto& p, const auto& s) { return p.Switch(s); }},
      {"manifest", [](auto& p, const auto& s) { return p.Name(s + ".json"); }},
      {"error",
       [](auto& p, const auto& s) { return p.Words("cannot open " + s + ": Permission denied"); }},
  };
}

// A letter is among them: a number alone may be an ordinal or a version, which are kept.
std::string RandomText(std::mt19937& random) {
  static const std::string letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+@%";
  std::string text;
  const size_t length = 6 + random() % 20;
  for (size_t i = 0; i < length; ++i) text += letters[random() % letters.size()];
  return text + letters[random() % 52];
}

TEST(CapturePrivacy, NoRandomTextOfAnyFieldComesThrough) {
  std::mt19937 random(20261129);
  Placeholders placeholders;
  for (int i = 0; i < 2000; ++i) {
    const std::string secret = RandomText(random);
    for (const Field& field : Fields())
      ASSERT_THAT(field.write(placeholders, secret), Not(HasSubstr(secret))) << field.name;
  }
}

TEST(CapturePrivacy, NoPlantedSecretComesThrough) {
  for (const auto& [kind, secret] : kSecrets) {
    Placeholders placeholders;
    for (const Field& field : Fields())
      EXPECT_THAT(field.write(placeholders, secret), Not(HasSubstr(secret)))
          << kind << ", " << field.name;
  }
}

TEST(CapturePrivacy, EqualTextsStayEqualAndOthersDiffer) {
  Placeholders placeholders;
  EXPECT_EQ(placeholders.Path("/home/ann/sdk-x/libcuda.so.1"), "/home/p1/p2/libcuda.so.1");
  EXPECT_EQ(placeholders.Paths("/opt/ann:/srv/ben:$ORIGIN/../lib"),
            "/opt/p1:/srv/p3:$ORIGIN/../lib");
}

TEST(CapturePrivacy, WordsOfGpuSoftwareStay) {
  Placeholders placeholders;
  for (const char* path :
       {"/usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04",
        "/usr/local/cuda-12.8/targets/x86_64-linux/lib/stubs",
        "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", "/opt/rocm-6.2/lib/libamdhip64.so.6",
        "/usr/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12",
        "libggml-cpu-haswell.so", "/usr/lib/wsl/lib/libnvidia-ml.so.1", "libcudnn_ops.so.9"})
    EXPECT_EQ(placeholders.Path(path), path);
  EXPECT_EQ(placeholders.Mask("0,1,-1"), "0,1,-1");
  EXPECT_EQ(placeholders.Mask("NoDevFiles"), "NoDevFiles");
  EXPECT_EQ(placeholders.Switch("PCI_BUS_ID"), "PCI_BUS_ID");
}

TEST(CapturePrivacy, AMaskNamesTheDeviceOfTheScenario) {
  Placeholders placeholders;
  placeholders.KnowDevice("GPU-5b1d2c3e-1a2b-3c4d-5e6f-708192a3b4c5",
                          "GPU-00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(placeholders.Mask("GPU-5b1d2c3e-1a2b-3c4d-5e6f-708192a3b4c5"),
            "GPU-00000000-0000-0000-0000-000000000001");
}

}  // namespace
}  // namespace gpustage::capture
