// Where a path of a tree ends, and which of its components refuses whom.
#include "harness/run/look.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Pair;

const Identity kOther = {54321, 54321};  // who owns nothing here

class LookTest : public testing::Test {
 protected:
  LookTest() {
    EXPECT_NE(mkdtemp(directory_), nullptr);
    EXPECT_EQ(chmod(directory_, 0755), 0);
    Result<Root> root = Root::Open(directory_);
    EXPECT_THAT(root, IsOk());
    root_.emplace(*std::move(root));
  }
  ~LookTest() override { std::filesystem::remove_all(directory_); }

  void File(const std::string& path, mode_t mode) {
    EXPECT_THAT(root_->WriteFile(path, "x", mode), IsOk());
    Chmod(path, mode);
  }
  void Chmod(const std::string& path, mode_t mode) {
    EXPECT_EQ(chmod((std::string(directory_) + path).c_str(), mode), 0);
  }
  void Link(const std::string& path, const std::string& to) {
    EXPECT_EQ(symlink(to.c_str(), (std::string(directory_) + path).c_str()), 0);
  }
  Looked At(const std::string& path, Want want = Want::kRead) {
    return LookAt(*root_, path, kOther, want);
  }

  char directory_[32] = "/tmp/gpustage-look-XXXXXX";
  std::optional<Root> root_;
};

TEST_F(LookTest, FindsNothingInTheWayOfAFileThatAllMayRead) {
  File("/a/b/lib.so", 0644);
  EXPECT_EQ(At("/a/b/lib.so").error, 0);
}

TEST_F(LookTest, NamesTheFirstDirectoryThatMayNotBeEntered) {
  File("/a/b/c/lib.so", 0644);
  Chmod("/a/b", 0700);
  const Looked looked = At("/a/b/c/lib.so");
  EXPECT_EQ(looked.error, EACCES);
  EXPECT_TRUE(looked.entering);
  EXPECT_EQ(looked.end, "/a/b");
  EXPECT_EQ(looked.mode & 07777, 0700u);
}

TEST_F(LookTest, TellsEnteringFromListing) {
  File("/a/b/lib.so", 0644);
  Chmod("/a/b", 0711);
  EXPECT_EQ(At("/a/b/lib.so").error, 0);
  const Looked listed = At("/a/b", Want::kList);
  EXPECT_EQ(listed.error, EACCES);
  EXPECT_FALSE(listed.entering);
}

TEST_F(LookTest, FollowsALinkToTheComponentThatStopsIt) {
  File("/closed/lib.so", 0644);
  Chmod("/closed", 0700);
  Link("/lib.so", "closed/lib.so");
  const Looked looked = At("/lib.so");
  EXPECT_THAT(looked.links, ElementsAre(Pair("/lib.so", "closed/lib.so")));
  EXPECT_EQ(looked.end, "/closed");
  EXPECT_EQ(looked.error, EACCES);
}

TEST_F(LookTest, SaysWhereADanglingLinkBreaks) {
  File("/a/x", 0644);
  Link("/lib.so", "/a/gone/lib.so");
  const Looked looked = At("/lib.so");
  EXPECT_EQ(looked.end, "/a/gone");
  EXPECT_EQ(looked.error, ENOENT);
}

TEST_F(LookTest, EndsAtALinkToItself) {
  Link("/loop", "/loop");
  EXPECT_EQ(At("/loop").error, ELOOP);
}

TEST_F(LookTest, ReadsTheNamesOfADirectory) {
  File("/a/two", 0644);
  File("/a/one", 0644);
  EXPECT_THAT(At("/a", Want::kList).names, ElementsAre("one", "two"));
}

TEST_F(LookTest, WantsANodeToBeReadAndWritten) {
  File("/dev/nvidia0", 0644);
  EXPECT_EQ(At("/dev/nvidia0", Want::kRead).error, 0);
  EXPECT_EQ(At("/dev/nvidia0", Want::kWrite).error, EACCES);
}

}  // namespace
}  // namespace gpustage
