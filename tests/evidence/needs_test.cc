// What a library needed, and by which rule it was found.
#include "harness/evidence/loader/needs.h"

#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kLibrary[] = "/opt/libggml-cuda.so";

Evidence Decoded(const RawRun& run) { return Decode(run, {}, {kLibrary}); }
HandMadeRun Loaded(const std::string& path = "/a:/b/c/:/d") {
  return HandMadeRun()
      .Process(7, 1, "/bin/scan", "scan", "LD_LIBRARY_PATH=" + path)
      .Search(7, 1, kLibrary)
      .Load(7, 50, kLibrary);
}
std::vector<Need> Needs(const RawRun& run) {
  const Evidence evidence = Decoded(run);
  return NeedsOf(evidence, evidence.funnel.front());
}
// The rule by which the last candidate was found.
std::string Rule(const std::string& path, uint32_t flag, const std::string& list = "/a:/b/c/:/d") {
  const auto needs =
      Needs(Loaded(list).Search(7, 50, "libx.so").Search(7, 50, path, flag).Load(7, 60, path));
  return needs.empty() ? "" : needs.front().rule;
}

TEST(NeedsOf, NamesTheRule) {
  EXPECT_EQ(Rule("/a/libx.so", LA_SER_LIBPATH), "LD_LIBRARY_PATH[1]");
  EXPECT_EQ(Rule("/b/c/libx.so", LA_SER_LIBPATH), "LD_LIBRARY_PATH[2]");
  EXPECT_EQ(Rule("/b/c/glibc-hwcaps/x86-64-v3/libx.so", LA_SER_LIBPATH), "LD_LIBRARY_PATH[2]");
  EXPECT_EQ(Rule("/elsewhere/libx.so", LA_SER_LIBPATH), "RPATH");
  EXPECT_EQ(Rule("/elsewhere/libx.so", LA_SER_RUNPATH), "RUNPATH");
  EXPECT_EQ(Rule("/lib/libx.so", LA_SER_CONFIG), "ld.so.cache");
  EXPECT_EQ(Rule("/lib/libx.so", LA_SER_DEFAULT), "default directory");
  EXPECT_EQ(Rule("/a/b/libx.so", LA_SER_LIBPATH, "/a:/a/b"), "LD_LIBRARY_PATH[2]");
}

// "LD_LIBRARY_PATH=/a:" is what `export LD_LIBRARY_PATH=/a:$LD_LIBRARY_PATH` makes of none.
TEST(NeedsOf, TakesNoAbsolutePathForTheEmptyEntrys) {
  EXPECT_EQ(Rule("/elsewhere/libx.so", LA_SER_LIBPATH, "/a:"), "RPATH");
  EXPECT_EQ(Rule("/elsewhere/libx.so", LA_SER_LIBPATH, ":/a"), "RPATH");
  EXPECT_EQ(Rule("./libx.so", LA_SER_LIBPATH, "/a:"), "LD_LIBRARY_PATH[2]");
}

TEST(NeedsOf, TakesNoFolderBelowAnEntryForTheEntry) {
  EXPECT_EQ(Rule("/opt/cuda/lib/libx.so", LA_SER_LIBPATH, "/opt"), "RPATH");
  EXPECT_EQ(Rule("/opt/cuda/lib/libx.so", LA_SER_LIBPATH, "/opt:/opt/cuda/lib"),
            "LD_LIBRARY_PATH[2]");
}

TEST(NeedsOf, FollowsWhoAsks) {
  const auto needs = Needs(Loaded()
                               .Search(7, 50, "libx.so")
                               .Search(7, 50, "/a/libx.so", LA_SER_LIBPATH)
                               .Load(7, 60, "/a/libx.so")
                               .Search(7, 60, "liby.so")
                               .Search(7, 60, "/a/liby.so", LA_SER_LIBPATH)
                               .Search(7, 60, "/lib/liby.so", LA_SER_DEFAULT)
                               .Unload(7, 50));
  ASSERT_EQ(needs.size(), 2u);
  EXPECT_EQ(needs[0].found, "/a/libx.so");
  EXPECT_EQ(needs[0].requester, kLibrary);
  EXPECT_EQ(needs[1].requester, "/a/libx.so");
  EXPECT_EQ(needs[1].found, "");
  EXPECT_THAT(needs[1].tried, ElementsAre(Tried{"/a/liby.so", "LD_LIBRARY_PATH[1]"},
                                          Tried{"/lib/liby.so", "default directory"}));
  EXPECT_EQ(CountByRule(PlacesOf(needs[1])), "LD_LIBRARY_PATH 1, default directories 1");
}

TEST(NeedsOf, EndsWhereTheLoadEnds) {
  EXPECT_THAT(Needs(Loaded().Symbol(7, 50, "ggml_backend_init").Search(7, 50, "libx.so")),
              IsEmpty());
  EXPECT_THAT(Needs(Loaded().Search(7, 1, "/opt/other.so").Search(7, 51, "libx.so")), IsEmpty());
  EXPECT_THAT(Needs(Loaded().Search(8, 50, "libx.so")), IsEmpty());
}

TEST(NameRules, GivesALoadTheRuleOfTheSearchJustBefore) {
  const Evidence evidence = Decoded(Loaded()
                                        .Search(7, 50, "libx.so")
                                        .Search(7, 50, "/lib/libx.so", LA_SER_CONFIG)
                                        .Load(7, 60, "/lib/libx.so"));
  EXPECT_EQ(evidence.At(6).found_by, "ld.so.cache");
  EXPECT_EQ(evidence.At(3).found_by, "");  // asked for by its path
}

TEST(VariableOf, TellsUnsetFromEmpty) {
  const Process process{7, 1, "/p", {"p"}, {"A=", "AB=1"}, "p", 1, true, "", 0};
  EXPECT_EQ(VariableOf(&process, "A"), "");
  EXPECT_EQ(VariableOf(&process, "B"), std::nullopt);
  EXPECT_EQ(VariableOf(nullptr, "A"), std::nullopt);
}

// ld.so (8).
TEST(GivenToLoader, IsWhatStandsBehindTheOptions) {
  Process process;
  process.executable = "/lib64/ld-linux-x86-64.so.2";
  process.argv = {"ld.so", "--library-path", "/opt/lib", "--inhibit-cache", "/bin/scan", "/data"};
  EXPECT_EQ(GivenToLoader(process), "/bin/scan");
  process.argv = {"ld.so", "--list-diagnostics"};
  EXPECT_EQ(GivenToLoader(process), "");
  process.executable = "/bin/scan";
  process.argv = {"scan", "/data"};
  EXPECT_EQ(GivenToLoader(process), "");
}

}  // namespace
}  // namespace gpustage
