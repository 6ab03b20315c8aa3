// The page as run, merge and trace write it. What is in it, tests/report/html_test.cc holds; what a
// browser makes of it, tests/full/html.sh.
#include <cstdlib>

#include "harness/base/files.h"
#include "harness/run/workspace.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

class Page : public testing::Test {
 protected:
  void SetUp() override {
    if (ProbeIsolation().level == IsolationLevel::kNone)
      GTEST_SKIP() << "this machine allows no private root";
    ASSERT_THAT(
        WriteFile(Path("s.yaml"),
                  "claim: a mask hides the GPU\nmachine: {devices: [h100-80gb]}\n"
                  "layout: [nvidia-driver-debian, ollama-cuda-12]\n"
                  "matrix: {mask: {set: env.CUDA_VISIBLE_DEVICES, to: [\"0\", \"-1\"]}, "
                  "debug: {set: env.OLLAMA_DEBUG, to: [\"1\", \"2\"]}}\n"
                  "runs: [{name: service, scanner: ollama-model}]\nexpect: [{devices: 1}]\n"),
        IsOk());
  }
  std::string Path(const std::string& name) const { return scratch_.path() + "/" + name; }
  // Its exit status; what it prints is in "out".
  int Run(const std::string& words) const {
    const int status = std::system(
        ("cd " + scratch_.path() + " && " + GPUSTAGE_PROGRAM + " " + words + " >out 2>&1").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string Text(const std::string& name) const {
    const Result<std::string> text = ReadFile(Path(name));
    return text ? *text : "";
  }
  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

TEST_F(Page, OfARunSaysWhatFailsHasInCommonAsTheTextDoes) {
  EXPECT_EQ(Run("run s.yaml --report html=p.html"), 1);
  const std::string sentence = "all 2 failing runs have mask=-1; none of the 2 others have";
  EXPECT_THAT(Text("p.html"), HasSubstr(sentence));
  EXPECT_THAT(Text("out"), HasSubstr(sentence));
  EXPECT_THAT(Text("p.html"), HasSubstr("CUDA_VISIBLE_DEVICES=-1"));
}

TEST_F(Page, OfMergedShardsHasWhatTheShardsSaw) {
  EXPECT_EQ(Run("run s.yaml --shard 1/2 --report json=1.json --report html=1.html"), 1);
  EXPECT_EQ(Run("run s.yaml --shard 2/2 --report json=2.json --report html=2.html"), 1);
  EXPECT_EQ(Run("merge 1.json 2.json --report html=all.html"), 1);
  EXPECT_THAT(Text("all.html"), HasSubstr("cuInit(flags=0) = 100"));
  EXPECT_THAT(Text("all.html"), HasSubstr("\"leftOut\":0"));
}

TEST_F(Page, OfATraceIsOfThatCase) {
  EXPECT_EQ(Run("trace s.yaml@mask=-1,debug=1 --html t.html"), 0);
  EXPECT_THAT(Text("t.html"), HasSubstr("was lost at &quot;initialised&quot;"));
  EXPECT_THAT(Text("t.html"), Not(HasSubstr("mask=0")));
}

TEST_F(Page, IsRefusedBeforeAnythingRunsWhereItCannotBeWritten) {
  EXPECT_EQ(Run("trace s.yaml@mask=-1,debug=1 --html none/t.html"), 2);
  EXPECT_THAT(Text("out"), HasSubstr("there is no directory none"));
}

}  // namespace
}  // namespace gpustage
