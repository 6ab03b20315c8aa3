// Layouts, devices and scanners: the error points into their file.
#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

struct RefusedFixture {
  const char* name;
  const char* file;
  std::string text;
  const char* message;
};
void PrintTo(const RefusedFixture& refused, std::ostream* out) { *out << refused.name; }

class RefusedFile : public testing::TestWithParam<RefusedFixture> {};

TEST_P(RefusedFile, IsNamedInTheError) {
  ScenarioFiles files;
  files.Write("capabilities.yaml", "rules: []\n");
  files.catalog().capabilities = files.Path("capabilities.yaml");
  files.Write(GetParam().file, GetParam().text);
  EXPECT_THAT(files.Load("claim: c\nlayout: [driver]\nmachine: {devices: [h100]}\n"),
              FailsWith(std::string(GetParam().file) + ":" + GetParam().message));
}

RefusedFixture Scanner(const char* name, const std::string& lines, const char* message) {
  return {name, "scanners/dlopen.yaml",
          "scanner: dlopen\nabout: a\nprogram: {path: /bin/sh}\nargv: [a]\n" + lines, message};
}

RefusedFixture Given(const char* name, const std::string& lines, const char* message) {
  return {name, "scanners/dlopen.yaml",
          "scanner: dlopen\nabout: a\nprogram: {given: ollama}\nargv: [a]\n" + lines, message};
}

RefusedFixture Device(const char* name, const std::string& line, const char* message) {
  return {
      name, "devices/h100.yaml",
      "device: h100\nname: NVIDIA H100 MIG 1g.10gb\ncompute_capability: 9.0\nmemory_total: 1 GiB\n"
      "source: {figures: f}\n" +
          line + "\n",
      message};
}

RefusedFixture Table(const char* name, const std::string& text, const char* message) {
  return {name, "capabilities.yaml", text, message};
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedFile,
    testing::Values(
        RefusedFixture{"LayoutOfAnotherName", "layouts/driver.yaml", "layout: divers\nabout: a\n",
                       "1:9: expected layout: driver, the name of the file, got \"divers\""},
        RefusedFixture{"LayoutWithoutAbout", "layouts/driver.yaml", "layout: driver\n",
                       "1:1: a layout needs \"about\""},
        RefusedFixture{"LayoutWithAnUnknownFake", "layouts/driver.yaml",
                       "layout: driver\nabout: a\ntree: [{library: /a, fake: cuda-divers}]\n",
                       "3:28: unknown fake \"cuda-divers\"; did you mean \"cuda-driver\"?"},
        RefusedFixture{"DeviceWithoutSource", "devices/h100.yaml",
                       "device: h100\nname: n\ncompute_capability: 9.0\nmemory_total: 1 GiB\n",
                       "1:1: a device file needs \"source\""},
        RefusedFixture{
            "DeviceOfAnotherName", "devices/h100.yaml",
            "device: h200\nname: n\ncompute_capability: 9.0\nmemory_total: 1 GiB\nsource: s\n",
            "1:9: expected device: h100, the name of the file, got \"h200\""},
        Device("DeviceWithAnOddPciId", "pci_id: \"10de-2330\"",
               "6:9: expected a PCI id such as \"10de:2330\", or none, got \"10de-2330\""),
        Device(
            "DeviceThatAssumesItsName", "assumed: [name]",
            "6:11: unknown fact that may be assumed \"name\"; it can be memory_total or sm_count"),
        Device("SliceOfNothing", "mig: {profile: 1g.10gb}", "6:6: a MIG slice needs \"parent\""),
        Device("SliceOfAnotherName", "mig: {parent: h100, profile: 3g.40gb}",
               "6:30: the driver calls it \"... MIG 3g.40gb\", not \"NVIDIA H100 MIG 1g.10gb\""),
        Table("TableWithoutRules", "assumed: {attributes: {1: 1}}\n",
              "1:1: a table of compute capabilities needs \"rules\""),
        Table("RuleForNoCapability", "rules: [{source: s, attributes: {1: 1}}]\n",
              "1:9: a rule needs \"from\" or \"for\""),
        Table("RuleWithoutSource", "rules: [{for: 9.0, attributes: {1: 1}}]\n",
              "1:9: a rule needs \"source\""),
        Table("RuleForAnAttributeThatIsNone",
              "rules: [{for: 9.0, source: s, attributes: {500: 1}}]\n",
              "1:44: expected a CUdevice_attribute, a whole number from 0 to 191, got \"500\""),
        RefusedFixture{"ScannerOfAnotherName", "scanners/dlopen.yaml", "scanner: x\n",
                       "1:10: expected scanner: dlopen, the name of the file, got \"x\""},
        RefusedFixture{"ScannerWithoutProgram", "scanners/dlopen.yaml",
                       "scanner: dlopen\nabout: a\n", "1:1: a scanner needs \"program\""},
        RefusedFixture{
            "ScannerWithTwoPrograms", "scanners/dlopen.yaml",
            "scanner: dlopen\nabout: a\nprogram: {path: /a, build: b}\n",
            "3:21: a program has \"path\" already; only one of \"path\", \"python\", \"build\", "
            "\"fake\", \"real\" or \"given\" can be there"},
        RefusedFixture{"ScannerWithoutArgv", "scanners/dlopen.yaml",
                       "scanner: dlopen\nabout: a\nprogram: {path: /bin/sh}\n",
                       "1:1: a scanner needs \"argv\""},
        RefusedFixture{"ScannerWithAnEmptyArgv", "scanners/dlopen.yaml",
                       "scanner: dlopen\nabout: a\nprogram: {path: /bin/sh}\nargv: []\n",
                       "4:7: argv needs at least the name of the program"},
        Scanner("ScannerBringsAList", "brings: [a]\n",
                "5:9: expected a map of places and programs, got a list"),
        Scanner("ScannerOfNoRelease", "release: {cuda: lib.so}\n",
                "5:10: only a program that is given brings a release with it"),
        Given("ScannerReleaseIsText", "release: x\n",
              "5:10: expected a map of fakes and files, got \"x\""),
        Given("ScannerReleaseOfAnUnknownFake", "release: {ggml-cuda: {fake: cuda-divers}}\n",
              "5:29: unknown fake \"cuda-divers\"; did you mean \"cuda-driver\"?"),
        Scanner("ScannerOfVersionsThatIsNotGiven", "versions: {from: 1}\n",
                "5:11: only a program that is given has versions"),
        Given("ScannerOfNoVersions", "versions: {}\n", "5:11: expected from or below"),
        Given("ScannerOfAnOddVersion", "versions: {below: v0.30}\n",
              "5:19: expected a version such as 0.30, got \"v0.30\""),
        Scanner("ScannerPackagesIsText", "python_packages: ggml-cuda-12\n",
                "5:18: expected python_packages, a list, got \"ggml-cuda-12\""),
        Scanner("ScannerUnknownPackage", "python_packages: [ggml-cuda-21]\n",
                "5:19: unknown real part \"ggml-cuda-21\"; did you mean \"ggml-cuda-12\"?"),
        Scanner("ScannerUnsetsAVariable", "env: {A: {unset: true}}\n",
                "5:7: a scanner starts from nothing, so there is nothing to unset"),
        Scanner("ScannerIsDoneOddly", "done: stop\n",
                "5:7: expected exit or {line: RE2}, got \"stop\""),
        Scanner("ScannerDoneExpression", "done: {line: \"[\"}\n",
                "5:14: line is no RE2 expression: missing ]: ["),
        Scanner("ScannerReadsOddly", "devices: {read: xml}\n",
                "5:17: unknown reader \"xml\"; it can be json, lines, count or none"),
        Scanner("ScannerLinesWithoutMatch", "devices: {read: lines}\n",
                "5:10: read: lines needs \"match\""),
        Scanner("ScannerJsonWithMatch", "devices: {read: json, match: a}\n",
                "5:30: read: json takes no \"match\""),
        Scanner("ScannerUnknownGroup", "devices: {read: lines, match: \"(?P<uid>x)\"}\n",
                "5:31: unknown group \"uid\" in match; did you mean \"uuid\"?"),
        Scanner("ScannerCountWithoutGroup", "devices: {read: count, match: \"[0-9]+\"}\n",
                "5:31: read: count needs a group (?P<count>…) in \"match\""),
        Scanner("ScannerUnknownStream", "log: {stream: stder}\n",
                "5:15: unknown stream \"stder\"; did you mean \"stderr\"?"),
        Scanner("ScannerUnknownFormat", "log: {format: slgo}\n",
                "5:15: unknown format \"slgo\"; did you mean \"slog\"?"),
        Scanner("ScannerUnknownNetwork", "network: internet\n",
                "5:10: unknown network \"internet\"; it can be none or loopback"),
        Scanner("ScannerTimeLimit", "time_limit: 1m\n",
                "5:13: expected seconds from 0.001 to 86400, got \"1m\""),
        Scanner("ScannerMemoryLimit", "memory_limit: 8\n",
                "5:15: expected memory_limit in MiB, a whole number from 16 to 1048576, got \"8\""),
        Scanner("ScannerOutputLimit", "output_limit: 0\n",
                "5:15: expected output_limit in MiB, a whole number from 1 to 4096, got \"0\"")),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace gpustage
