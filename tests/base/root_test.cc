// Nothing that a scenario says reaches out of its root.
#include "harness/base/root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/files.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

class RootTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mkdir(Host("tree").c_str(), 0755), 0);
    ASSERT_THAT(WriteFile(Host("secret"), "of the host"), IsOk());
    root_.emplace(*Root::Open(Host("tree")));
    ASSERT_THAT(root_->WriteFile("/file", "of the tree", 0644), IsOk());
  }
  void TearDown() override {
    EXPECT_THAT(ReadFile(Host("secret")), IsOkAnd(std::string("of the host")));
  }

  std::string Host(const std::string& name) const { return scratch_.path() + "/" + name; }
  void Link(const std::string& to, const std::string& name) {
    ASSERT_EQ(symlink(to.c_str(), Host("tree/" + name).c_str()), 0);
  }
  // What a read of it gives, or "" with errno.
  std::string Read(const std::string& path) {
    const Fd fd = root_->At(path, O_RDONLY);
    char text[64];
    const ssize_t n = fd ? read(fd.get(), text, sizeof text) : 0;
    return std::string(text, n > 0 ? static_cast<size_t>(n) : 0);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::Make();
  std::optional<Root> root_;
};

TEST_F(RootTest, TakesPathsFromItself) {
  EXPECT_EQ(Read("/file"), "of the tree");
  EXPECT_EQ(Read("file"), "of the tree");
}

TEST_F(RootTest, StaysInsideWhateverTheDots) {
  for (const char* path : {"/../secret", "../secret", "/../../../../secret", "/./.././../secret"}) {
    EXPECT_EQ(Read(path), "") << path;
    EXPECT_EQ(errno, ENOENT) << path;
  }
  EXPECT_EQ(Read("/../../file"), "of the tree");
}

TEST_F(RootTest, StaysInsideWhateverTheLinks) {
  Link("/", "up");
  Link("../../../..", "dots");
  Link(Host("secret"), "host");
  Link("/file", "inside");
  EXPECT_EQ(Read("/up/file"), "of the tree");
  EXPECT_EQ(Read("/dots/file"), "of the tree");
  EXPECT_EQ(Read("/inside"), "of the tree");
  EXPECT_EQ(Read("/host"), "");
  EXPECT_EQ(Read("/up/../secret"), "");
  EXPECT_EQ(Read("/up" + Host("secret")), "");
}

TEST_F(RootTest, FollowsNoMagicLinkOfProc) {
  Link("/proc/self/root/etc/passwd", "proc");
  EXPECT_EQ(Read("/proc"), "");
}

// A library that a scanner has loaded may be a FIFO by the time that it is read.
TEST_F(RootTest, ReadsRegularFilesAndWaitsForNothingElse) {
  alarm(60);  // a hang is no red line: the program ends
  ASSERT_EQ(mkfifo(Host("tree/fifo").c_str(), 0666), 0);
  ASSERT_EQ(mkdir(Host("tree/dir").c_str(), 0755), 0);
  Link("/fifo", "link");
  for (const char* path : {"/fifo", "/dir", "/link"})
    EXPECT_FALSE(root_->ReadRegular(path)) << path;
  EXPECT_TRUE(root_->ReadRegular("/file"));
  alarm(0);
}

TEST_F(RootTest, WritesInsideThroughALinkThatPointsOut) {
  Link(scratch_.path(), "out");
  ASSERT_THAT(root_->WriteFile("/out/secret", "of the tree", 0644), testing::Not(IsOk()));
  Link("/", "top");
  ASSERT_THAT(root_->WriteFile("/top/new", "x", 0644), IsOk());
  EXPECT_TRUE(FileExists(Host("tree/new")));
}

TEST_F(RootTest, ReplacesALinkAndNotWhatItPointsTo) {
  Link(Host("secret"), "link");
  ASSERT_THAT(root_->WriteFile("/link", "new", 0644), IsOk());
  EXPECT_EQ(Read("/link"), "new");
}

TEST_F(RootTest, WantsANameAtTheEndOfAPath) {
  EXPECT_THAT(root_->FindPlace("/.."), FailsWith("\"/..\" does not end in a name"));
  EXPECT_THAT(root_->FindPlace("/a/../.."), FailsWith("\"/a/../..\" does not end in a name"));
  EXPECT_THAT(root_->FindPlace("/."), FailsWith("\"/.\" does not end in a name"));
  EXPECT_THAT(root_->FindPlace("/"), FailsWith("\"/\" does not end in a name"));
  EXPECT_THAT(root_->WriteFile("/..", "", 0644), FailsWith("\"/..\" does not end in a name"));
}

TEST_F(RootTest, MakesDirectoriesWithoutTheUmask) {
  const mode_t before = umask(077);
  ASSERT_THAT(root_->MakeDirectory("/a/b/c"), IsOk());
  ASSERT_THAT(root_->WriteFile("/a/f", "", 0666), IsOk());
  umask(before);
  struct stat made;
  for (const char* path : {"tree/a", "tree/a/b", "tree/a/b/c"}) {
    ASSERT_EQ(stat(Host(path).c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 07777, 0755u) << path;
  }
  ASSERT_EQ(stat(Host("tree/a/f").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777, 0666u);
}

TEST_F(RootTest, LeavesADirectoryThatIsThereAsItIs) {
  ASSERT_EQ(mkdir(Host("tree/shut").c_str(), 0700), 0);
  ASSERT_THAT(root_->MakeDirectory("/shut"), IsOk());
  struct stat found;
  ASSERT_EQ(stat(Host("tree/shut").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0700u);
}

TEST_F(RootTest, MakesNoDirectoryWhereAFileIs) {
  EXPECT_THAT(root_->MakeDirectory("/file/below"),
              FailsWith("cannot make the directory /file/below: Not a directory"));
}

}  // namespace
}  // namespace gpustage
