// Words that scenarios use for what others have named: functions, codes, devices, users, paths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/scenario/catalog/device_words.h"
#include "harness/scenario/catalog/functions.h"
#include "tests/support/scenario_files.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class Words : public testing::Test {
 protected:
  Words() { files_.catalog().fakes = FAKES; }
  // What is said of a scenario with this text, from the line on; "" when it is accepted.
  std::string Said(const std::string& text) {
    const auto cases = files_.Load("claim: c\nlayout: [driver]\n" + text);
    if (cases) return "";
    const Error& error = cases.error();
    return error.pos ? std::to_string(error.pos->line) + ":" + std::to_string(error.pos->column) +
                           ": " + error.message
                     : error.message;
  }
  ScenarioFiles files_;
};

TEST_F(Words, OfFunctionsAreThoseThatAFakeExports) {
  const std::vector<std::string> names = FunctionsIn(FAKES);
  for (const char* name : {"cuInit", "cuDeviceGetUuid_v2", "nvmlDeviceGetHandleByIndex_v2",
                           "cudaGetDeviceCount", "cublasCreate_v2", "ggml_backend_init"})
    EXPECT_THAT(names, Contains(name));
  EXPECT_THAT(names, Not(Contains("malloc"))) << "what they need is not what they have";
  EXPECT_THAT(FunctionsIn(files_.Path("fakes")), IsEmpty());
}

TEST_F(Words, OfAFaultMustMeetACall) {
  const auto fault = [&](const std::string& text) {
    return Said("machine: {devices: [h100], faults: [{" + text + "}]}\n");
  };
  EXPECT_EQ(fault("function: cuInit, return: 100"), "");
  EXPECT_EQ(fault("function: cuInt, return: 100"),
            "3:48: unknown function \"cuInt\"; did you mean \"cuInit\"?");
  EXPECT_EQ(fault("function: vkCreateSomethingOfNobody, return: 100"),
            "3:48: unknown function \"vkCreateSomethingOfNobody\": none of our libraries has it");
  EXPECT_EQ(fault("function: cuInit, device: 0, return: 100"),
            "3:64: cuInit is about no device, so this fault meets no call");
  EXPECT_EQ(fault("function: cuDeviceGet, device: 1, return: 100"),
            "3:69: this machine has 1 devices, counted from 0, so this fault meets no call");
  EXPECT_EQ(fault("device: 0, lost: true"), "");
}

TEST_F(Words, OfACallMustBeOfAFunction) {
  const std::string run = "runs: [{scanner: dlopen}]\nexpect: [{calls: ";
  EXPECT_EQ(Said(run + "{function: cuInit, count: 0}}]\n"), "");
  EXPECT_EQ(Said(run + "{function: cuInt, count: 0}}]\n"),
            "4:29: unknown function \"cuInt\"; did you mean \"cuInit\"?");
  EXPECT_EQ(Said(run + "[{function: cuInit}, {function: nvmlInnit_v2}]}]\n"),
            "4:50: unknown function \"nvmlInnit_v2\"; did you mean \"nvmlInit_v2\"?");
}

TEST_F(Words, OfCodesAreTheirNames) {
  const auto code = [&](const std::string& text) {
    const auto cases = files_.Load(
        "claim: c\nlayout: [driver]\nmachine: {devices: [h100], faults: [{function: cuInit, "
        "return: " +
        text + "}]}\n");
    return cases ? cases->front().machine.faults.front().code : -1;
  };
  EXPECT_EQ(code("CUDA_ERROR_NO_DEVICE"), 100);
  EXPECT_EQ(code("cudaErrorInsufficientDriver"), 35);
  EXPECT_EQ(code("NVML_ERROR_LIB_RM_VERSION_MISMATCH"), 18);
  EXPECT_EQ(code("CUBLAS_STATUS_ALLOC_FAILED"), 3);
  EXPECT_EQ(code("999"), 999);
  EXPECT_EQ(Said("machine: {faults: [{function: cuInit, return: CUDA_ERROR_NO_DEVISE}]}\n"),
            "3:47: expected the code to return, a number or a name such as CUDA_ERROR_NO_DEVICE, "
            "got \"CUDA_ERROR_NO_DEVISE\"; did you mean \"CUDA_ERROR_NO_DEVICE\"?");
}

TEST_F(Words, OfCodesAreThoseOfTheFakes) {
  const auto number = [](const char* name) {
    YamlNode node;
    node.text = name;
    const auto read = ReadCode(node, "a code");
    return read ? *read : -1;
  };
#define ERROR(code, name, text) EXPECT_EQ(number(#name), code);
#include "fakes/cuda_driver/errors.inc"
#include "fakes/cuda_runtime/errors.inc"
#undef ERROR
#define STATUS(code, name, text) EXPECT_EQ(number(#name), code);
#include "fakes/cublas/statuses.inc"
#undef STATUS
}

TEST(MeantDevices, AreFoundAsPeopleWriteThem) {
  const std::vector<DeviceName> known = {{"a100-40gb", "NVIDIA A100-SXM4-40GB"},
                                         {"a100-80gb", "NVIDIA A100-SXM4-80GB"},
                                         {"a100-1g.10gb", "NVIDIA A100-SXM4-80GB MIG 1g.10gb"},
                                         {"rtx-3090", "NVIDIA GeForce RTX 3090"},
                                         {"rtx-2080", "GeForce RTX 2080"},
                                         {"rtx-2080-ti", "NVIDIA GeForce RTX 2080 Ti"},
                                         {"t4", "Tesla T4"}};
  for (const char* written : {"RTX 3090", "3090", "rtx_3090", "NVIDIA GeForce RTX 3090", "RTX3090"})
    EXPECT_THAT(MeantDevices(written, known), ElementsAre("rtx-3090")) << written;
  EXPECT_THAT(MeantDevices("T4", known), ElementsAre("t4"));
  EXPECT_THAT(MeantDevices("Tesla T4", known), ElementsAre("t4"));
  EXPECT_THAT(MeantDevices("RTX 2080", known), ElementsAre("rtx-2080")) << "and not the Ti";
  EXPECT_THAT(MeantDevices("2080 ti", known), ElementsAre("rtx-2080-ti"));
  EXPECT_THAT(MeantDevices("A100 40GB", known), ElementsAre("a100-40gb"));
  EXPECT_THAT(MeantDevices("A100", known), UnorderedElementsAre("a100-40gb", "a100-80gb"));
  EXPECT_THAT(MeantDevices("A100 1g.10gb", known), ElementsAre("a100-1g.10gb"));
  EXPECT_THAT(MeantDevices("2080Ti", known), ElementsAre("rtx-2080-ti"));
  EXPECT_EQ(NearestDevice("RTX 3900", known), "rtx-3090");
  EXPECT_EQ(NearestDevice("GeForce RTX 3090 Ti", known), "rtx-3090");
  EXPECT_EQ(NearestDevice("3090Ti", known), "rtx-3090");
  EXPECT_EQ(NearestDevice("radeon", known), "");
  EXPECT_THAT(MeantDevices("GeForce", known), IsEmpty());
  EXPECT_THAT(MeantDevices("", known), IsEmpty());
}

TEST_F(Words, OfDevicesAreThoseOfTheDriver) {
  EXPECT_EQ(Said("machine: {devices: [NVIDIA H100]}\n"), "");
  EXPECT_EQ(Said("machine: {devices: [H100]}\n"), "");
  files_.Write("devices/h100-pcie.yaml",
               "device: h100-pcie\nname: NVIDIA H100 PCIe\ncompute_capability: 9.0\n"
               "memory_total: 80 GiB\nsource: test\n");
  files_.Write("devices/h100-nvl.yaml",
               "device: h100-nvl\nname: NVIDIA H100 NVL\ncompute_capability: 9.0\n"
               "memory_total: 94 GiB\nsource: test\n");
  EXPECT_EQ(Said("machine: {devices: [{profile: h100 pcie}]}\n"), "");
  EXPECT_EQ(Said("machine: {devices: [h1000]}\n"),
            "3:21: unknown device \"h1000\"; did you mean \"h100\"?");
}

TEST_F(Words, OfUsersAndGroupsAreThoseOfTheTree) {
  EXPECT_EQ(Said("user: olama\n"), "3:7: unknown user \"olama\"; did you mean \"ollama\"?");
  EXPECT_EQ(Said("user: daemon\n"),
            "3:7: unknown user \"daemon\"; it can be root, ollama, user, nobody or a number to "
            "65534");
  EXPECT_EQ(Said("user: \"4294967295\"\n").substr(0, 32), "3:7: unknown user \"4294967295\"; ");
  EXPECT_EQ(Said("user: 1234\ngroups: [video, 104]\n"), "");
  EXPECT_EQ(Said("groups: rendre\n"), "3:9: unknown group \"rendre\"; did you mean \"render\"?");
  EXPECT_EQ(Said("runs: [{scanner: dlopen, user: noboddy}]\n"),
            "3:32: unknown user \"noboddy\"; did you mean \"nobody\"?");
}

TEST_F(Words, OfPathsAreThoseThatSomethingMade) {
  const auto tree = [&](const std::string& ops) { return Said("tree: [" + ops + "]\n"); };
  EXPECT_EQ(tree("{remove: /opt/tools}"), "") << "nothing near: staging says whether it is there";
  EXPECT_EQ(tree("{remove: /usr/lib/libcuda.so.l}"),
            "3:17: nothing made \"/usr/lib/libcuda.so.l\"; did you mean "
            "\"/usr/lib/libcuda.so.1\"?");
  EXPECT_EQ(tree("{remove: /lib/libcuda.so.l}"),
            "3:17: nothing made \"/lib/libcuda.so.l\"; did you mean \"/usr/lib/libcuda.so.1\"?")
      << "/lib is a link";
  EXPECT_EQ(tree("{remove: /usr/lib/libcuda.so.1}, {file: /usr/lib/libcuda.so.l, content: x}, "
                 "{chmod: /usr/lib/libcuda.so.l, mode: \"0600\"}"),
            "");
  EXPECT_EQ(tree("{dir: /opt/models/cuda}, {chmod: /opt/modles, mode: \"0700\"}"),
            "3:41: nothing made \"/opt/modles\"; did you mean \"/opt/models\"?");
  EXPECT_EQ(tree("{dir: /srv/a/b}, {symlink: /opt/link, to: ../srv/a}, {remove: /opt/link/b}"), "");
  EXPECT_EQ(tree("{file: /srv/one, content: x}, {hard_link: /srv/two, to: /srv/onne}"),
            "3:50: nothing made \"/srv/onne\"; did you mean \"/srv/one\"?");
  EXPECT_EQ(tree("{chmod: /dev/nvidia0, mode: \"0600\"}, {remove: /dev/nvidia-umv}"),
            "3:54: nothing made \"/dev/nvidia-umv\"; did you mean \"/dev/nvidia-uvm\"?");
}

TEST_F(Words, OfScannersMayBeAFileOfOnesOwn) {
  mkdir(files_.Path("scenarios/mine").c_str(), 0755);
  files_.Write("scenarios/mine/own.yaml",
               "scanner: own\nabout: a\nprogram: {path: /bin/sh}\nargv: [a]\n");
  EXPECT_EQ(Said("runs: [{scanner: mine/own.yaml}, {scanner: dlopen}]\n"), "");
  EXPECT_EQ(Said("runs: [{scanner: ./own.yaml}]\n"), "3:18: there is no file scenarios/own.yaml");
  EXPECT_EQ(Said("runs: [{scanner: my-probe}]\n"),
            "3:18: unknown scanner \"my-probe\"; it can be dlopen or lister; one of your own is "
            "given by its file: scanner: ./NAME.yaml, or --scanner FILE");
}

TEST_F(Words, OfAScannerSayWhatItsProgramLacks) {
  files_.Write("scanners/torch.yaml",
               "scanner: torch\nabout: a\nprogram: {path: /bin/sh}\nargv: [a]\n"
               "host_directories: [/opt/nowhere/torch]\n");
  const auto cases = files_.Load("claim: c\nruns: [{scanner: torch}]\n");
  ASSERT_TRUE(cases.ok());
  EXPECT_THAT(cases->front().runs.front().scanner.missing,
              AllOf(HasSubstr("/opt/nowhere/torch"), HasSubstr("scanners/torch.yaml")));
}

TEST_F(Words, OfARunSayWhereItStarts) {
  const std::string text =
      "matrix: {a: {set: env.A, to: [x, y]}, b: {set: env.B, to: [p, q]}}\n"
      "runs: [{name: one, scanner: dlopen, when: {a: x}}, {name: two, scanner: dlopen, when: {a: "
      "y, b: [p, q]}, time_limit: 2, groups: video, meanwhile: [{after_ms: 20, dir: /b}, "
      "{after_ms: 10, dir: /a}]}]\n";
  const auto cases =
      files_.Load("claim: c\nlayout: [driver]\n" + text + "expect: [{devices: 1}]\n");
  ASSERT_TRUE(cases.ok()) << cases.error().message;
  ASSERT_THAT(*cases, SizeIs(4));
  for (const Case& c : *cases) {
    ASSERT_THAT(c.runs, SizeIs(1));
    EXPECT_EQ(c.runs[0].name, c.axes.at("a") == "x" ? "one" : "two");
  }
  const RunSpec& two = (*cases)[2].runs[0];
  EXPECT_EQ(two.scanner.time_limit, std::chrono::seconds(2));
  EXPECT_THAT(*two.groups, ElementsAre("video"));
  ASSERT_THAT(two.meanwhile, SizeIs(2));
  EXPECT_EQ(ToString(two.meanwhile[0].op), "dir /a") << "by their times";
  files_.Write("scanners/placed.yaml",
               "scanner: placed\nabout: it says a number\nprogram: {build: dlopen}\n"
               "at: /usr/local/bin/placed\nargv: [/usr/local/bin/placed, serve]\nfits: driver\n");
  EXPECT_EQ(Said("runs: [{scanner: dlopen, at: /opt/probe}]\n"),
            "3:30: dlopen stands where it is on this machine, and not at /opt/probe");
  const auto elsewhere = files_.Load(
      "claim: c\nlayout: [driver]\nruns: [{scanner: placed, at: /opt/probe}]\nexpect: [{devices: "
      "1}]\n");
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.error().message;
  EXPECT_EQ(elsewhere->front().runs[0].scanner.at, "/opt/probe");
  EXPECT_THAT(elsewhere->front().runs[0].scanner.argv, ElementsAre("/opt/probe", "serve"));
  EXPECT_EQ(Said("matrix: {a: {set: env.A, to: [x, y]}}\n"
                 "runs: [{scanner: dlopen, when: {a: x}}]\n"),
            "4:7: no run starts in a=y");
  EXPECT_EQ(Said("matrix: {a: {set: env.A, to: [x]}}\nruns: [{scanner: dlopen, when: {b: x}}]\n"),
            "4:33: unknown axis \"b\"; did you mean \"a\"?");
}

}  // namespace
}  // namespace gpustage
