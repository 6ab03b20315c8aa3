#include "harness/base/files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/root.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class FilesTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return scratch_.path() + "/" + name; }
  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

TEST_F(FilesTest, ReadsBackWhatItWrote) {
  const std::string bytes("a\0b\xff\n", 5);
  ASSERT_THAT(WriteFile(Path("f"), bytes), IsOk());
  EXPECT_THAT(ReadFile(Path("f")), IsOkAnd(bytes));
  EXPECT_THAT(ReadFileStart(Path("f"), 2), IsOkAnd(bytes.substr(0, 2)));
  EXPECT_THAT(ReadFileStart(Path("f"), 99), IsOkAnd(bytes));
}

TEST_F(FilesTest, LeavesNoTemporaryFileBeside) {
  ASSERT_THAT(WriteFile(Path("f"), "1"), IsOk());
  ASSERT_THAT(WriteFile(Path("f"), "2"), IsOk());
  EXPECT_THAT(FilesBelow(scratch_.path(), ""), IsOkAnd(ElementsAre(Path("f"))));
}

TEST_F(FilesTest, SaysWhatCannotBeReadOrWritten) {
  EXPECT_THAT(ReadFile("/no/such"), FailsWith("cannot read /no/such: No such file or directory"));
  EXPECT_THAT(WriteFile("/no/such", "x"),
              FailsWith("cannot write /no/such: No such file or directory"));
  EXPECT_THAT(FilesBelow("/no/such", ""),
              FailsWith("cannot list /no/such: No such file or directory"));
}

TEST_F(FilesTest, ListsBySuffixSortedAndFollowsNoLink) {
  mkdir(Path("b").c_str(), 0755);
  for (const char* name : {"b/z.yaml", "a.yaml", "b/c.txt"})
    ASSERT_THAT(WriteFile(Path(name), ""), IsOk());
  ASSERT_EQ(symlink(scratch_.path().c_str(), Path("b/again").c_str()), 0);
  EXPECT_THAT(FilesBelow(scratch_.path(), ".yaml"),
              IsOkAnd(ElementsAre(Path("a.yaml"), Path("b/z.yaml"))));
}

// A scanner may nest more directories than we may have open.
TEST_F(FilesTest, RemovesATreeThatIsDeeperThanDescriptorsReach) {
  Fd at(open(Path("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 1500; ++depth) {
    ASSERT_EQ(mkdirat(at.get(), "deep", 0755), 0);
    at = Fd(openat(at.get(), "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at) << depth;
  }
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few = {128, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  RemoveTree(Path("deep"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(FileExists(Path("deep")));
}

TEST_F(FilesTest, RemovesATreeWithoutFollowingItsLinks) {
  ASSERT_EQ(mkdir(Path("tree").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(Path("outside").c_str(), 0755), 0);
  ASSERT_THAT(WriteFile(Path("outside/kept"), ""), IsOk());
  ASSERT_EQ(symlink(Path("outside").c_str(), Path("tree/link").c_str()), 0);
  RemoveTree(Path("tree"));
  EXPECT_FALSE(FileExists(Path("tree")));
  EXPECT_TRUE(FileExists(Path("outside/kept")));
}

TEST(Paths, AreTakenApartAsText) {
  EXPECT_EQ(ParentOf("/usr/lib/libc.so"), "/usr/lib");
  EXPECT_EQ(ParentOf("/usr"), "/");
  EXPECT_EQ(ParentOf("name"), ".");
  EXPECT_EQ(BaseNameOf("/usr/lib/libc.so"), "libc.so");
  EXPECT_EQ(BaseNameOf("name"), "name");
  EXPECT_EQ(LexicallyNormal("/a/./b/../c"), "/a/c");
}

// Scratch directories of their own, so that those of other tests stay.
class ScratchTest : public FilesTest {
 protected:
  void SetUp() override { setenv("TMPDIR", scratch_.path().c_str(), 1); }
  void TearDown() override { unsetenv("TMPDIR"); }

  // What `make` says in a process that then ends without clearing up, as one that is killed.
  std::string InADeadProcess(bool kept) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto made = ScratchDirectory::Make(kept);
      const ssize_t n = write(ends[1], made->path().data(), made->path().size());
      _exit(n > 0 ? 0 : 1);
    }
    close(ends[1]);
    char path[4096];
    const ssize_t n = read(ends[0], path, sizeof path);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return std::string(path, n > 0 ? static_cast<size_t>(n) : 0);
  }
};

TEST_F(ScratchTest, GoesWithItsContentWhenTheValueGoes) {
  std::string path;
  {
    const auto made = ScratchDirectory::Make();
    ASSERT_THAT(made, IsOk());
    path = made->path();
    EXPECT_THAT(path, StartsWith(scratch_.path() + "/gpustage-"));
    ASSERT_THAT(WriteFile(path + "/f", ""), IsOk());
  }
  EXPECT_FALSE(FileExists(path));
}

TEST_F(ScratchTest, OfADeadProcessIsClearedByTheNextStart) {
  const std::string stale = InADeadProcess(false);
  ASSERT_TRUE(IsDirectory(stale));
  const auto ours = ScratchDirectory::Make();
  EXPECT_EQ(ClearStaleScratch(), 1);
  EXPECT_FALSE(FileExists(stale));
  EXPECT_TRUE(FileExists(ours->path()));
}

TEST_F(ScratchTest, ThatIsKeptOutlivesLaterStarts) {
  const std::string kept = InADeadProcess(true);
  EXPECT_EQ(ClearStaleScratch(), 0);
  EXPECT_TRUE(IsDirectory(kept));
}

TEST_F(ScratchTest, LeavesAloneWhatIsNotOurs) {
  // A pid that lives on under another start time is another process.
  const std::string reused =
      scratch_.path() + "/gpustage-" + std::to_string(getpid()) + "-1-abcdef";
  for (const char* name : {"/gpustage-notes", "/gpustage-", "/gpustage-12", "/other-1-1-abc"})
    ASSERT_EQ(mkdir((scratch_.path() + name).c_str(), 0755), 0);
  ASSERT_EQ(mkdir(reused.c_str(), 0755), 0);
  ASSERT_THAT(WriteFile(scratch_.path() + "/gpustage-1-1-file", ""), IsOk());
  EXPECT_EQ(ClearStaleScratch(), 1);
  EXPECT_FALSE(FileExists(reused));
  EXPECT_TRUE(FileExists(scratch_.path() + "/gpustage-notes"));
  EXPECT_TRUE(FileExists(scratch_.path() + "/gpustage-1-1-file"));
}

// Containers may share TMPDIR: a number that nobody has here may be that of a living one there.
TEST_F(ScratchTest, LeavesAloneWhatIsOfAnotherPidNamespace) {
  const std::string theirs = scratch_.path() + "/gpustage-4194305-1-1-abcdef";
  ASSERT_EQ(mkdir(theirs.c_str(), 0755), 0);
  EXPECT_EQ(ClearStaleScratch(), 0);
  EXPECT_TRUE(FileExists(theirs));
}

}  // namespace
}  // namespace gpustage
