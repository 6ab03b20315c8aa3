#include "harness/diagnose/flat_case.h"

#include <algorithm>
#include <random>

#include "harness/diagnose/trials.h"
#include "harness/pipeline.h"
#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

constexpr char kDirectory[] = "/usr/local/lib/ollama/cuda_v12";

FlatEntry Link(const std::string& to) {
  FlatEntry entry;
  entry.kind = FlatEntry::Kind::kLink;
  entry.text = to;
  return entry;
}

TEST(FlatTree, FollowsLinksOfTheTreeAndOfAPlainSystem) {
  const FlatTree tree = {{"/usr/lib/a.so", Link("../lib/b.so")}, {"/usr/lib/b.so", FlatEntry{}}};
  EXPECT_EQ(RealPath(tree, "/lib/a.so"), "/usr/lib/b.so");
}

TEST(FlatTree, LinksInACircleEndWhereTheyBegan) {
  const FlatTree tree = {{"/a", Link("/b")}, {"/b", Link("/a")}};
  EXPECT_EQ(RealPath(tree, "/a"), "/a");
}

using FlatCaseTest = DiagnoseTest;

TEST_F(FlatCaseTest, HasNothingOfItsAuthor) {
  const FlatCase flat =
      FlatOf(CaseOf("tags: [a-tag]\ntree:\n  - {chmod: /usr/local/lib/ollama/cuda_v12, mode: "
                    "\"0700\"}\n  - {chmod: /usr/local/lib/ollama/cuda_v12, mode: \"0711\"}\n"));
  EXPECT_EQ(flat.c.id + flat.c.scenario + flat.c.file + flat.c.claim, "");
  EXPECT_TRUE(flat.c.tags.empty() && flat.c.tree.empty() && flat.c.expect.empty());
  EXPECT_EQ(flat.c.runs.front().name, "ollama-model");
  EXPECT_EQ(flat.c.machine.devices.front().profile, "");
  EXPECT_EQ(flat.tree.at(kDirectory).mode, 0711U);  // what it is, not how it came about
}

// In whatever order it was written.
TEST_F(FlatCaseTest, ShuffledLinesOfTheAuthorMakeTheSameMachine) {
  std::vector<std::string> tree = {"{file: /opt/b, content: text}", "{symlink: /opt/a, to: b}",
                                   "{chmod: /usr/local/lib/ollama/cuda_v12, mode: \"0711\"}",
                                   "{remove: /usr/local/lib/ollama/cuda_v12/libcublas.so.12}"};
  std::vector<std::string> env = {"B: b", "A: a", "CUDA_VISIBLE_DEVICES: \"\""};
  const auto key = [&] {
    std::string lines = "env: {" + env[0] + ", " + env[1] + ", " + env[2] + "}\ntree:\n";
    for (const std::string& one : tree) lines += "  - " + one + "\n";
    const FlatCase flat = FlatOf(CaseOf(lines));
    std::string text = KeyOf(flat);
    for (const TreeOp& op : ToCase(flat).tree) text += ToString(op) + '\n';
    for (const EnvVar& variable : flat.c.env) text += variable.name + '\n';
    return text;
  };
  const std::string first = key();
  std::mt19937 random(16);
  for (int round = 0; round < 3; ++round) {
    std::shuffle(tree.begin(), tree.end(), random);
    std::shuffle(env.begin(), env.end(), random);
    EXPECT_EQ(key(), first);
  }
}

TEST_F(FlatCaseTest, WhatItsAuthorTookAwayIsNotThereAtAll) {
  const FlatCase flat =
      FlatOf(CaseOf("tree: [{remove: /usr/local/lib/ollama/cuda_v12/libcublas.so.12}]\n"));
  EXPECT_EQ(flat.tree.count(std::string(kDirectory) + "/libcublas.so.12"), 0U);
  EXPECT_EQ(flat.tree.count(std::string(kDirectory) + "/libcublas.so.12.8.4.1"), 1U);
}

TEST_F(FlatCaseTest, ABrokenLibraryIsAFileThatNoPackageHas) {
  const FlatCase flat =
      FlatOf(CaseOf("tree: [{library: /usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90, fake: "
                    "cudart-12, broken: {version_table: none}}]\n"));
  const std::string path = std::string(kDirectory) + "/libcudart.so.12.8.90";
  const FlatEntry& entry = flat.tree.at(path);
  for (const LibrarySource& known : TheKnowledge().packages.images())
    EXPECT_NE(entry.source.host_path, known.host_path);
  EXPECT_EQ(flat.tree.at(std::string(kDirectory) + "/libggml-cuda.so").source.name,
            "ggml-cuda-ollama-12");
}

TEST_F(FlatCaseTest, ANodeThatIsGoneIsAbsent) {
  const FlatCase flat = FlatOf(CaseOf("tree: [{remove: /dev/nvidia-uvm}]\n"));
  EXPECT_EQ(flat.tree.at("/dev/nvidia-uvm").kind, FlatEntry::Kind::kAbsent);
}

// What ldconfig wrote before something came or went is what a scanner finds.
TEST_F(FlatCaseTest, ALoadersCacheThatIsOlderThanItsLibrariesStaysAsItIs) {
  const std::string library = "{library: /usr/local/lib/libcuda.so.1, fake: cuda, mode: \"0644\"}";
  const auto flat = [&](const std::string& ops) { return FlatOf(CaseOf("tree: [" + ops + "]\n")); };
  const FlatCase older = flat("{ldconfig: /etc/ld.so.cache}, " + library);
  ASSERT_EQ(older.tree.count(kLoaderCache), 1U);
  EXPECT_NE(older.tree.at(kLoaderCache).kind, FlatEntry::Kind::kAbsent);
  EXPECT_EQ(flat(library + ", {ldconfig: /etc/ld.so.cache}").tree.count(kLoaderCache), 0U);
  const FlatCase gone = flat(library + ", {remove: /etc/ld.so.cache}");
  EXPECT_EQ(gone.tree.at(kLoaderCache).kind, FlatEntry::Kind::kAbsent);
}

// What a scanner counts in the flattened machine is what it counts in its author's: every case of
// these.
TEST_F(FlatCaseTest, IsTheSameMachineToAScanner) {
  const Catalog catalog = FindCatalog({});
  for (const char* folder :
       {"/first-steps/links.yaml", "/broken", "/ordinary-system/built-for.yaml",
        "/search-path/stubs-folder-registered-with-the-loader.yaml"}) {
    const Result<std::vector<std::string>> files = DiscoverScenarios({catalog.scenarios + folder});
    ASSERT_THAT(files, IsOk());
    for (const std::string& file : *files) {
      const Result<std::vector<Case>> cases = LoadCases(file, catalog);
      ASSERT_THAT(cases, IsOk());
      for (const Case& c : *cases) {
        if (!c.runs.front().scanner.missing.empty() || !TheRunner().CannotStage(c).empty())
          continue;
        const CaseReport usual = RunCase(c, TheRunner());
        Trials trials(TheRunner(), 1, 1, nullptr);
        const AttemptResult flat = trials.Run({FlatOf(c)}).front();
        EXPECT_EQ(flat->count, usual.runs.front().evidence.device_count) << c.id;
      }
    }
  }
}

}  // namespace
}  // namespace gpustage
