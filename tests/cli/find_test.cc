// gpustage find: by words, by a log, by a case; and what a bad run says of it.
#include <nlohmann/json.hpp>

#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class FindTest : public CliTest {
 protected:
  std::vector<std::string> Found(std::vector<std::string> words) const {
    words.insert(words.begin(), "find");
    words.emplace_back("--json");
    const Ran ran = Run(words);
    EXPECT_EQ(ran.status, 0) << ran.err;
    std::vector<std::string> ids;
    const json all = ran.status == 0 ? json::parse(ran.out) : json{{"found", json::array()}};
    for (const json& one : all["found"]) ids.push_back(one["id"]);
    return ids;
  }
};

TEST_F(FindTest, ShowsClaimCauseFixThreadAndTheCommand) {
  const Ran ran = Run({"find", "fabric manager", "--limit", "1"});
  EXPECT_THAT(ran.out, HasSubstr("driver/fabric-manager-does-not-run\n  claim   "));
  EXPECT_THAT(ran.out, HasSubstr("\n  cause   "));
  EXPECT_THAT(ran.out, HasSubstr("\n  fix     "));
  EXPECT_THAT(ran.out, HasSubstr("\n  thread  https://github.com/pytorch/pytorch/issues/35710\n"));
  EXPECT_THAT(ran.out, HasSubstr(" trace driver/fabric-manager-does-not-run\n"));
}

TEST_F(FindTest, AThreadsNumberFindsItsScenario) {
  EXPECT_EQ(Found({"pytorch/pytorch#35710"}).front(), "driver/fabric-manager-does-not-run");
}

TEST_F(FindTest, LimitIsTheMostThatIsShown) {
  EXPECT_EQ(Found({"libcuda.so.1", "--limit", "2"}).size(), 2u);
}

// The words of glibc's loader in a report of a .NET program, which no rule of explain knows.
TEST_F(FindTest, ALogIsReadInItsOwnWords) {
  Write("a.log",
        "dlopen: /opt/app/libcublas.so.12: undefined symbol: "
        "cublasLtSSSMatmulAlgoGetHeuristicForStream, version libcublasLt.so.13\n");
  EXPECT_THAT(Found({Path("a.log"), "--limit", "3"}),
              Contains("elf/system-libcublas-against-the-bundled-libcublaslt"));
}

// NixOS/nixpkgs#320145, whose log this is.
TEST_F(FindTest, ALogIsReadByWhatExplainKnowsOfIt) {
  Write("a.log",
        "ggml_cuda_init: failed to initialize CUDA: CUDA driver is a stub library\n"
        "load_backend: loaded CUDA backend from /nix/store/local-ai/libggml-cuda.so\n");
  EXPECT_THAT(Found({Path("a.log"), "--limit", "3"}),
              Contains("driver/stub-of-the-toolkit-in-runpath"));
}

// harness/docs/reasons.md: what claims a loss to 802 is funnel/driver.
TEST_F(FindTest, ACaseIsFoundByWhatItLosesAndNotByItself) {
  if (!CanStage()) GTEST_SKIP() << "this machine allows no private root";
  const std::vector<std::string> found =
      Found({InSources("/scenarios/driver/fabric-manager-does-not-run.yaml")});
  EXPECT_THAT(found, Contains("funnel/driver"));
  EXPECT_THAT(found, testing::Not(Contains("driver/fabric-manager-does-not-run")));
}

TEST_F(FindTest, WordsThatNobodySaysAreAnError) {
  const Ran ran = Run({"find", "qwxzy"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("scenarios speaks of it"));
}

TEST_F(FindTest, ABadRunNamesTheScenarioThatIsMostLikeIt) {
  if (!CanStage()) GTEST_SKIP() << "this machine allows no private root";
  Write("s.yaml",
        "claim: a GPU is there\nmachine: {devices: [a100-80gb], faults: [{function: cuInit, "
        "return: 802}]}\nlayout: [nvidia-driver-debian]\nruns: [{scanner: dlopen, args: "
        "[libcuda.so.1]}]\nexpect: [{devices: 1}]\n");
  const Ran ran = Run({"run", Path("s.yaml")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, testing::ContainsRegex("\n  like +[^ ]+ trace [a-z-]+/[a-z0-9-]+\n"));
}

TEST_F(FindTest, ListChoosesByTagClaimAndCause) {
  const auto list = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"list", "driver", "--format", "names"});
    return Run(words).out;
  };
  EXPECT_EQ(list({"--tag", "nvswitch"}), "driver/fabric-manager-does-not-run\n");
  EXPECT_EQ(list({"--tag", "nvswitch", "--tag", "python"}), "driver/fabric-manager-does-not-run\n");
  EXPECT_EQ(list({"--tag", "nvswitch", "--tag", "ollama"}), "");
  EXPECT_EQ(list({"--claim", "NVSwitch"}), "driver/fabric-manager-does-not-run\n");
  EXPECT_THAT(list({"--cause", "missing-dependency"}),
              AllOf(HasSubstr("driver/no-libcuda-in-the-context-of-the-service\n"),
                    Not(HasSubstr("fabric-manager"))));
  EXPECT_THAT(Run({"list", "--tag", "nobody-has-it"}).err,
              HasSubstr("no scenario matches --tag nobody-has-it"));
}

}  // namespace
}  // namespace gpustage
