// A run of many cases: their order, what is said of them, and which of them run.
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ManyCasesTest : public StagedCliTest {
 protected:
  // Eight cases, the first of which is the slowest; "3" and "5" fail, and each has a run that is
  // skipped.
  void SetUp() override {
    StagedCliTest::SetUp();
    Write("gone.yaml",
          "scanner: gone\nabout: it is not here\nprogram: {path: ./gone}\nat: /bin/gone\nargv: "
          "[/bin/gone]\nfits: nothing\n");
    std::string text =
        "claim: many\nmachine: {devices: []}\nlayout: []\nruns: [{name: x, scanner: actor}, {name: "
        "y, scanner: gone}]\nmatrix:\n  n:\n    set: runs.x.args\n    to:\n";
    for (int n = 0; n < 8; ++n)
      text += "      - {as: " + std::to_string(n) + ", value: [" +
              (n == 0 ? "flood, \"3000\", " : "") + "out, \"" +
              (n == 3 || n == 5 ? "none" : "GPU") + "\\n\"]}\n";
    Write("m.yaml", text + "expect: [{devices: 1}]\n");
  }
  Ran RunAll(std::vector<std::string> options) const {
    std::vector<std::string> words = {
        "run", Path("m.yaml"), "--scanner", Path("actor.yaml"), "--scanner", Path("gone.yaml")};
    words.insert(words.end(), options.begin(), options.end());
    return Run(words);
  }
  // The ids of the lines of runs.
  static std::vector<std::string> Shown(const std::string& out) {
    std::vector<std::string> ids;
    std::istringstream lines(out.substr(0, out.find("\n\n")));
    for (std::string word, id, rest; lines >> word >> id && std::getline(lines, rest);)
      ids.push_back(id);
    return ids;
  }
  static std::vector<std::string> Ids(const std::string& digits) {
    std::vector<std::string> ids;
    for (const char c : digits) ids.push_back(std::string("m@n=") + c);
    return ids;
  }
};

TEST_F(ManyCasesTest, AreShownInTheOrderOfTheList) {
  EXPECT_EQ(Shown(RunAll({"--jobs", "4"}).out), Ids("01234567"));
  EXPECT_EQ(Shown(RunAll({"--jobs", "1"}).out), Ids("01234567"));
}

TEST_F(ManyCasesTest, SkipsAreOneLineAReasonUnlessAllIsAskedFor) {
  const Ran usual = RunAll({}), all = RunAll({"-v"}), few = RunAll({"-q"});
  EXPECT_THAT(usual.out, Not(HasSubstr("skip  ")));
  EXPECT_THAT(usual.out, HasSubstr("  skipped 8: "));
  EXPECT_THAT(all.out, HasSubstr("\nskip  m@n=0  y"));
  EXPECT_THAT(all.out, HasSubstr("\n  slowest "));
  EXPECT_EQ(Shown(all.out).size(), 16u);
  EXPECT_THAT(few.out, StartsWith("\nFAIL  m@n=3 [x]\n"));
  EXPECT_THAT(few.out, HasSubstr("\n6 passed, 2 failed, 8 skipped in "));
  EXPECT_EQ(RunAll({"-q", "-v"}).status, 2);
}

TEST_F(ManyCasesTest, WhatFailedIsRunAgain) {
  ASSERT_EQ(RunAll({"--report", "json=" + Path("r.json")}).status, 1);
  Ran again = RunAll({"--failed", Path("r.json")});
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(Shown(again.out), Ids("35"));
  EXPECT_THAT(again.out, Not(HasSubstr("skipped")));
  // The report knows the file.
  again = Run({"run", "--scanner", Path("actor.yaml"), "--scanner", Path("gone.yaml"), "--failed",
               Path("r.json")});
  EXPECT_EQ(Shown(again.out), Ids("35")) << again.err;
  ASSERT_EQ(RunAll({"--filter", "n=1 ", "--report", "json=" + Path("good.json")}).status, 0);
  again = RunAll({"--failed", Path("good.json")});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.out, "no run of " + Path("good.json") + " is bad\n");
  EXPECT_EQ(RunAll({"--failed", Path("m.yaml")}).status, 2);
}

TEST_F(ManyCasesTest, NothingStartsAfterSoManyFailures) {
  const Ran ran =
      RunAll({"--jobs", "1", "--max-failures", "1", "--report", "json=" + Path("r.json")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(Shown(ran.out), Ids("0123"));
  EXPECT_EQ(ran.err, "gpustage: stopped after 1 failures: 4 of 8 cases were done\n");
  EXPECT_EQ(json::parse(WholeFile(Path("r.json")))["problems"][0]["kind"], "max-failures");
}

// ---- Options that were told and not heeded ------------------------------------------------------

TEST_F(ManyCasesTest, APathBehindTwoDashesIsAPath) {
  const Ran ran = Run({"list", "--format", "names", "--scanner", Path("actor.yaml"), "--scanner",
                       Path("gone.yaml"), "--", Path("m.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 8) << ran.out;
}

TEST_F(ManyCasesTest, APartCanBeRequired) {
  const std::vector<std::string> model = {"run", "first-steps/healthy", "--scanner",
                                          "ollama-model"};
  const auto require = [&](const std::string& name) {
    std::vector<std::string> words = model;
    words.insert(words.end(), {"--filter", "gpus=1,stack=ollama-12", "--require", name});
    return Run(words);
  };
  Ran ran = require("gglm-12");
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err,
            "gpustage: --require: no scanner or part \"gglm-12\"; did you mean \"ggml-12\"?\n");
  ran = require("ggml-12");
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, "gpustage: ggml-12 is required: no case of this selection uses ggml-12\n");
  EXPECT_THAT(ran.out, IsEmpty());
  std::vector<std::string> shard = model;
  shard.insert(shard.end(), {"--shard", "1/2", "--require", "olama"});
  EXPECT_EQ(Run(shard).status, 2) << "of a shard, too";
  // A part that is not here: one that all cases of the selection use, by the tree alone.
  environment_["GPUSTAGE_CACHE"] = Path("no-cache");
  Write(
      "part.yaml",
      "claim: a part\nmachine: {devices: []}\nlayout: []\ntree: [{library: /opt/libggml.so, real: "
      "ggml-12}]\nruns: [{scanner: actor, args: [exit, \"0\"]}]\nexpect: [{devices: 0}]\n");
  ran = Run({"run", Path("part.yaml"), "--scanner", Path("actor.yaml"), "--require", "ggml-12"});
  EXPECT_EQ(ran.status, 77) << ran.out << ran.err;
  EXPECT_THAT(ran.err,
              StartsWith("gpustage: ggml-12 is required: the real part ggml-12 is not here"));
}

TEST_F(ManyCasesTest, TwoFilesOfOneNameAreRefused) {
  for (const char* folder : {"one", "two"}) {
    ASSERT_EQ(mkdir(Path(folder).c_str(), 0700), 0);
    Write(std::string(folder) + "/m.yaml", WholeFile(Path("m.yaml")));
  }
  const Ran ran = Run({"list", Path("one"), Path("two"), "--scanner", Path("actor.yaml"),
                       "--scanner", Path("gone.yaml")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, "gpustage: " + Path("one/m.yaml") + " and " + Path("two/m.yaml") +
                         " are both the scenario \"m\": run them apart, or rename one\n");
}

TEST_F(ManyCasesTest, ShardsOfOtherCasesAreNotMerged) {
  ASSERT_NE(RunAll({"--shard", "1/2", "--report", "json=" + Path("1.json")}).status, 2);
  ASSERT_NE(
      RunAll({"--shard", "2/2", "--filter", "n=1", "--report", "json=" + Path("2.json")}).status,
      2);
  const Ran merged = Run({"merge", Path("1.json"), Path("2.json")});
  EXPECT_EQ(merged.status, 2);
  EXPECT_EQ(merged.err, "gpustage: " + Path("1.json") + " is a shard of 8 cases, and " +
                            Path("2.json") + " one of 1: these are no shards of one run\n");
}

// The format is that of the stream; a line of the other is plain text.
TEST_F(ManyCasesTest, TheLogIsOnItsStream) {
  const auto run = [&](const std::string& stream) {
    Write("logs.yaml",
          std::string("scanner: logs\nabout: it logs\nprogram: {path: ") + GPUSTAGE_ACTOR +
              "}\nat: /bin/actor\nargv: [/bin/actor]\nfits: nothing\ndevices: {read: none}\nlog: "
              "{stream: " +
              stream + ", format: slog}\n");
    Write("l.yaml",
          "claim: a line of the log\nmachine: {devices: []}\nlayout: []\nruns: [{scanner: logs, "
          "args: "
          "[out, \"time=1 level=WARN msg=hello\\n\"]}]\nexpect: [{outcome: {exited: "
          "0}}]\n");
    const Ran ran = Run({"run", Path("l.yaml"), "--scanner", Path("logs.yaml"), "--report",
                         "json=" + Path("l.json")});
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    return json::parse(WholeFile(Path("l.json")))["cases"][0]["log"][0].get<std::string>();
  };
  EXPECT_EQ(run("stdout"), "level=WARN msg=hello");
  EXPECT_EQ(run("any"), "level=WARN msg=hello");
  EXPECT_EQ(run("stderr"), "time=1 level=WARN msg=hello");
}

// ---- What a scanner prints ----------------------------------------------------------------------

TEST_F(ManyCasesTest, WhatAScannerPrintsIsNoCommand) {
  Write("actor.yaml",
        std::string("scanner: actor\nabout: it names its device\nprogram: {path: ") +
            GPUSTAGE_ACTOR +
            "}\nat: /bin/actor\nargv: [/bin/actor]\nfits: nothing\ndevices: {read: json}\n");
  const std::string words =
      R"(out, '[{"name": "a\n::stop-commands::x\u001b]0;title\u0007", "library": "b\u009b31m"}]')";
  const std::string expect = "devices: 2";
  const std::string scenario = Scenario(words, expect);
  const Ran ran = Run({"run", scenario, "--scanner", Path("actor.yaml")});
  EXPECT_EQ(ran.status, 1) << ran.err;
  const Ran traced = Run({"trace", scenario, "--scanner", Path("actor.yaml"), "--timeline"});
  EXPECT_EQ(traced.status, 0) << traced.err;
  for (const std::string& page : {ran.out, traced.out}) {
    EXPECT_THAT(page, HasSubstr("stop-commands"));
    EXPECT_THAT(page, Not(HasSubstr("\n::")));
    EXPECT_THAT(page, Not(HasSubstr("\x1b]")));
    EXPECT_THAT(page, Not(HasSubstr("\xc2\x9b")));
    EXPECT_THAT(page, Not(HasSubstr("\x07")));
  }
}

// An id is a file of evidence, whatever stands in it.
TEST_F(ManyCasesTest, AnIdOfAnyLabelIsAFile) {
  const std::string long_label(300, 'l');
  Write("odd.yaml",
        "claim: odd labels\nmachine: {devices: []}\nlayout: []\nmatrix:\n  a:\n    set: env.A\n    "
        "to: [{as: .., value: x}, {as: " +
            long_label +
            ", value: y}]\nruns: [{scanner: "
            "actor, args: [exit, \"0\"]}]\nexpect: [{devices: 0}]\n");
  const Ran ran = Run({"run", Path("odd.yaml"), "--scanner", Path("actor.yaml"), "--evidence-dir",
                       Path("evidence/deep/folder")});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  const auto files = FilesBelow(Path("evidence"), ".jsonl");
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->size(), 2u);
  EXPECT_THAT(*files, testing::Contains(Path("evidence/deep/folder/odd@a=...actor.jsonl")));
  EXPECT_THAT(Run({"trace", Path("evidence")}).out, HasSubstr("odd@a=.."));
}

}  // namespace
}  // namespace gpustage
