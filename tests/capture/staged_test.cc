// gpustage-capture in staged machines: what it writes is a scenario that shows the same.
#include <sys/stat.h>

#include <algorithm>

#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

class CaptureStaged : public StagedCliTest {
 protected:
  // What capture writes inside this case.
  std::string Capture(const std::string& scenario, std::vector<std::string> options = {}) const {
    std::vector<std::string> words = {"exec", scenario, "--", GPUSTAGE_CAPTURE};
    words.insert(words.end(), options.begin(), options.end());
    const Ran ran = Run(words);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  }
  Ran RunText(const std::string& name, const std::string& text) const {
    Write(name, text);
    return Run({"run", Path(name)});
  }
  std::string Machine(const std::string& more) const {
    Write("machine.yaml",
          "claim: a machine\nmachine: {devices: [rtx-4090]}\nlayout: [nvidia-driver-debian, "
          "ollama-cuda-12]\n" +
              more + "runs: [{scanner: dlopen, args: [libcuda.so.1]}]\nexpect: [{devices: 1}]\n");
    return Path("machine.yaml");
  }
};

TEST_F(CaptureStaged, AHealthyMachineIsReplayed) {
  const std::string text = Capture("first-steps/healthy@gpus=1,stack=ollama-12");
  EXPECT_THAT(text, HasSubstr("the driver counts 1"));
  const Ran ran = RunText("healthy.yaml", text);
  EXPECT_EQ(ran.status, 0) << ran.out << text;
  EXPECT_THAT(ran.out, HasSubstr("3 passed"));
}

// capture -> stage -> capture: the second text is the first, but for what it says that no scenario
// can stage.
struct Same {
  std::string name, machine;
};
void PrintTo(const Same& same, std::ostream* out) { *out << same.name; }
class CaptureTwice : public CaptureStaged, public testing::WithParamInterface<Same> {};
TEST_P(CaptureTwice, IsTheSame) {
  const auto staged = [](const std::string& text) {
    return text.substr(0, text.find("# Read there, and not staged:"));
  };
  Write("machine.yaml", "claim: a machine\n" + GetParam().machine);
  const std::string first = Capture(Path("machine.yaml"));
  Write("first.yaml", first);
  EXPECT_EQ(staged(Capture(Path("first.yaml"))), staged(first));
  EXPECT_LT(first.size(), 200000u) << "the bound of a capture";
  const Ran ran = Run({"run", Path("first.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.out << first;
}

constexpr char kOllama[] =
    "machine: {devices: [rtx-4090]}\nlayout: [nvidia-driver-debian, ollama-cuda-12]\nruns: "
    "[{scanner: dlopen, args: [libcuda.so.1]}]\nexpect: [{devices: 1}]\n";
constexpr char kAmd[] =
    "machine: {devices: [rx-7900-xtx, mi210]}\nlayout: [rocm-6]\nruns: [{scanner: dlopen, args: "
    "[libamdhip64.so.6]}]\nexpect: [{devices: 2}]\n";
std::string Tree(const char* machine, const std::string& tree) {
  return std::string(machine) + "tree: [" + tree + "]\n";
}
std::string Broken12(const std::string& library, const std::string& fake, const std::string& how) {
  return Tree(kOllama, "{library: /usr/local/lib/ollama/cuda_v12/" + library + ", fake: " + fake +
                           ", broken: {" + how + "}}");
}

INSTANTIATE_TEST_SUITE_P(
    Machines, CaptureTwice,
    testing::Values(
        Same{"Healthy", kOllama},
        Same{"ClosedDirectory",
             Tree(kOllama, "{chmod: /usr/local/lib/ollama/cuda_v12, mode: \"0711\"}")},
        Same{"EightGpus",
             "machine: {devices: [h100-80gb, h100-80gb, h100-80gb, h100-80gb, "
             "h100-80gb, h100-80gb, h100-80gb, h100-80gb]}\nlayout: "
             "[nvidia-driver-ubuntu, ollama-cuda-12, ollama-cuda-13]\nruns: "
             "[{scanner: dlopen, args: [libcuda.so.1]}]\nexpect: [{devices: 8}]\n"},
        Same{"MissingFunction",
             Broken12("libcudart.so.12.8.90", "cudart-12", "symbol_absent: [cudaMalloc]")},
        Same{"OtherVersionNode",
             Broken12("libcublas.so.12.8.4.1", "cublas-12", "version_node: CUBLAS_12.0")},
        Same{"NoVersions", Broken12("libcudart.so.12.8.90", "cudart-12", "version_table: none")},
        Same{"NewerGlibc",
             Broken12("libcublas.so.12.8.4.1", "cublas-12", "needs_version: GLIBC_2.99")},
        Same{"UnmetNeed",
             Broken12("libcublasLt.so.12.8.4.1", "cublaslt-12", "needs: libnvrtc.so.12")},
        Same{"Runpath",
             Broken12("libggml-cuda.so", "ggml-cuda-ollama-12", "runpath: /opt/cuda/lib64")},
        Same{"Amd", kAmd},
        Same{"AmdWithAClosedNode",
             Tree(kAmd, "{chmod: /dev/kfd, mode: \"0600\"}") + "user: user\n"},
        Same{"AmdWithoutKernels",
             Tree(kAmd, "{remove: /opt/rocm/lib/rocblas/library/TensileLibrary_lazy_gfx90a.dat}")},
        Same{"Vulkan",
             "machine: {devices: [l4]}\nlayout: [nvidia-driver-debian, nvidia-vulkan, "
             "x11, mesa-vulkan]\nruns: [{scanner: dlopen, args: "
             "[libcuda.so.1]}]\nexpect: [{devices: 1}]\n"}),
    [](const auto& same) { return same.param.name; });

struct Broken {
  std::string name, more, has;
};
void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }
class CaptureBroken : public CaptureStaged, public testing::WithParamInterface<Broken> {};

// The symptom, and the fact that causes it, are in what is written.
TEST_P(CaptureBroken, ShowsTheSameSymptom) {
  const std::string text = Capture(Machine(GetParam().more));
  EXPECT_THAT(text, HasSubstr(GetParam().has));
  const Ran ran = RunText("again.yaml", text);
  EXPECT_EQ(ran.status, 0) << ran.out << text;
}

INSTANTIATE_TEST_SUITE_P(
    Machines, CaptureBroken,
    testing::Values(
        Broken{"NoUvm", "tree: [{remove: /dev/nvidia-uvm}]\n", "cuInit answers 999"},
        Broken{"ClosedControlNode", "tree: [{chmod: /dev/nvidiactl, mode: \"0600\"}]\n",
               "{chmod: /dev/nvidiactl, mode: \"0600\"}"},
        Broken{"Masked", "env: {CUDA_VISIBLE_DEVICES: \"-1\"}\n", "CUDA_VISIBLE_DEVICES: \"-1\""},
        Broken{"DanglingDriver",
               "tree: [{remove: /usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04}]\n",
               "to: \"libcuda.so.580.159.04\"}"},
        Broken{"EmptyDriver",
               "tree: [{library: /usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04, fake: cuda, "
               "broken: {empty: true}}]\n",
               "broken: {empty: true}"},
        Broken{"StubFirst",
               "tree: [{library: /usr/local/cuda/lib64/stubs/libcuda.so.1, fake: cuda-stub}]\n"
               "env: {LD_LIBRARY_PATH: /usr/local/cuda/lib64/stubs}\n",
               "cuInit answers 34"}),
    [](const auto& machine) { return machine.param.name; });

TEST_F(CaptureStaged, NothingPrivateIsInIt) {
  const std::string text = Capture(Machine(
      "tree:\n"
      "  - {library: /home/annaschmidt/geheim/libcuda.so.1, fake: cuda, broken: {runpath: "
      "/srv/acme-corp/lib}}\n"
      "  - {symlink: /opt/kunde4711/libcudart.so.12, to: /home/annaschmidt/geheim/libcuda.so.1}\n"
      "env:\n"
      "  LD_LIBRARY_PATH: /home/annaschmidt/geheim:/opt/kunde4711\n"
      "  CUDA_VISIBLE_DEVICES: GPU-5b1d2c3e-1a2b-3c4d-5e6f-708192a3b4c5\n"
      "  HF_TOKEN: hf_AbCdEfGhIjKlMn\n"
      "  OLLAMA_HOST: gpu01.example.org:11434\n"));
  for (const char* secret :
       {"annaschmidt", "geheim", "acme", "kunde4711", "5b1d2c3e", "hf_", "example.org"})
    EXPECT_THAT(text, Not(HasSubstr(secret)));
  EXPECT_THAT(text, HasSubstr("LD_LIBRARY_PATH: \"/home/p"));
}

std::string NameOfState(const testing::TestParamInfo<std::string>& state) {
  std::string name = state.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// fixtures/machines: real ones, each made broken on purpose before it was captured. What they
// expect is what the real libraries answered there.
class CapturedMachine : public StagedCliTest, public testing::WithParamInterface<std::string> {};
TEST_P(CapturedMachine, AnswersAsTheRealOne) {
  const Ran ran = Run({"run", InSources("/fixtures/machines/h200-") + GetParam() + ".yaml"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  if (ran.out.find("was built without vulkan/vulkan_core.h") != std::string::npos)
    GTEST_SKIP() << "the fakes of Vulkan drivers are not built here";
  EXPECT_THAT(ran.out, testing::ContainsRegex("[234] passed, 0 failed"));
}
INSTANTIATE_TEST_SUITE_P(H200, CapturedMachine,
                         testing::Values("healthy", "ctl-hidden", "uvm-hidden", "masked",
                                         "dangling-first", "stub-first", "truncated-first",
                                         "wrong-user", "half-upgraded", "half-removed"),
                         NameOfState);

// Two GPUs: what hides one of them from the driver, and from NVML, is not a machine of one.
class CapturedPair : public StagedCliTest, public testing::WithParamInterface<std::string> {};
TEST_P(CapturedPair, AnswersAsTheRealOne) {
  const Ran ran = Run({"run", InSources("/fixtures/machines/h200x2-") + GetParam() + ".yaml"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("3 passed"));
}
INSTANTIATE_TEST_SUITE_P(H200, CapturedPair,
                         testing::Values("healthy", "first-hidden", "second-hidden", "second-only",
                                         "turned", "twice", "third"),
                         NameOfState);

TEST_F(CaptureStaged, AMachineOfTwoStaysOneWhereOneIsHidden) {
  for (const std::string hides :
       {"env: {CUDA_VISIBLE_DEVICES: \"1\"}\n",
        "tree: [{file: /dev/nvidia1, content: \"\", mode: \"0666\"}]\n"}) {
    Write("two.yaml",
          "claim: two\nmachine: {devices: [t4, t4]}\nlayout: [nvidia-driver-debian]\n" + hides +
              "runs: [{scanner: dlopen, args: [libcuda.so.1]}]\nexpect: [{devices: 1}]\n");
    const std::string text = Capture(Path("two.yaml"));
    EXPECT_THAT(text, HasSubstr("uuid: GPU-00000000-0000-0000-0000-000000000002")) << text;
    const Ran ran = RunText("again.yaml", text);
    EXPECT_EQ(ran.status, 0) << ran.out << text;
  }
}

// What the facts are that are read: each stands in the scenario where it can be staged.
TEST_F(CaptureStaged, WhatIsBrokenAboutALibraryIsInIt) {
  const struct {
    const char *library, *fake, *broken, *has;
  } kBroken[] = {
      {"libcudart.so.12.8.90", "cudart-12", "symbol_absent: [cudaMalloc]",
       "symbol_absent: [cudaMalloc]"},
      {"libcublas.so.12.8.4.1", "cublas-12", "version_node: CUBLAS_12.0", "version_node: \"p"},
      {"libcudart.so.12.8.90", "cudart-12", "version_table: none", "version_table: none"},
      {"libcublas.so.12.8.4.1", "cublas-12", "needs_version: GLIBC_2.99",
       "needs_version: \"GLIBC_2.99\""},
      {"libcublasLt.so.12.8.4.1", "cublaslt-12", "needs: libnvrtc.so.12",
       "needs: [libnvrtc.so.12]"},
      {"libcublasLt.so.12.8.4.1", "cublaslt-12", "needs: libgeheim.so.3", "needs: [libp"}};
  for (const auto& [library, fake, broken, has] : kBroken) {
    Write("machine.yaml", "claim: a machine\n" + Broken12(library, fake, broken));
    EXPECT_THAT(Capture(Path("machine.yaml")),
                testing::AllOf(HasSubstr(has), Not(HasSubstr("geheim"))));
  }
}

TEST_F(CaptureStaged, AMachineOfAmdsIsReplayed) {
  Write("amd.yaml", std::string("claim: a machine\n") + kAmd);
  const std::string text = Capture(Path("amd.yaml"));
  EXPECT_THAT(text, testing::AllOf(HasSubstr("HIP counts 2"), HasSubstr("gfx: gfx90a"),
                                   HasSubstr("the kernel computes with: 1002:744c, 1002:740f"),
                                   HasSubstr("hipGetDeviceCount 0, count 2")));
  EXPECT_THAT(RunText("again.yaml", text).out, HasSubstr("2 devices"));
}

TEST_F(CaptureStaged, WhatCannotBeStagedIsListed) {
  const std::string text = Capture(Machine(""));
  const std::string listed = text.substr(text.find("# Read there, and not staged:"));
  EXPECT_THAT(listed, testing::AllOf(HasSubstr("#   kernel: "), HasSubstr("#   limits: "),
                                     HasSubstr("nofile ")));
}

// Printed first, and written after a yes alone.
TEST(Capture, ShowsAllBeforeItWritesAnything) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string file = scratch.path() + "/machine.yaml";
  const auto answer = [&](const std::string& word) {
    return Finish(
        Start({"bash", "-c", "echo '" + word + "' | " GPUSTAGE_CAPTURE " --show -o " + file},
              {{"PATH", getenv("PATH")}}, scratch.path()),
        scratch.path());
  };
  const Ran no = answer("n");
  EXPECT_EQ(no.status, 1);
  EXPECT_THAT(no.out, HasSubstr("claim: \"a captured machine"));
  EXPECT_FALSE(FileExists(file));
  const Ran yes = answer("y");
  EXPECT_EQ(yes.status, 0);
  EXPECT_EQ(*ReadFile(file), yes.out);
}

TEST(Capture, SaysWhatIsWrongWithItsWords) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), GPUSTAGE_CAPTURE);
    return Finish(Start(words, {}, scratch.path()), scratch.path());
  };
  EXPECT_EQ(run({"--pdi", "1"}).status, 2);
  EXPECT_THAT(run({"--pdi", "1"}).err, HasSubstr("unknown option \"--pdi\""));
  EXPECT_THAT(run({"--pid", "x"}).err, HasSubstr("wants the number of a process"));
  EXPECT_THAT(run({"--pid"}).err, HasSubstr("wants a value"));
  EXPECT_EQ(run({"-o", "/dev/full"}).status, 2);
}

}  // namespace
}  // namespace gpustage
