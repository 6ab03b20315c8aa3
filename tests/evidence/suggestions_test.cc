// What mends a loss, where its facts give it.
#include <cerrno>

#include "harness/words/words.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Kind = Fact::Kind;

Fact Of(Kind kind, const std::string& subject, const std::string& other = "",
        const std::string& rule = "") {
  Fact fact;
  fact.kind = kind;
  fact.subject = subject;
  fact.other = other;
  fact.rule = rule;
  return fact;
}
FunnelRow Lost(Cause cause, std::vector<Fact> because, int64_t code = 0) {
  FunnelRow row;
  row.library = "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so";
  row.loss.emplace();
  row.loss->at = Step::kInitialised;
  row.loss->cause = cause;
  row.loss->code = code;
  row.loss->because = std::move(because);
  return row;
}
FunnelRow OfAge(const std::string& driver, const std::string& runtime) {
  FunnelRow row = Lost(Cause::kInitError, {Of(Kind::kVersions, driver, driver)}, 35);
  Need need;
  need.name = runtime;
  row.needs = {need};
  return row;
}
FunnelRow Refused(const std::string& said) {
  FunnelRow row = Lost(Cause::kBadDependency, {});
  row.loss->loader_says = said;
  return row;
}

// NVIDIA's guide to CUDA compatibility, "Minor Version Compatibility", table 1.
TEST(Suggestions, NameTheOldestDriverOfARuntime) {
  EXPECT_THAT(Suggestions(OfAge("470.256.02", "libcudart.so.12")),
              Contains(HasSubstr("a driver of 525 or later, which libcudart.so.12 wants")));
  EXPECT_THAT(Suggestions(OfAge("570.86.10", "libcudart.so.13")), Contains(HasSubstr("of 580 or")));
  EXPECT_THAT(Suggestions(OfAge("96.43.23", "libcudart.so.12")), Contains(HasSubstr("of 525 or")));
  EXPECT_THAT(Suggestions(OfAge("580.159.04", "libcudart.so.12")), IsEmpty());
}

TEST(Suggestions, TakeAFolderOutOfTheVariableThatNamesIt) {
  EXPECT_THAT(Suggestions(Lost(Cause::kInitError,
                               {Of(Kind::kVersions, "530.30.02", "525.147.05"),
                                Of(Kind::kAnswered, "libcuda.so.1", "/opt/cuda/libcuda.so.1",
                                   "LD_LIBRARY_PATH[1]"),
                                Of(Kind::kShadowed, "/usr/lib/x86_64-linux-gnu/libcuda.so.1")},
                               803)),
              ElementsAre("take /opt/cuda out of LD_LIBRARY_PATH, so that "
                          "/usr/lib/x86_64-linux-gnu/libcuda.so.1 answers"));
}

// The system's copy comes later and is whole.
TEST(Suggestions, PutTheWholeCopyBeforeTheOneThatLacksSomething) {
  FunnelRow row = Lost(Cause::kPartialLibrary, {});
  row.loss->reason = {.kind = Reason::Kind::kSymbolMissing,
                      .subject = "cudaMalloc",
                      .other = "/opt/old/libcudart.so.12",
                      .rule = "LD_LIBRARY_PATH[1]",
                      .names = {"/usr/lib/libcudart.so.12"}};
  EXPECT_THAT(Suggestions(row), ElementsAre("take /opt/old out of LD_LIBRARY_PATH, so that "
                                            "/usr/lib/libcudart.so.12 answers"));
}

TEST(Suggestions, NameTheLinkThatLeadsNowhere) {
  const auto tried = [](Reason fault) {
    FunnelRow row = Lost(Cause::kBadDependency, {});
    row.loss->reason = {.kind = Reason::Kind::kNeedUnfit, .below = {std::move(fault)}};
    return Suggestions(row);
  };
  EXPECT_THAT(tried({Reason::Kind::kDangling, "/opt/a.so"}),
              ElementsAre("put back what the link /opt/a.so leads to, or make it anew"));
  EXPECT_THAT(tried({.kind = Reason::Kind::kUnopenable, .subject = "/opt/a.so", .error = ELOOP}),
              ElementsAre("make the link /opt/a.so anew: it leads to itself"));
  EXPECT_THAT(tried({.kind = Reason::Kind::kUnopenable, .subject = "/opt/a.so", .error = EIO}),
              IsEmpty());
}

TEST(Suggestions, LeaveTheSystemsDriverInItsPlaceBesideACompatFolder) {
  const std::vector<std::string> all =
      Suggestions(Lost(Cause::kInitError,
                       {Of(Kind::kAnswered, "libcuda.so.1", "/usr/lib/libcuda.so.1", "ld.so.cache"),
                        Of(Kind::kShadowed, "/usr/local/cuda-12.8/compat/libcuda.so.1")},
                       35));
  EXPECT_THAT(all, Contains("put /usr/local/cuda-12.8/compat first into LD_LIBRARY_PATH, so that "
                            "/usr/local/cuda-12.8/compat/libcuda.so.1 answers"));
  EXPECT_THAT(all, Not(Contains(HasSubstr("out of the way"))));
}

// An upgrade without a restart leaves its libraries where the system's are, and nowhere else.
TEST(Suggestions, PreferTheDriversOwnCopyToACompatFolder) {
  const FunnelRow row =
      Lost(Cause::kInitError,
           {Of(Kind::kAnswered, "libcuda.so.1", "/usr/local/cuda/lib64/stubs/libcuda.so.1",
               "ld.so.cache"),
            Of(Kind::kShadowed, "/usr/local/cuda-12.8/compat/libcuda.so.1", "580.159.04"),
            Of(Kind::kShadowed, "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "580.159.04")},
           34);
  EXPECT_THAT(Suggestions(row), Contains(HasSubstr("put /usr/lib/x86_64-linux-gnu first")));
}

// Whether the system has another is not looked at.
TEST(Suggestions, LeaveItOpenWhetherAnotherCopyIsFound) {
  FunnelRow row = Lost(Cause::kMissingVersion, {Of(Kind::kAnswered, "libstdc++.so.6")});
  row.loss->reason.other = "/usr/lib64/libstdc++.so.6";
  row.loss->reason.rule = "LD_LIBRARY_PATH[1]";
  EXPECT_THAT(Suggestions(row),
              ElementsAre("take /usr/lib64 out of LD_LIBRARY_PATH, if another is found then, or "
                          "install another version of libstdc++.so.6"));
  row.loss->reason.rule = "ld.so.cache";
  EXPECT_THAT(Suggestions(row), ElementsAre("install another version of libstdc++.so.6"));
}

// Evidence that was kept may lack the variable.
TEST(Suggestions, NeedNoNameOfAVariable) {
  FunnelRow row = Lost(Cause::kFiltered, {});
  for (const auto kind : {Reason::Kind::kTurnedOff, Reason::Kind::kOtherNamed}) {
    row.loss->reason = {.kind = kind, .subject = "/opt/ollama/vulkan"};
    EXPECT_THAT(Suggestions(row), IsEmpty());
    row.loss->reason = {
        .below = {{.kind = kind, .subject = "/opt/ollama/vulkan", .names = {"A", "0"}}}};
    EXPECT_THAT(Suggestions(row), ElementsAre(HasSubstr("unset A")));
  }
}

// A Vulkan driver is known by its files alone.
TEST(Suggestions, NameTheFilesOfADriverWithoutAName) {
  Fact answered = Of(Kind::kAnswered, "");
  answered.names = {"/usr/lib/x86_64-linux-gnu/libvulkan_intel.so"};
  EXPECT_THAT(
      Suggestions(Lost(Cause::kInitError, {answered, Of(Kind::kNothing, "")}, -9)),
      Contains(HasSubstr("put another copy of /usr/lib/x86_64-linux-gnu/libvulkan_intel.so")));
}

TEST(Suggestions, RestartForAnUpgradeAlone) {
  const Fact versions = Of(Kind::kVersions, "550.90.07", "550.100");
  EXPECT_THAT(Suggestions(Lost(Cause::kInitError,
                               {versions, Of(Kind::kAnswered, "libcuda.so.1",
                                             "/usr/lib64/libcuda.so.1", "ld.so.cache")})),
              ElementsAre(HasSubstr("the kernel loads the module of 550.90.07")));
  FunnelRow copy = Lost(Cause::kInitError, {versions});
  copy.library = "/usr/lib.bak/libcuda.so.550.90.07";
  EXPECT_THAT(Suggestions(copy), ElementsAre(HasSubstr("take /usr/lib.bak/libcuda.so.550.90.07")));
}

// The words of glibc's dl-load.c and dl-reloc.c.
TEST(Suggestions, ReadWhatLdSoSaysOfAFile) {
  EXPECT_THAT(Suggestions(Refused("/opt/libcudart.so.12: file too short")),
              Contains(HasSubstr("put /opt/libcudart.so.12 there anew")));
  EXPECT_THAT(Suggestions(Refused("/opt/libcublasLt.so.12: cannot allocate memory in static TLS "
                                  "block")),
              Contains(HasSubstr("glibc.rtld.optional_static_tls")));
  EXPECT_THAT(Suggestions(Refused("/opt/libcuda.so: wrong ELF class: ELFCLASS32")),
              Contains(HasSubstr("architecture in the place of /opt/libcuda.so")));
  EXPECT_THAT(Suggestions(Refused("libcuda.so.1: cannot open shared object file")), IsEmpty());
}

TEST(Suggestions, LeaveABackendOutThatKillsWhoLoadsIt) {
  EXPECT_THAT(Suggestions(Lost(Cause::kLoadKills, {})),
              ElementsAre(HasSubstr("so that the other backends are reached")));
}

TEST(Suggestions, SpeakOfTheContainerThatRuns) {
  const Fact docker = Of(Kind::kContainer, "/.dockerenv");
  const Fact singularity = Of(Kind::kContainer, "/.singularity.d");
  Fact kfd = Of(Kind::kNode, "/dev/kfd");
  kfd.error = ENOENT;
  EXPECT_THAT(Suggestions(Lost(Cause::kInitError, {kfd, docker})),
              ElementsAre("start the container with --device /dev/kfd --device /dev/dri"));
  FunnelRow missing = Lost(Cause::kNotFound, {singularity});
  missing.library = "libcuda.so.1";
  EXPECT_THAT(Suggestions(missing), ElementsAre(HasSubstr("--nv")));
  FunnelRow nvml = Lost(Cause::kInitError, {Of(Kind::kNothing, ""), docker}, 999);
  nvml.family = Family::kManagement;
  EXPECT_THAT(Suggestions(nvml), Contains(HasSubstr("start the container anew with --gpus all")));
}

// EPERM is a device cgroup's: the kernel's documentation of control groups, "Device controller".
TEST(Suggestions, TellACgroupFromAMode) {
  Fact node = Of(Kind::kNode, "/dev/nvidia-uvm");
  node.error = EPERM;
  EXPECT_THAT(Suggestions(Lost(Cause::kInitError, {node})),
              ElementsAre(AllOf(HasSubstr("--device /dev/nvidia-uvm"), HasSubstr("DeviceAllow="),
                                Not(HasSubstr("chmod")))));
  node.error = ENODEV;
  EXPECT_THAT(Suggestions(Lost(Cause::kInitError, {node})), ElementsAre(HasSubstr("lspci")));
}

// NVIDIA/libnvidia-container#117, ollama/ollama#9082.
TEST(Suggestions, MendTheLinkThatLeadsAstray) {
  EXPECT_THAT(Suggestions(Lost(Cause::kInitError,
                               {Of(Kind::kLink, "/usr/local/cuda", "/usr/local/cuda-12.8")}, 35)),
              Contains(HasSubstr("make /usr/local/cuda a folder of the image")));
  EXPECT_THAT(Suggestions(Lost(Cause::kNotTried, {Of(Kind::kRefused, "/home/admin/ollama"),
                                                  Of(Kind::kLink, "/usr/bin/ollama",
                                                     "/home/admin/ollama/bin/ollama")})),
              Contains(HasSubstr("take the link /usr/bin/ollama away")));
}

// Syllo/nvtop#122.
TEST(Suggestions, WriteNothingForACacheThatNobodyAsks) {
  const Fact unasked = Of(Kind::kElsewhere, "/usr/lib/nvidia/libcuda.so.1", "libcuda.so.1");
  EXPECT_THAT(Suggestions(Lost(Cause::kMissingDependency, {unasked})),
              ElementsAre(HasSubstr("the system's own loader")));
  Fact asked = unasked;
  asked.rule = "ld.so.cache";
  EXPECT_THAT(Suggestions(Lost(Cause::kMissingDependency, {asked})),
              ElementsAre(HasSubstr("run ldconfig")));
}

}  // namespace
}  // namespace gpustage
