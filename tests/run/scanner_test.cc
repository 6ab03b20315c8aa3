// RunScanner: a start with its recorders, and what is asked afterwards.
#include "harness/evidence/records/journal.h"
#include "harness/run/journal_file.h"
#include "harness/run/run.h"
#include "harness/stage/build.h"
#include "tests/support/box.h"

namespace gpustage {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using world::RecordKind;

const Recorders kRecorders = {GPUSTAGE_RECORDERS "/audit.so", GPUSTAGE_RECORDERS "/ask"};

// A tree with a dynamic program of this machine in it, and the program that asks.
class RunScannerTest : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped()) return;
    StagePlan plan;
    for (const std::string& program : {std::string("/bin/echo"), kRecorders.ask}) {
      const auto closure = ClosureOf(program);
      ASSERT_THAT(closure, IsOk());
      plan.base.insert(plan.base.end(), closure->begin(), closure->end());
    }
    plan.base.push_back({"/bin/echo", "/bin/echo"});
    plan.base.push_back({ActorProgram(), "/bin/actor"});
    plan.steps = *PlanChange({{WriteFileOp{"/etc/ld.so.conf", "/usr/lib\n", 0644}, {}},
                              {WriteFileOp{"/opt/odd\tname\n.so", "not a library", 0644}, {}},
                              {MakeDirOp{"/shut", 0700}, {}},
                              {WriteFileOp{"/shut/file", "", 0644}, {}}},
                             1);
    shared_.emplace(NewDirectory() + "/shared");
    Result<StagedTree> tree = BuildStage(plan, NewDirectory(), *shared_);
    ASSERT_THAT(tree, IsOk());
    tree_.emplace(*std::move(tree));
    start_.user = {65534, 65534};
    start_.argv = {"/bin/echo", "hello"};
  }

  Result<RawRun> Run() { return RunScanner(start_, tree_->root, kRecorders, isolation()); }
  Result<std::vector<DlopenAnswer>> AskAbout(const std::vector<std::string>& paths) {
    return Ask(start_, paths, tree_->root, kRecorders, isolation());
  }

  std::optional<SharedFiles> shared_;
  std::optional<StagedTree> tree_;
  ScannerStart start_;
};

TEST_F(RunScannerTest, RecordsTheProcessAndWhatItLoaded) {
  start_.environment = {"A=1", "B=two words"};
  const Result<RawRun> run = Run();
  ASSERT_THAT(run, IsOk());
  EXPECT_EQ(Out(*run), "hello\n");
  EXPECT_TRUE(run->loader_recorded && run->journal_recorded);
  const Journal journal = ReadJournalBytes(run->journal);
  EXPECT_TRUE(journal.complete);
  ASSERT_FALSE(journal.records.empty());
  const JournalRecord& process = journal.records.front();
  EXPECT_EQ(process.kind, RecordKind::kProcess);
  EXPECT_THAT(process.texts, ElementsAre(HasSubstr("/bin/echo"), "/bin/echo\x1fhello",
                                         HasSubstr("A=1\x1f"
                                                   "B=two words")));
  EXPECT_THAT(journal.records,
              Contains(AllOf(Field(&JournalRecord::kind, RecordKind::kObjectOpen),
                             Field(&JournalRecord::texts,
                                   ElementsAre(HasSubstr("/libc.so.6"),
                                               testing::MatchesRegex("[0-9a-f]{40}"))))));
}

TEST_F(RunScannerTest, TimesRecordsByTheClockOfTheRun) {
  const Result<RawRun> run = Run();
  ASSERT_THAT(run, IsOk());
  for (const JournalRecord& record : ReadJournalBytes(run->journal).records) {
    EXPECT_GE(static_cast<int64_t>(record.time_ns), run->start_ns);
    EXPECT_LE(static_cast<int64_t>(record.time_ns), run->start_ns + run->duration_ns);
  }
}

TEST_F(RunScannerTest, StartsEachRunWithAnEmptyJournal) {
  ASSERT_THAT(Run(), IsOk());
  const size_t records = ReadJournalBytes(Run()->journal).records.size();
  EXPECT_EQ(ReadJournalBytes(Run()->journal).records.size(), records);
}

TEST_F(RunScannerTest, RecordsNothingOfTheLoaderWhenNotAskedTo) {
  start_.record_loader = false;
  const Result<RawRun> run = Run();
  ASSERT_THAT(run, IsOk());
  EXPECT_FALSE(run->loader_recorded);
  const Journal journal = ReadJournalBytes(run->journal);
  EXPECT_TRUE(journal.complete);
  EXPECT_THAT(journal.records, testing::IsEmpty());
}

TEST_F(RunScannerTest, SeesNoLoaderInAStaticProgram) {
  start_.argv = {"/bin/actor", "exit", "5"};
  const Result<RawRun> run = Run();
  ASSERT_THAT(run, IsOk());
  EXPECT_EQ(run->outcome.code, 5);
  EXPECT_THAT(ReadJournalBytes(run->journal).records, testing::IsEmpty());
}

TEST_F(RunScannerTest, JoinsTheScenariosOwnAuditor) {
  start_.environment = {"LD_AUDIT=/opt/theirs.so"};
  const Result<BoxSpec> box = PrepareBox(start_, tree_->root, kRecorders);
  ASSERT_THAT(box, IsOk());
  EXPECT_THAT(box->environment,
              ElementsAre("LD_AUDIT=" + std::string(kAuditPath) + ":/opt/theirs.so"));
}

TEST_F(RunScannerTest, SaysThatItsRecorderIsMissing) {
  EXPECT_THAT(RunScanner(start_, tree_->root, {"/no/audit.so", kRecorders.ask}, isolation()),
              FailsWith("cannot read /no/audit.so: No such file or directory"));
}

TEST_F(RunScannerTest, AsksTheSystemWhatItSaysOfAPath) {
  const std::string libc = HostLibrary("libc.so.6")->back().path;
  const auto answers = AskAbout({libc, "/opt/odd\tname\n.so", "/opt/missing.so", kLookOnly + libc});
  ASSERT_THAT(answers, IsOk());
  ASSERT_EQ(answers->size(), 4u);
  const DlopenAnswer& good = (*answers)[0];
  EXPECT_EQ(good.list_error, 0);
  EXPECT_EQ(good.load_error, "");
  EXPECT_EQ(good.kind, 'f');
  EXPECT_TRUE(
      good.head.starts_with("\x7f"
                            "ELF"))
      << good.head.size();
  EXPECT_GT(good.size, 0);
  EXPECT_EQ((*answers)[3], good);  // to look is as good, where there is nothing to say of the load
  EXPECT_EQ((*answers)[2].kind, '?');
  EXPECT_EQ((*answers)[1].path, "/opt/odd\tname\n.so");
  EXPECT_THAT((*answers)[1].load_error, HasSubstr("file too short"));
  EXPECT_EQ((*answers)[2].open_error, ENOENT);
  EXPECT_THAT((*answers)[2].load_error, HasSubstr("No such file or directory"));
}

// Whatever starts here dies, as under a preload that kills every program: no page of data for it.
TEST_F(RunScannerTest, HasAnAnswerWhereNobodyLivesToAsk) {
  start_.memory_limit = 1;
  const auto answers = AskAbout({"/opt/missing.so"});
  ASSERT_THAT(answers, IsOk());
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_EQ(answers->front().path, "/opt/missing.so");
  EXPECT_EQ(answers->front().kind, '!');
}

TEST_F(RunScannerTest, AsksAsTheUserOfTheRun) {
  if (OneUid()) GTEST_SKIP() << "needs a second uid";
  EXPECT_EQ(AskAbout({"/shut/file"})->front().list_error, EACCES);
  start_.user = {0, 0};
  EXPECT_EQ(AskAbout({"/shut/file"})->front().list_error, 0);
}

}  // namespace
}  // namespace gpustage
