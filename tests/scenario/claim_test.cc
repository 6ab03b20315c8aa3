#include "harness/scenario/model/claim.h"

#include <csignal>

#include "harness/scenario/model/cause.h"
#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::Pair;
using testing::SizeIs;

class ClaimTest : public testing::Test {
 protected:
  std::vector<Claim> Read(std::string_view expectation) {
    const auto cases =
        files_.Load("claim: c\nlayout: [driver]\nexpect:\n  - " + std::string(expectation) + "\n");
    EXPECT_THAT(cases, IsOkAnd(SizeIs(1)));
    return cases ? cases->front().expect.front().claims : std::vector<Claim>{};
  }
  template <typename What>
  What As(std::string_view expectation) {
    const auto claims = Read(expectation);
    EXPECT_THAT(claims, SizeIs(1));
    const What* what = claims.size() == 1 ? std::get_if<What>(&claims.front().what) : nullptr;
    EXPECT_NE(what, nullptr);
    return what != nullptr ? *what : What{};
  }
  std::vector<std::string> Texts(std::string_view expectation) {
    std::vector<std::string> texts;
    for (const Claim& claim : Read(expectation)) texts.push_back(ToString(claim));
    return texts;
  }

  ScenarioFiles files_;
};

TEST_F(ClaimTest, ReadsCounts) {
  EXPECT_EQ(As<DevicesClaim>("devices: 2").count, (CountRange{2, 2}));
  EXPECT_EQ(As<DevicesClaim>("devices: {at_least: 1}").count, (CountRange{1, std::nullopt}));
  EXPECT_EQ(As<DevicesClaim>("devices: {at_most: 3}").count, (CountRange{0, 3}));
  EXPECT_EQ(As<DevicesClaim>("devices: {at_least: 1, at_most: 3}").count, (CountRange{1, 3}));
}

TEST_F(ClaimTest, ReadsADistribution) {
  EXPECT_THAT(As<DistributionClaim>("distribution: {0: 12.5%, 2: 87.5%}").shares,
              ElementsAre(Pair(0, 0.125), Pair(2, 0.875)));
  EXPECT_THAT(As<DistributionClaim>("distribution: {0: 33.3%, 1: 33.3%, 2: 33.4%}").shares,
              SizeIs(3));
  EXPECT_THAT(Texts("distribution: {0: 12.5%, 10: 87.5%}"),
              ElementsAre("distribution: {0: 12.5%, 10: 87.5%}"));
}

TEST_F(ClaimTest, ReadsFieldsOfADevice) {
  const auto claim = As<DeviceClaim>("device: {index: 1, name: NVIDIA H100, memory_total: 5}");
  EXPECT_EQ(claim.index, 1);
  EXPECT_THAT(claim.fields, ElementsAre(Pair("memory_total", "5"), Pair("name", "NVIDIA H100")));
}

TEST_F(ClaimTest, MakesOneClaimOfEachLogPattern) {
  const auto claims = Read("log: {has: [a, {re: \"b+\"}], lacks: c, in_order: [d, e]}");
  ASSERT_THAT(claims, SizeIs(4));
  EXPECT_EQ(std::get<LogClaim>(claims[0].what), (LogClaim{{"a", false}, true}));
  EXPECT_EQ(std::get<LogClaim>(claims[1].what), (LogClaim{{"b+", true}, true}));
  EXPECT_EQ(std::get<LogClaim>(claims[2].what), (LogClaim{{"c", false}, false}));
  EXPECT_EQ(std::get<LogOrderClaim>(claims[3].what), (LogOrderClaim{{{"d", false}, {"e", false}}}));
}

TEST_F(ClaimTest, ReadsOutcomes) {
  EXPECT_EQ(As<OutcomeClaim>("outcome: {exited: 3}"), (OutcomeClaim{"exited", 3}));
  EXPECT_EQ(As<OutcomeClaim>("outcome: {killed: SIGBUS}"), (OutcomeClaim{"killed", SIGBUS}));
  EXPECT_EQ(As<OutcomeClaim>("outcome: {killed: 11}"), (OutcomeClaim{"killed", SIGSEGV}));
  EXPECT_EQ(As<OutcomeClaim>("outcome: timed_out"), (OutcomeClaim{"timed_out", std::nullopt}));
}

TEST_F(ClaimTest, ReadsWhatIsLoaded) {
  EXPECT_EQ(As<LoadsClaim>("loads: libcuda.so.1"),
            (LoadsClaim{"libcuda.so.1", std::nullopt, true}));
  EXPECT_EQ(As<LoadsClaim>("loads: {library: libcuda.so.1, from: /usr/lib/x}"),
            (LoadsClaim{"libcuda.so.1", "/usr/lib/x", true}));
  EXPECT_EQ(As<LoadsClaim>("loads_not: libcuda.so.1"),
            (LoadsClaim{"libcuda.so.1", std::nullopt, false}));
  EXPECT_THAT(Read("loads: [a, {library: b}]"), SizeIs(2));
  EXPECT_THAT(As<LoadsClaim>("loads: {library: a, by: cache}").by, Optional(std::string("cache")));
}

TEST_F(ClaimTest, ReadsCallsOnceOrMoreUnlessCounted) {
  EXPECT_EQ(As<CallsClaim>("calls: {function: cuInit}"),
            (CallsClaim{"cuInit", {1, std::nullopt}, std::nullopt}));
  EXPECT_EQ(As<CallsClaim>("calls: {function: cuInit, count: 0, result: 999}"),
            (CallsClaim{"cuInit", {0, 0}, 999}));
}

TEST_F(ClaimTest, ReadsCallsOfAProcess) {
  EXPECT_THAT(As<CallsClaim>("calls: {function: cuInit, in: ollama runner}").in,
              Optional(std::string("ollama runner")));
}

TEST_F(ClaimTest, ReadsProcesses) {
  EXPECT_EQ(As<ProcessClaim>("process: {role: runner}"),
            (ProcessClaim{"runner", {1, std::nullopt}, {}}));
  EXPECT_EQ(As<ProcessClaim>("process: {role: runner, count: 2, environment: [A=1, B]}"),
            (ProcessClaim{"runner", {2, 2}, {"A=1", "B"}}));
}

TEST_F(ClaimTest, ReadsHowAProcessEnded) {
  EXPECT_THAT(As<ProcessClaim>("process: {role: runner, ended: {exited: 2}}").ended,
              Optional(std::string("exited 2")));
  EXPECT_THAT(As<ProcessClaim>("process: {role: runner, ended: {killed: SIGSEGV}}").ended,
              Optional(std::string("killed by SIGSEGV")));
}

TEST_F(ClaimTest, ReadsWhatTheKernelWasAsked) {
  EXPECT_EQ(As<FilesClaim>(
                "files: {path: /dev/nvidia0, how: opened, answer: missing, in: runner, count: 0}"),
            (FilesClaim{"/dev/nvidia0", "opened", "missing", "runner", {0, 0}}));
  EXPECT_EQ(
      As<FilesClaim>("files: {path: /dev/nvidia0}"),
      (FilesClaim{"/dev/nvidia0", std::nullopt, std::nullopt, std::nullopt, {1, std::nullopt}}));
  EXPECT_EQ(As<UnheardClaim>("unheard: no CUDA"), (UnheardClaim{{"no CUDA", false}}));
  EXPECT_EQ(As<UnheardClaim>("unheard: {re: 'no C.DA'}"), (UnheardClaim{{"no C.DA", true}}));
}

TEST_F(ClaimTest, ReadsSilence) {
  EXPECT_TRUE(As<SilentClaim>("silent: true").silent);
  EXPECT_FALSE(As<SilentClaim>("silent: false").silent);
}

TEST_F(ClaimTest, ReadsStepsOfTheFunnel) {
  EXPECT_THAT(As<LostClaim>("lost: {library: a, at: loaded, cause: not-elf}").cause,
              Optional(std::string("not-elf")));
  EXPECT_EQ(As<LostClaim>("lost: {library: a/b.so, at: entry point, because: no symbol}"),
            (LostClaim{"a/b.so", Step::kEntryPoint, "no symbol"}));
  EXPECT_EQ(As<ReachedClaim>("reached: {library: b.so, step: reported}"),
            (ReachedClaim{"b.so", Step::kReported}));
}

TEST_F(ClaimTest, ReadsWhatTheLoaderDid) {
  EXPECT_THAT(As<LoadsClaim>("loads: {library: a, build_id: 0badcafe, in: ollama runner}").build_id,
              Optional(std::string("0badcafe")));
  EXPECT_EQ(As<SearchesClaim>("searches: {path: /a/b.so, by: RUNPATH, for: c.so, in: d, count: 2}"),
            (SearchesClaim{"/a/b.so", "RUNPATH", "c.so", "d", {2, 2}}));
  EXPECT_EQ(As<DlsymClaim>("dlsym: {symbol: f, answer: found, from: a.so}"),
            (DlsymClaim{"f", "found", "a.so"}));
  EXPECT_EQ(As<LacksClaim>("lacks: {library: a.so, of: b.so, symbol: f@V1, version: V1}"),
            (LacksClaim{"a.so", "b.so", "f@V1", "V1"}));
  EXPECT_EQ(As<TakesClaim>("takes: {function: dlopen, from: w.so, count: 0}"),
            (TakesClaim{"dlopen", "w.so", std::nullopt, {0, 0}}));
  EXPECT_THAT(As<CallsClaim>("calls: {function: f, device: 1, arguments: x=2}").device,
              Optional(1));
  EXPECT_THAT(As<LostClaim>("lost: {library: a, at: loaded, known: asked}").known,
              Optional(std::string("asked")));
  EXPECT_THAT(As<ProcessClaim>("process: {role: a, argv: serve --port}").argv,
              Optional(std::string("serve --port")));
}

TEST_F(ClaimTest, PrintsWhatTheLoaderDid) {
  for (const char* text :
       {"loads: {library: a, from: /a, by: cache, build_id: 0badcafe, in: b}",
        "searches: {path: /a, by: cache, for: b, in: c, count: 2}",
        "dlsym: {symbol: f, answer: missing, in: b, count: 1}",
        "lacks: {library: a, of: b, symbol: f@V, version: V, count: 1}",
        "takes: {function: f, from: a, in: b, count: 0}",
        "calls: {function: f, count: 1, result: 0, device: 1, arguments: x, in: b}",
        "process: {role: a, count: 1, argv: b}"})
    EXPECT_THAT(Texts(std::string("{") + text + "}"), ElementsAre(text));
  EXPECT_THAT(Texts("{lost: {library: a, at: loaded, cause: not-elf, known: asked}}"),
              ElementsAre("lost: {library: a, at: loaded, cause: not-elf, known: asked}"));
}

TEST_F(ClaimTest, PointsAtTheClaim) {
  const auto claims = Read("{run: dlopen, devices: 2, log: {has: [a, bc]}}");
  ASSERT_THAT(claims, SizeIs(3));
  EXPECT_EQ(claims[0].pos.column, 19);  // devices
  EXPECT_EQ(claims[0].pos.length, 7);
  EXPECT_EQ(claims[2].pos.column, 46);  // bc
  EXPECT_EQ(claims[2].pos.length, 2);
}

TEST_F(ClaimTest, PrintsAsTheFileSaysIt) {
  EXPECT_THAT(Texts("{devices: {at_least: 1}, device: {name: NVIDIA H100}, outcome: {killed: 7}}"),
              ElementsAre("devices: at least 1", "device: {index: 0, name: \"NVIDIA H100\"}",
                          "outcome: {killed: SIGBUS}"));
  EXPECT_THAT(Texts("{log: {has: [a b], lacks: [{re: \"x$\"}], in_order: [p, q]}}"),
              ElementsAre("log: {has: \"a b\"}", "log: {lacks: {re: \"x$\"}}",
                          "log: {in_order: [\"p\", \"q\"]}"));
  EXPECT_THAT(
      Texts("{loads: {library: a, from: /b}, loads_not: c, calls: {function: f, result: -1}}"),
      ElementsAre("loads: {library: a, from: /b}", "loads_not: c",
                  "calls: {function: f, count: at least 1, result: -1}"));
  EXPECT_THAT(Texts("{lost: {library: a, at: loaded, because: b}, reached: {library: c, step: "
                    "counted}, outcome: timed_out}"),
              ElementsAre("lost: {library: a, at: loaded, because: \"b\"}",
                          "reached: {library: c, step: counted}", "outcome: timed_out"));
}

TEST_F(ClaimTest, PrintsProcessesAndSilence) {
  EXPECT_THAT(Texts("{silent: true, process: {role: ollama runner, count: 2, environment: A=1}, "
                    "loads: {library: a, by: RUNPATH}, calls: {function: f, in: a b}, "
                    "lost: {library: a, at: loaded, cause: not-elf}}"),
              ElementsAre("silent: true",
                          "process: {role: \"ollama runner\", count: 2, environment: [A=1]}",
                          "loads: {library: a, by: RUNPATH}",
                          "calls: {function: f, count: at least 1, in: \"a b\"}",
                          "lost: {library: a, at: loaded, cause: not-elf}"));
}

TEST(Cause, ReadsBackWhatItPrints) {
  for (const std::string& word : CauseWords()) {
    const auto cause = ParseCause(word);
    ASSERT_TRUE(cause) << word;
    EXPECT_EQ(ToString(*cause), word);
  }
  EXPECT_EQ(ParseCause("no such"), std::nullopt);
}

TEST(ClaimText, SaysNotWhenItIsInverted) {
  EXPECT_EQ(ToString(Claim{DevicesClaim{{2, 2}}, true, {}}), "not devices: 2");
}

TEST(CountRange, ContainsItsEnds) {
  EXPECT_TRUE((CountRange{1, 3}).Contains(1));
  EXPECT_TRUE((CountRange{1, 3}).Contains(3));
  EXPECT_FALSE((CountRange{1, 3}).Contains(0));
  EXPECT_FALSE((CountRange{1, 3}).Contains(4));
  EXPECT_TRUE((CountRange{1, std::nullopt}).Contains(1000));
}

TEST(CountRange, PrintsInWords) {
  EXPECT_EQ(ToString(CountRange{2, 2}), "2");
  EXPECT_EQ(ToString(CountRange{1, 3}), "1 to 3");
  EXPECT_EQ(ToString(CountRange{1, std::nullopt}), "at least 1");
  EXPECT_EQ(ToString(CountRange{0, 3}), "at most 3");
}

TEST(Step, ReadsBackWhatItPrints) {
  for (int i = 0; i <= static_cast<int>(Step::kReported); ++i)
    EXPECT_THAT(ParseStep(ToString(static_cast<Step>(i))), Optional(static_cast<Step>(i)));
  EXPECT_EQ(ParseStep("init"), std::nullopt);
}

TEST(TreeOpText, IsOneLineForEveryOperation) {
  const auto text = [](auto op) { return ToString(TreeOp{std::move(op), {}}); };
  EXPECT_EQ(text(MakeDirOp{"/a", 0711}), "dir /a mode 0711");
  EXPECT_EQ(text(WriteFileOp{"/a b", "xyz", std::nullopt}), "file \"/a b\" 3 bytes");
  EXPECT_EQ(text(SymlinkOp{"/a", "b\xff"}), "symlink /a -> \"b\\xFF\"");
  EXPECT_EQ(text(HardLinkOp{"/a", "/b"}), "hard_link /a = /b");
  EXPECT_EQ(text(CopyOp{"/a", "/b"}), "copy /a from /b");
  EXPECT_EQ(text(ChmodOp{"/a", 01777}), "chmod 1777 /a");
  EXPECT_EQ(text(ChownOp{"/a", "root", std::nullopt}), "chown root: /a");
  EXPECT_EQ(text(RemoveOp{"/a"}), "remove /a");
  PlaceLibraryOp place{"/a.so", {LibrarySource::Kind::kFake, "cudart-12", "/host", ""}, {}, 0644};
  EXPECT_EQ(text(place), "library /a.so fake cudart-12 mode 0644");
  place.broken = {{Breakage::Kind::kTruncated, 4096, ""}};
  place.mode.reset();
  EXPECT_EQ(text(place), "library /a.so fake cudart-12 broken: truncated 4096");
}

}  // namespace
}  // namespace gpustage
