#include "harness/capture/privacy.h"

#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

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

// 60 of 40 kinds, in every field.
TEST(CapturePrivacy, NoPlantedSecretComesThrough) {
  const std::vector<std::string> secrets = {"GPU-5b1d2c3e-1a2b-3c4d-5e6f-708192a3b4c5",
                                            "MIG-5b1d2c3e-1a2b-3c4d-5e6f-708192a3b4c5",
                                            "5b1d2c3e-1a2b-3c4d-5e6f-708192a3b4c5",
                                            "1654922008365",
                                            "0424420017843",
                                            "PK7290MF01",
                                            "00:1b:21:3c:9d:f8",
                                            "00-1b-21-3c-9d-f8",
                                            "192.168.178.44",
                                            "10.0.37.5",
                                            "172.16.254.1",
                                            "2001:db8:85a3::8a2e:370:7334",
                                            "fe80::21b:21ff:fe3c:9df8",
                                            "anna.schmidt",
                                            "j.doe42",
                                            "mkowalski",
                                            "ml-node-07",
                                            "gpu01.cluster.example.org",
                                            "ip-10-0-37-5",
                                            "DESKTOP-7Q2K9LM",
                                            "annas-macbook",
                                            "anna@example.org",
                                            "+4915123456789",
                                            "hf_AbCdEfGhIjKlMnOpQrStUvWx",
                                            "sk-proj-9aZ8yX7wV6uT5sR4",
                                            "ghp_0123456789abcdefABCDEF",
                                            "glpat-xYz123AbC456dEf789",
                                            "AKIAIOSFODNN7EXAMPLE",
                                            "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
                                            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
                                            "xoxb-123456789012-abcdef",
                                            "npm_aBcDeF123456",
                                            "pypi-AgEIcHlwaS5vcmc",
                                            "dckr_pat_AbC123",
                                            "https://anna:geheim@registry.example.org",
                                            "ftp://user:pass@10.1.2.3",
                                            "ssh-ed25519",
                                            "AAAAC3NzaC1lZDI1NTE5AAAAIJ",
                                            "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGD",
                                            "-----BEGIN",
                                            "hunter2pass",
                                            "Winter2026!",
                                            "projekt-geheim",
                                            "acme-corp",
                                            "customer_4711",
                                            "patient-data",
                                            "/mnt/nas-schmidt",
                                            "s3cr3t-bucket",
                                            "C:\\Users\\Anna",
                                            "DE89370400440532013000",
                                            "4111111111111111",
                                            "078-05-1120",
                                            "52.520008",
                                            "i-0abcd1234efgh5678",
                                            "arn:aws:iam::123456789012",
                                            "prod-eu-west-1a-db3",
                                            "vpn.intern.example",
                                            "wlan-passwort",
                                            "b7f3e1c2d4a596",
                                            "nobodyhome77"};
  for (const std::string& secret : secrets) {
    Placeholders placeholders;
    for (const Field& field : Fields())
      EXPECT_THAT(field.write(placeholders, secret), Not(HasSubstr(secret))) << field.name;
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
