// What a box's processes ask of the kernel, told by the kernel. The actor is static: no library of
// ours is in it.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tests/support/box.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

class FileWatchTest : public BoxTest {
 protected:
  void SetUp() override {
    BoxTest::SetUp();
    if (IsSkipped()) return;
    spec_.watch_files = true;
    ASSERT_EQ(mkdir((spec_.root + "/shut").c_str(), 0711), 0);
    ASSERT_EQ(chmod((spec_.root + "/shut").c_str(), 0711), 0);
    ASSERT_THAT(WriteFile(spec_.root + "/shut/file", "x"), IsOk());
    ASSERT_EQ(symlink("second", (spec_.root + "/first").c_str()), 0);
    ASSERT_EQ(symlink("/shut/file", (spec_.root + "/second").c_str()), 0);
    ASSERT_EQ(symlink("nowhere", (spec_.root + "/dangling").c_str()), 0);
  }

  // The one record about a path; the actor asks for each once.
  FileRecord About(const RawRun& run, const std::string& path) {
    std::vector<FileRecord> found;
    for (const FileRecord& record : run.files.records)
      if (record.path == path && record.act != FileAct::kWrite) found.push_back(record);
    EXPECT_EQ(found.size(), 1U) << path;
    return found.empty() ? FileRecord() : found.front();
  }
};

TEST_F(FileWatchTest, SeesWhatIsRefusedToTheScannersUser) {
  if (isolation().level == IsolationLevel::kUserOneUid) GTEST_SKIP() << "needs a second uid";
  const RawRun run = Act({"list", "/shut", "open", "/shut/file"});
  ASSERT_TRUE(run.files.recorded) << run.files.note;
  EXPECT_EQ(Out(run), "list EACCES\nopen ok\n");  // the program's own word
  EXPECT_EQ(About(run, "/shut").error, EACCES);
  EXPECT_EQ(About(run, "/shut/file").error, 0);
}

TEST_F(FileWatchTest, TellsWhichLinksWereFollowed) {
  const RawRun run = Act({"open", "/first", "open", "/dangling", "open", "/missing"});
  EXPECT_EQ(Out(run), "open ok\nopen ENOENT\nopen ENOENT\n");
  const FileRecord first = About(run, "/first"), dangling = About(run, "/dangling"),
                   missing = About(run, "/missing");
  EXPECT_THAT(first.links, ElementsAre("/first -> second", "/second -> /shut/file"));
  EXPECT_EQ(first.real, "/shut/file");
  EXPECT_THAT(dangling.links, ElementsAre("/dangling -> nowhere"));
  EXPECT_EQ(dangling.error, ENOENT);
  EXPECT_THAT(missing.links, IsEmpty());
  EXPECT_EQ(missing.error, ENOENT);
}

TEST_F(FileWatchTest, KnowsThatASlashAtTheEndAsksForADirectory) {
  ASSERT_EQ(symlink("shut/", (spec_.root + "/to-directory").c_str()), 0);
  ASSERT_EQ(symlink("shut/file/", (spec_.root + "/to-file").c_str()), 0);
  const RawRun run =
      Act({"open", "/first/", "open", "/shut/file/", "open", "/to-file", "open", "/to-directory/"});
  EXPECT_EQ(Out(run), std::string("open ENOTDIR\nopen ENOTDIR\nopen ENOTDIR\nopen ") +
                          (OneUid() ? "ok\n" : "EACCES\n"));
  for (const char* path : {"/first/", "/shut/file/", "/to-file"})
    EXPECT_EQ(About(run, path).error, ENOTDIR) << path;
  EXPECT_EQ(About(run, "/to-directory/").error, OneUid() ? 0 : EACCES);
}

TEST_F(FileWatchTest, NamesTheDirectoryThatWasListed) {
  const RawRun run = Act({"list", "/"});
  EXPECT_THAT(run.files.records, Contains(AllOf(Field(&FileRecord::act, FileAct::kList),
                                                Field(&FileRecord::path, "/"))));
}

TEST_F(FileWatchTest, KnowsNoAnswerWhereTheCallMakesTheFile) {
  ASSERT_EQ(chmod(spec_.root.c_str(), 0777), 0);
  const RawRun run = Act({"create", "/new"});
  EXPECT_EQ(Out(run), "open ok\n");
  const FileRecord made = About(run, "/new");
  EXPECT_TRUE(made.writes);
  EXPECT_FALSE(made.answered);
}

TEST_F(FileWatchTest, HasTheFirstExecWithItsWordsAndEnvironment) {
  spec_.environment = {"A=1", "B=two words"};
  const RawRun run = Act({"out", "x"});
  ASSERT_FALSE(run.files.records.empty());
  const FileRecord& exec = run.files.records.front();
  EXPECT_EQ(exec.act, FileAct::kExec);
  EXPECT_EQ(exec.path, "/actor");
  EXPECT_THAT(exec.argv, ElementsAre("/actor", "out", "x"));
  EXPECT_THAT(exec.environment, ElementsAre("A=1", "B=two words"));
}

TEST_F(FileWatchTest, KeepsWhatAChildSaidToNobody) {
  const RawRun run = Act({"err", "heard\n", "unheard", "failed to initialize CUDA\n"});
  EXPECT_EQ(Err(run), "heard\n");
  EXPECT_THAT(run.files.records,
              Contains(AllOf(Field(&FileRecord::act, FileAct::kWrite),
                             Field(&FileRecord::path, "/dev/null"),
                             Field(&FileRecord::bytes, "failed to initialize CUDA\n"))));
  EXPECT_THAT(run.files.records, Not(Contains(Field(&FileRecord::bytes, "heard\n"))));
}

TEST_F(FileWatchTest, TellsHowEachProcessEnded) {
  const RawRun run = Act({"unheard", "x", "dies", std::to_string(SIGSEGV), "exit", "7"});
  EXPECT_EQ(run.outcome.code, 7);
  std::vector<std::string> ends;
  for (const FileRecord& record : run.files.records)
    if (record.act == FileAct::kExit) {
      EXPECT_TRUE(record.answered);
      ends.push_back(record.signal != 0 ? "signal " + std::to_string(record.signal)
                                        : "status " + std::to_string(record.code));
    }
  EXPECT_THAT(ends, testing::UnorderedElementsAre("status 3", "signal 11", "status 7"));
}

TEST_F(FileWatchTest, SeesAProgramThatIsNotThere) {
  spec_.argv = {"/no/such/program"};
  const RawRun run = RunInBox(spec_, isolation());
  EXPECT_EQ(run.outcome.kind, Outcome::Kind::kNotStarted);
  ASSERT_TRUE(run.files.recorded);
  EXPECT_EQ(About(run, "/no/such/program").error, ENOENT);
}

TEST_F(FileWatchTest, IsNotThereWhereNobodyAsked) {
  spec_.watch_files = false;
  const RawRun run = Act({"list", "/"});
  EXPECT_FALSE(run.files.recorded);
  EXPECT_THAT(run.files.records, IsEmpty());
}

TEST_F(FileWatchTest, EndsWithAScannerThatIsKilled) {
  spec_.time_limit = std::chrono::milliseconds(200);
  const RawRun run = Act({"daemon", "hang"});
  EXPECT_EQ(run.outcome.kind, Outcome::Kind::kTimedOut);
  EXPECT_THAT(run.files.records, Contains(AllOf(Field(&FileRecord::act, FileAct::kExit),
                                                Field(&FileRecord::signal, SIGKILL))));
}

}  // namespace
}  // namespace gpustage
