#include "tests/stage/stage_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

class BuildStageTest : public StageTest {};

TEST_F(BuildStageTest, KeepsTheTextOfLinks) {
  ASSERT_THAT(Build({{SymlinkOp{"/lib/relative", "../x/y"}, {}},
                     {SymlinkOp{"/lib/absolute", "/usr/lib/y"}, {}},
                     {SymlinkOp{"/lib/dangling", "nowhere"}, {}},
                     {SymlinkOp{"/lib/loop", "loop"}, {}},
                     {SymlinkOp{"/lib/bytes", "\xff\n ->"}, {}}}),
              IsOk());
  EXPECT_EQ(LinkText("/lib/relative"), "../x/y");
  EXPECT_EQ(LinkText("/lib/absolute"), "/usr/lib/y");
  EXPECT_EQ(LinkText("/lib/dangling"), "nowhere");
  EXPECT_EQ(LinkText("/lib/loop"), "loop");
  EXPECT_EQ(LinkText("/lib/bytes"), "\xff\n ->");
}

TEST_F(BuildStageTest, GoesThroughLinksInsideTheRoot) {
  ASSERT_THAT(Build({{MakeDirOp{"/real/dir", {}}, {}},
                     {SymlinkOp{"/chain", "/hop"}, {}},
                     {SymlinkOp{"/hop", "real/dir"}, {}},
                     {WriteFileOp{"/chain/file", "here", {}}, {}},
                     {SymlinkOp{"/out", "/../../../.."}, {}},
                     {WriteFileOp{"/out/top", "inside", {}}, {}}}),
              IsOk());
  EXPECT_EQ(Content("/real/dir/file"), "here");
  EXPECT_EQ(Content("/top"), "inside");
}

TEST_F(BuildStageTest, NeverWritesThroughALinkToTheHost) {
  const std::string secret = HostFileOf("secret", "of the host");
  ASSERT_THAT(
      Build({{SymlinkOp{"/link", secret}, {}}, {WriteFileOp{"/link", "of the tree", {}}, {}}}),
      IsOk());
  EXPECT_EQ(Content("/link"), "of the tree");
  EXPECT_THAT(ReadFile(secret), IsOkAnd(std::string("of the host")));
  // Resolved inside, the chain of directories is missing there.
  EXPECT_THAT(Build({{SymlinkOp{"/link", secret}, {}}, {ChmodOp{"/link", 0777}, {}}}),
              FailsWith("cannot change /link: No such file or directory"));
}

TEST_F(BuildStageTest, NeverRemovesWhatIsAroundTheRoot) {
  EXPECT_THAT(Build({{RemoveOp{"/.."}, {}}}), FailsWith("\"/..\" does not end in a name"));
  EXPECT_THAT(Build({{ChownOp{"/..", "nobody", {}}, {}}}),
              FailsWith("\"/..\" does not end in a name"));
  ASSERT_THAT(Build({{SymlinkOp{"/dir", outside_}, {}}, {RemoveOp{"/dir"}, {}}}), IsOk());
  EXPECT_TRUE(IsDirectory(outside_));
}

TEST_F(BuildStageTest, SetsModesWhateverTheUmask) {
  const mode_t before = umask(077);
  const Status built = Build({{MakeDirOp{"/d", {}}, {}},
                              {MakeDirOp{"/shut", 0711}, {}},
                              {WriteFileOp{"/f", "", {}}, {}},
                              {WriteFileOp{"/odd", "", 06640}, {}},
                              {MakeDirOp{"/tmp", 01777}, {}}});
  umask(before);
  ASSERT_THAT(built, IsOk());
  EXPECT_EQ(Mode("/"), 0755u);
  EXPECT_EQ(Mode("/d"), 0755u);
  EXPECT_EQ(Mode("/shut"), 0711u);
  EXPECT_EQ(Mode("/f"), 0644u);
  EXPECT_EQ(Mode("/odd"), 06640u);
  EXPECT_EQ(Mode("/tmp"), 01777u);
}

TEST_F(BuildStageTest, ChangesTheModeOfWhatALinkEndsAt) {
  ASSERT_THAT(
      Build(
          {{WriteFileOp{"/f", "", {}}, {}}, {SymlinkOp{"/l", "f"}, {}}, {ChmodOp{"/l", 0600}, {}}}),
      IsOk());
  EXPECT_EQ(Mode("/f"), 0600u);
}

TEST_F(BuildStageTest, ChangesTheOwnerOfTheLinkItself) {
  if (OneUid()) GTEST_SKIP() << "needs a second uid";
  ASSERT_THAT(Build({{WriteFileOp{"/f", "", {}}, {}},
                     {SymlinkOp{"/l", "f"}, {}},
                     {ChownOp{"/l", "nobody", "video"}, {}},
                     {ChownOp{"/f", std::nullopt, "44"}, {}}}),
              IsOk());
  EXPECT_EQ(Stat("/l").st_uid, 65534u);
  EXPECT_EQ(Stat("/l").st_gid, 44u);
  EXPECT_EQ(Stat("/f").st_uid, 0u);
  EXPECT_EQ(Stat("/f").st_gid, 44u);
}

TEST_F(BuildStageTest, KnowsTheUsersOfTheTreeOnly) {
  EXPECT_THAT(
      Build({{WriteFileOp{"/f", "", {}}, {}}, {ChownOp{"/f", "daemon", {}}, {"s.yaml", 7, 5}}}),
      FailsAt(7, 5, "no user daemon in the tree"));
}

TEST_F(BuildStageTest, TakesNamesAsBytes) {
  ASSERT_THAT(Build({{WriteFileOp{"/\xff\xfe", "1", {}}, {}},
                     {WriteFileOp{"/two\nlines", "2", {}}, {}},
                     {WriteFileOp{"/ lib -> x", "3", {}}, {}},
                     {WriteFileOp{"/...", "4", {}}, {}}}),
              IsOk());
  EXPECT_EQ(Content("/\xff\xfe"), "1");
  EXPECT_EQ(Content("/two\nlines"), "2");
  EXPECT_EQ(Content("/ lib -> x"), "3");
  EXPECT_EQ(Content("/..."), "4");
}

TEST_F(BuildStageTest, MakesHardLinksOneFileAndCopiesTwo) {
  ASSERT_THAT(Build({{WriteFileOp{"/f", "text", 0640}, {}},
                     {HardLinkOp{"/hard", "/f"}, {}},
                     {CopyOp{"/copy", "/f"}, {}}}),
              IsOk());
  EXPECT_EQ(Stat("/hard").st_ino, Stat("/f").st_ino);
  EXPECT_NE(Stat("/copy").st_ino, Stat("/f").st_ino);
  EXPECT_EQ(Content("/copy"), "text");
  EXPECT_EQ(Mode("/copy"), 0640u);
}

TEST_F(BuildStageTest, LetsALaterStepReplaceAnEarlierOne) {
  ASSERT_THAT(Build({{WriteFileOp{"/a", "1", {}}, {}},
                     {SymlinkOp{"/a", "b"}, {}},
                     {WriteFileOp{"/dir/below", "", {}}, {}},
                     {SymlinkOp{"/dir", "a"}, {}}}),
              IsOk());
  EXPECT_EQ(LinkText("/a"), "b");
  EXPECT_EQ(LinkText("/dir"), "a");
}

TEST_F(BuildStageTest, RemovesFilesLinksAndWholeDirectories) {
  ASSERT_THAT(Build({{WriteFileOp{"/d/e/f", "", {}}, {}},
                     {SymlinkOp{"/l", "d"}, {}},
                     {RemoveOp{"/l"}, {}},
                     {WriteFileOp{"/g", "", {}}, {}},
                     {RemoveOp{"/g"}, {}}}),
              IsOk());
  EXPECT_TRUE(FileExists(Host("/d/e/f")));
  EXPECT_FALSE(FileExists(Host("/l")) || FileExists(Host("/g")));
  ASSERT_THAT(Change({{RemoveOp{"/d"}, {}}}), IsOk());
  EXPECT_FALSE(FileExists(Host("/d")));
}

TEST_F(BuildStageTest, PointsAtTheStepThatFailed) {
  const SourcePos pos = {"links.yaml", 12, 5};
  EXPECT_THAT(Build({{RemoveOp{"/missing"}, pos}}),
              FailsWith("links.yaml:12:5: cannot remove /missing: No such file or directory"));
  EXPECT_THAT(Build({{HardLinkOp{"/a", "/missing"}, pos}}), FailsAt(12, 5, "cannot hard-link /a"));
  EXPECT_THAT(Build({{CopyOp{"/a", "/missing"}, pos}}),
              FailsAt(12, 5, "cannot copy from /missing"));
  EXPECT_THAT(Build({{ChmodOp{"/missing", 0755}, pos}}), FailsAt(12, 5, "cannot change /missing"));
  EXPECT_THAT(Build({{SymlinkOp{"/l", "l"}, {}}, {WriteFileOp{"/l/f", "", {}}, pos}}),
              FailsAt(12, 5, "Too many levels of symbolic links"));
}

}  // namespace
}  // namespace gpustage
