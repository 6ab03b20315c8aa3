#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

using testing::SizeIs;

class TreeTest : public testing::Test {
 protected:
  // The operation that a scenario's tree holds, or the error.
  Result<TreeOp> Read(std::string_view op) {
    const auto cases =
        files_.Load("claim: c\nlayout: [driver]\ntree:\n  - " + std::string(op) + "\n");
    if (!cases) return cases.error();
    return cases->front().tree.back();
  }
  template <typename Op>
  Op As(std::string_view op) {
    const auto read = Read(op);
    EXPECT_THAT(read, IsOk());
    const Op* what = read ? std::get_if<Op>(&read->what) : nullptr;
    EXPECT_NE(what, nullptr);
    return what != nullptr ? *what : Op{};
  }

  ScenarioFiles files_;
};

TEST_F(TreeTest, ReadsDirectoriesAndFiles) {
  EXPECT_EQ(As<MakeDirOp>("dir: /opt"), (MakeDirOp{"/opt", std::nullopt}));
  EXPECT_EQ(As<MakeDirOp>("{dir: /opt, mode: \"0711\"}"), (MakeDirOp{"/opt", 0711}));
  EXPECT_EQ(As<WriteFileOp>("{file: /a, content: \"x\\n\", mode: 0600}"),
            (WriteFileOp{"/a", "x\n", 0600}));
  EXPECT_EQ(As<WriteFileOp>("{file: /a, content: \"\"}"), (WriteFileOp{"/a", "", std::nullopt}));
  EXPECT_EQ(As<WriteFileOp>("{file: /a, size: 3}").content, std::string(3, '\0'));
  EXPECT_EQ(As<WriteFileOp>("{file: /a, content: ab, size: 4}").content, std::string("ab\0\0", 4));
  EXPECT_THAT(As<WriteFileOp>("{file: /a, size: 2 MiB}").content, SizeIs(2 << 20));
}

TEST_F(TreeTest, ReadsLinksByteForByte) {
  EXPECT_EQ(As<SymlinkOp>("{symlink: /a, to: ../b//./c/}"), (SymlinkOp{"/a", "../b//./c/"}));
  EXPECT_EQ(As<SymlinkOp>("{symlink: /a, to: \"\\xFF\"}"), (SymlinkOp{"/a", "\xff"}));
  EXPECT_EQ(As<HardLinkOp>("{hard_link: /a, to: /b}"), (HardLinkOp{"/a", "/b"}));
  EXPECT_EQ(As<CopyOp>("{copy: /a, from: /b}"), (CopyOp{"/a", "/b"}));
}

TEST_F(TreeTest, ReadsChanges) {
  EXPECT_EQ(As<ChmodOp>("{chmod: /a, mode: \"1777\"}"), (ChmodOp{"/a", 01777}));
  EXPECT_EQ(As<ChownOp>("{chown: /a, user: root}"), (ChownOp{"/a", "root", std::nullopt}));
  EXPECT_EQ(As<ChownOp>("{chown: /a, user: 0, group: video}"), (ChownOp{"/a", "0", "video"}));
  EXPECT_EQ(As<RemoveOp>("remove: /a"), (RemoveOp{"/a"}));
}

TEST_F(TreeTest, TakesOddNamesAsBytes) {
  EXPECT_EQ(As<MakeDirOp>("dir: \"/opt/\\xFF\\xFE # \\n\"").path, "/opt/\xff\xfe # \n");
  EXPECT_EQ(As<MakeDirOp>("dir: \"/opt/a b: c\"").path, "/opt/a b: c");
  EXPECT_EQ(As<MakeDirOp>("dir: /opt/größe").path, "/opt/größe");
  EXPECT_EQ(As<MakeDirOp>("dir: /opt/...").path, "/opt/...");
}

TEST_F(TreeTest, TakesAModeInQuotesOrWithALeadingZero) {
  EXPECT_EQ(As<MakeDirOp>("{dir: /a, mode: \"711\"}").mode, 0711u);
  EXPECT_EQ(As<MakeDirOp>("{dir: /a, mode: '0711'}").mode, 0711u);
  EXPECT_EQ(As<MakeDirOp>("{dir: /a, mode: 0711}").mode, 0711u);
  EXPECT_EQ(As<MakeDirOp>("{dir: /a, mode: \"4755\"}").mode, 04755u);
}

TEST_F(TreeTest, FindsFakesInTheirFolder) {
  const auto op =
      As<PlaceLibraryOp>("{library: /usr/lib/libcuda.so.1, fake: cuda-driver, mode: \"0755\"}");
  EXPECT_EQ(op.source, (LibrarySource{LibrarySource::Kind::kFake, "cuda-driver",
                                      files_.Path("fakes/cuda-driver.so"), ""}));
  EXPECT_EQ(op.mode, 0755u);
  EXPECT_THAT(op.broken, testing::IsEmpty());
}

TEST_F(TreeTest, SaysWhyARealPartIsMissing) {
  const auto missing = As<PlaceLibraryOp>("{library: /a.so, real: ggml-cuda-12}").source;
  EXPECT_EQ(missing.host_path, "");
  EXPECT_EQ(missing.missing, "the real part ggml-12 is not here: run harness/dev real");
  mkdir(files_.Path("real/ggml-12").c_str(), 0755);
  files_.Write("real/ggml-12/libggml-cuda.so", "");
  const auto there = As<PlaceLibraryOp>("{library: /a.so, real: ggml-cuda-12}").source;
  EXPECT_EQ(there.host_path, files_.Path("real/ggml-12/libggml-cuda.so"));
  EXPECT_EQ(there.missing, "");
}

TEST_F(TreeTest, FindsAFileOfTheUserBesideTheScenario) {
  files_.Write("scenarios/shim.so", "");
  const auto source = As<PlaceLibraryOp>("{library: /a.so, file: shim.so}").source;
  EXPECT_EQ(source, (LibrarySource{LibrarySource::Kind::kFile, "shim.so",
                                   files_.Path("scenarios/shim.so"), ""}));
}

TEST_F(TreeTest, ReadsEveryWayToBeBroken) {
  const auto broken = [&](std::string_view how) {
    const std::vector<Breakage> ways =
        As<PlaceLibraryOp>("{library: /a.so, fake: cudart-12, broken: " + std::string(how) + "}")
            .broken;
    EXPECT_THAT(ways, testing::SizeIs(1)) << how;
    return ways.empty() ? Breakage() : ways.front();
  };
  using Kind = Breakage::Kind;
  EXPECT_EQ(broken("{empty: true}"), (Breakage{Kind::kEmpty, 0, ""}));
  EXPECT_EQ(broken("{truncated: 4096}"), (Breakage{Kind::kTruncated, 4096, ""}));
  EXPECT_EQ(broken("{text: \"version https://git-lfs\"}"),
            (Breakage{Kind::kText, 0, "version https://git-lfs"}));
  EXPECT_EQ(broken("{class: 32}"), (Breakage{Kind::kWrongClass, 0, ""}));
  EXPECT_EQ(broken("{git_lfs: true}"), (Breakage{Kind::kGitLfs, 0, ""}));
  EXPECT_EQ(broken("{machine: arm64}"), (Breakage{Kind::kWrongMachine, 0, ""}));
  EXPECT_EQ(broken("{endian: big}"), (Breakage{Kind::kBigEndian, 0, ""}));
  EXPECT_EQ(broken("{soname: libx.so}"), (Breakage{Kind::kSoname, 0, "libx.so"}));
  EXPECT_EQ(broken("{soname: none}"), (Breakage{Kind::kSoname, 0, ""}));
  EXPECT_EQ(broken("{version_node: CUBLAS_12.0}"),
            (Breakage{Kind::kVersionNode, 0, "CUBLAS_12.0"}));
  EXPECT_EQ(broken("{version_node_lacks: cudaFree}"),
            (Breakage{Kind::kVersionNodeLacks, 0, "", {"cudaFree"}}));
  EXPECT_EQ(broken("{version_table: none}"), (Breakage{Kind::kVersionTable, 0, ""}));
  EXPECT_EQ(broken("{symbol_absent: [cuInit, cuMemMap]}"),
            (Breakage{Kind::kSymbolAbsent, 0, "", {"cuInit", "cuMemMap"}}));
  EXPECT_EQ(broken("{undefined: of_a_sibling}"), (Breakage{Kind::kUndefined, 0, "of_a_sibling"}));
  EXPECT_EQ(broken("{needs: libgone.so.1}"), (Breakage{Kind::kNeeds, 0, "libgone.so.1"}));
  EXPECT_EQ(broken("{needs_version: GLIBC_2.99}"),
            (Breakage{Kind::kNeedsVersion, 0, "GLIBC_2.99"}));
  EXPECT_EQ(broken("{rpath: $ORIGIN/x}"), (Breakage{Kind::kRpath, 0, "$ORIGIN/x"}));
  EXPECT_EQ(broken("{runpath: none}"), (Breakage{Kind::kRunpath, 0, ""}));
  EXPECT_EQ(broken("{stack: executable}"), (Breakage{Kind::kExecutableStack, 0, ""}));
  EXPECT_EQ(broken("{static_tls: 1 MiB}"), (Breakage{Kind::kStaticTls, 1 << 20, ""}));
  EXPECT_EQ(broken("{constructor_prints: hello}"),
            (Breakage{Kind::kConstructorPrints, 0, "hello"}));
  EXPECT_EQ(broken("{constructor_sleeps_ms: 5}"), (Breakage{Kind::kConstructorSleeps, 5, ""}));
  EXPECT_EQ(broken("{constructor_aborts: true}"), (Breakage{Kind::kConstructorAborts, 0, ""}));
  EXPECT_EQ(broken("{constructor_crashes: true}"), (Breakage{Kind::kConstructorCrashes, 0, ""}));
}

TEST_F(TreeTest, ReadsSeveralWaysToBeBroken) {
  using Kind = Breakage::Kind;
  EXPECT_THAT(As<PlaceLibraryOp>("{library: /a.so, fake: cudart-12, broken: {runpath: /opt, "
                                 "needs: [libb.so, liba.so], soname: x}}")
                  .broken,
              testing::ElementsAre(
                  Breakage{Kind::kSoname, 0, "x"}, Breakage{Kind::kNeeds, 0, "libb.so"},
                  Breakage{Kind::kNeeds, 0, "liba.so"}, Breakage{Kind::kRunpath, 0, "/opt"}));
}

TEST_F(TreeTest, KnowsWhatABackendWasBuiltFor) {
  files_.Write("fakes/ggml-cuda-ollama-13.so", "");
  EXPECT_THAT(
      As<PlaceLibraryOp>("{library: /a.so, fake: ggml-cuda-ollama-13, archs: [7.5, 12.0]}").archs,
      testing::ElementsAre(ComputeCapability{7, 5}, ComputeCapability{12, 0}));
}

TEST_F(TreeTest, RunsLdconfig) {
  EXPECT_EQ(As<LdconfigOp>("{ldconfig: /etc/ld.so.cache}").path, "/etc/ld.so.cache");
}

TEST_F(TreeTest, LetsOneCopyOfALibrarySayOtherwise) {
  const auto op = As<PlaceLibraryOp>(
      "{library: /a.so, fake: cudart-12, machine: {driver: 535.54.03, cuda: 12.2}}");
  ASSERT_TRUE(op.machine);
  EXPECT_THAT(op.machine->keys, testing::ElementsAre("driver", "cuda"));
  EXPECT_EQ(op.machine->machine.driver, "535.54.03");
  EXPECT_EQ(op.machine->machine.cuda_version, 12020);
}

TEST_F(TreeTest, RemembersWhereThePathStands) {
  const auto op = Read("{dir: /opt, mode: \"0711\"}");
  ASSERT_THAT(op, IsOk());
  EXPECT_EQ(op->pos.line, 4);
  EXPECT_EQ(op->pos.column, 11);
  EXPECT_EQ(op->pos.length, 4);
}

}  // namespace
}  // namespace gpustage
