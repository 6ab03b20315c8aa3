// gpustage trace, and the evidence that run keeps for it.
#include <nlohmann/json.hpp>

#include "harness/base/files.h"
#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TraceTest : public StagedCliTest {
 protected:
  // A healthy tree that lacks one library, so that the model of Ollama finds nothing.
  void SetUp() override {
    StagedCliTest::SetUp();
    Write("lacking.yaml",
          "claim: it lacks a library\nmachine: {devices: [h100-80gb]}\n"
          "layout: [nvidia-driver-debian, ollama-cuda-12]\n"
          "tree: [{remove: /usr/local/lib/ollama/cuda_v12/libcublasLt.so.12}]\n"
          "runs: [{scanner: ollama-model}]\nexpect: [{devices: 0}]\n");
  }
  Ran Trace(std::vector<std::string> words) const {
    words.insert(words.begin(), "trace");
    return Run(words);
  }
};

TEST_F(TraceTest, PrintsTheFunnelFirst) {
  const Ran ran = Trace({Path("lacking.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(
      ran.out,
      StartsWith("lacking [ollama-model]\nNo device. libggml-cuda.so was lost at "
                 "\"loaded\" in runner 3 (child of serve 2), because\nlibcublasLt.so.12, "));
  EXPECT_THAT(ran.out,
              HasSubstr("    needs        libcublasLt.so.12  not found, for libcublas.so.12; "));
  EXPECT_THAT(ran.out, HasSubstr("  silent: yes ("));
  EXPECT_THAT(ran.out, HasSubstr("  next: " GPUSTAGE_PROGRAM " trace "));
  EXPECT_THAT(ran.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ran.out, Not(HasSubstr(" ms  ")));
}

TEST_F(TraceTest, PrintsTheTimelineOnDemand) {
  const Ran ran = Trace({Path("lacking.yaml"), "--kind", "processes"});
  EXPECT_THAT(ran.out, HasSubstr("started /usr/local/bin/ollama (/usr/local/bin/ollama runner"));
  EXPECT_THAT(ran.out, Not(HasSubstr("looked for")));
}

TEST_F(TraceTest, RefusesAKindThatThereIsNot) {
  const Ran ran = Trace({Path("lacking.yaml"), "--kind", "call"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("got \"call\"; did you mean \"calls\"?\n"));
}

// The text is what the last version that kept such files printed of this one.
TEST_F(TraceTest, SaysOfOlderVersionsWhatWasSaidThen) {
  for (const char* version : {"4", "5"}) {
    const std::string kept = InSources("/tests/evidence/kept/version-") + version;
    const Ran ran = Trace({kept + ".jsonl", "--timeline"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    const Result<std::string> then = ReadFile(kept + ".txt");
    ASSERT_THAT(then, IsOk());
    EXPECT_EQ(ran.out, *then);
  }
}

TEST_F(TraceTest, SaysTheSameOfKeptEvidence) {
  const Ran kept = Run({"run", Path("lacking.yaml"), "--evidence-dir", Path("evidence")});
  ASSERT_EQ(kept.status, 0) << kept.out << kept.err;
  const Ran ran = Trace({Path("evidence")});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("No device. libggml-cuda.so was lost at \"loaded\" in runner 3 "
                                 "(child of serve 2), because\nlibcublasLt.so.12, needed by"));
  EXPECT_THAT(ran.out, HasSubstr("  next: " GPUSTAGE_PROGRAM " trace " + Path("evidence") +
                                 " --process 3\n"));
  EXPECT_EQ(Trace({Path("evidence/lacking.ollama-model.jsonl")}).status, 0);
  const json whole = json::parse(Trace({Path("evidence"), "--json"}).out);
  EXPECT_EQ(whole["runs"][0]["funnel"][0]["cause"], "missing-dependency");
  EXPECT_EQ(whole["runs"][0]["silent_failure"], true);
}

TEST_F(TraceTest, RefusesEvidenceOfAnotherVersion) {
  Write("new.jsonl", "{\"format\":\"gpustage-evidence\",\"version\":9}\n");
  const Ran ran = Trace({Path("new.jsonl")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(
      ran.err,
      HasSubstr(
          "new.jsonl:1:1: this evidence is of version 9; this gpustage reads versions 4 to 7"));
}

TEST_F(TraceTest, SaysThatNothingMatches) {
  EXPECT_EQ(Trace({"no-such-scenario"}).status, 2);
  EXPECT_EQ(Trace({Path("lacking.yaml"), "--filter", "nothing"}).status, 2);
  EXPECT_EQ(Trace({}).status, 2);
}

TEST_F(TraceTest, KeepsNoEvidenceWhereItCannot) {
  Write("file", "");
  const Ran ran = Run({"run", Path("lacking.yaml"), "--evidence-dir", Path("file/below")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, StartsWith("gpustage: cannot make "));
}

}  // namespace
}  // namespace gpustage
