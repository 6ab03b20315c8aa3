// Claims about what processes asked of the kernel, how they ended and what they said to nobody.
#include <cerrno>

#include "harness/evidence/records/decode.h"
#include "harness/verdict/verdict.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

// serve (2) is refused a directory, finds no node, and starts runner (3), which exits with 2 and
// says why to nobody.
Evidence Seen() {
  FileRecord said, ended;
  said.act = FileAct::kWrite;
  said.path = "/dev/null";
  said.bytes = "CUDA: no device\n";
  ended.act = FileAct::kExit;
  ended.answered = true;
  ended.code = 2;
  return Decode(HandMadeRun()
                    .Process(2, 1, "/bin/ollama", "ollama\x1fserve")
                    .Asks(2, FileAct::kOpen, "/lib/cuda_v12", EACCES)
                    .Asks(2, FileAct::kLook, "/dev/nvidia0", ENOENT)
                    .Process(3, 2, "/bin/ollama", "ollama\x1frunner")
                    .Asks(3, FileAct::kOpen, "/dev/nvidiactl")
                    .Asks(3, said)
                    .Asks(3, ended),
                ScannerSpec(), {});
}

FilesClaim Files(const std::string& path) {
  FilesClaim claim;
  claim.path = path;
  return claim;
}

TEST(CheckFiles, TellsWhatWasAskedAndAnswered) {
  FilesClaim refused = Files("/lib/cuda_v12");
  refused.how = "opened";
  refused.answer = "refused";
  EXPECT_TRUE(CheckFiles(Seen(), refused).ok);
  refused.answer = "found";
  const Check check = CheckFiles(Seen(), refused);
  EXPECT_FALSE(check.ok || check.unknown);
  EXPECT_THAT(check.seen,
              HasSubstr("/lib/cuda_v12: Permission denied"));  // it says what was seen instead
}

TEST(CheckFiles, TellsMissingFromRefused) {
  FilesClaim claim = Files("/dev/nvidia0");
  claim.answer = "missing";
  EXPECT_TRUE(CheckFiles(Seen(), claim).ok);
  claim.answer = "refused";
  EXPECT_FALSE(CheckFiles(Seen(), claim).ok);
}

TEST(CheckFiles, LooksIntoTheProcessThatIsMeant) {
  FilesClaim claim = Files("/dev/nvidiactl");
  claim.in = "ollama runner";
  EXPECT_TRUE(CheckFiles(Seen(), claim).ok);
  claim.in = "ollama serve";
  EXPECT_FALSE(CheckFiles(Seen(), claim).ok);
  claim.count = {0, 0};
  EXPECT_TRUE(CheckFiles(Seen(), claim).ok);
}

TEST(CheckFiles, KnowsNothingWhereNobodyWatched) {
  const Evidence unwatched =
      Decode(HandMadeRun().Process(2, 1, "/bin/ollama", "ollama"), ScannerSpec(), {});
  FilesClaim none = Files("/dev/nvidia0");
  none.count = {0, 0};
  EXPECT_TRUE(CheckFiles(unwatched, none).unknown);
  EXPECT_TRUE(CheckUnheard(unwatched, {{"x", false}}).unknown);
  EXPECT_TRUE(CheckProcess(unwatched, {"ollama", {0, 0}, {}, "exited 2"}).unknown);
}

TEST(CheckUnheard, FindsALineThatReachedNobody) {
  EXPECT_TRUE(CheckUnheard(Seen(), {{"no device", false}}).ok);
  EXPECT_EQ(CheckUnheard(Seen(), {{"another", false}}).seen,
            "1 such line reached nobody, and none is this");
}

TEST(CheckProcess, TellsHowItEnded) {
  EXPECT_TRUE(CheckProcess(Seen(), {"ollama runner", {1, 1}, {}, "exited 2"}).ok);
  EXPECT_FALSE(CheckProcess(Seen(), {"ollama runner", {1, 1}, {}, "exited 0"}).ok);
}

// Of two claims the one that needs the loader is not judged, and one alone makes a skip.
TEST(Judge, LeavesOutWhatIsNotWatchedAtTheLevel) {
  RunSpec run;
  Expectation expectation;
  expectation.claims = {{LoadsClaim{"libcuda.so.1", {}}, false, {}}};
  Case c;
  c.runs = {run};
  c.expect = {expectation};
  Evidence evidence = Seen();
  evidence.level = EvidenceLevel::kNone;
  const Verdict skipped = Judge(c, run, evidence);
  EXPECT_EQ(skipped.kind, VerdictKind::kSkip);
  EXPECT_EQ(skipped.because, "what it claims is not watched with --evidence none");
  c.expect.front().claims.push_back({OutcomeClaim{"exited", 0}, false, {}});
  const Verdict judged = Judge(c, run, evidence);
  EXPECT_EQ(judged.kind, VerdictKind::kPass);
  EXPECT_EQ(judged.unjudged, 1);
}

}  // namespace
}  // namespace gpustage
