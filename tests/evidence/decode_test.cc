// Raw records become a timeline, processes and roles.
#include "harness/evidence/records/decode.h"

#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Evidence Decoded(const RawRun& run, LogFormat format = LogFormat::kPlain) {
  ScannerSpec scanner;
  scanner.log_format = format;
  return Decode(run, scanner, {});
}

std::vector<std::string> Lines(const Evidence& evidence) {
  std::vector<std::string> lines;
  for (const Event& event : evidence.events) lines.push_back(ToString(event));
  return lines;
}

TEST(Decode, MergesJournalAndOutputByTime) {
  const Evidence evidence = Decoded(HandMadeRun()
                                        .Process(7, 1, "/usr/bin/scan", "scan\x1f-v")
                                        .Load(7, 100, "/usr/lib/liba.so")
                                        .Prints(Stream::kStderr, "hello\n")
                                        .Search(7, 100, "libb.so")
                                        .Search(7, 100, "/usr/lib/libb.so", LA_SER_CONFIG)
                                        .Symbol(7, 100, "cuInit")
                                        .Call(7, "cuInit", 100, -1, "flags=0")
                                        .Unload(7, 100)
                                        .Note(7, "bye")
                                        .Prints(Stream::kStdout, "[]"));
  EXPECT_THAT(
      Lines(evidence),
      ElementsAre("#1 pid 7 started /usr/bin/scan (scan -v)",  //
                  "#2 pid 7 loaded /usr/lib/liba.so",          //
                  "#3 stderr: hello",                          //
                  "#4 pid 7 looked for libb.so as asked, for /usr/lib/liba.so",
                  "#5 pid 7 looked for /usr/lib/libb.so by ld.so.cache, for /usr/lib/liba.so",
                  "#6 pid 7 found cuInit in /usr/lib/liba.so",  //
                  "#7 pid 7 cuInit(flags=0) = 100",             //
                  "#8 pid 7 unloaded /usr/lib/liba.so",         //
                  "#9 pid 7 bye",                               //
                  "#10 stdout: []",                             //
                  "#11 exited 0"));
  EXPECT_EQ(evidence.At(2).time_ns, 2000);
  EXPECT_EQ(evidence.outcome_event(), 11);
}

TEST(Decode, TellsADlsymThatMissedFromOneThatHit) {
  const Evidence evidence =
      Decoded(HandMadeRun()
                  .Load(7, 100, "/usr/lib/liba.so", "0123abcd")
                  .SymbolAsked(7, 100, "cuInit")
                  .Symbol(7, 100, "cuInit")
                  .SymbolAsked(7, 100, "cuGone")
                  .SymbolAsked(8, 0, "cuInit")          // another process: RTLD_DEFAULT
                  .SymbolAsked(7, -1, "cuNext", "V_1")  // RTLD_NEXT
                  .Symbol(7, 100, "calloc"));           // the loader's own, which nobody asked for
  EXPECT_THAT(Lines(evidence),
              ElementsAre("#1 pid 7 loaded /usr/lib/liba.so (build-id 0123abcd)",
                          "#2 pid 7 found cuInit in /usr/lib/liba.so",
                          "#3 pid 7 did not find cuGone in /usr/lib/liba.so",
                          "#4 pid 8 did not find cuInit in the global scope",
                          "#5 pid 7 did not find cuNext@V_1 in what comes after the caller",
                          "#6 pid 7 found calloc in /usr/lib/liba.so",  //
                          "#7 exited 0"));
}

TEST(Decode, SaysNothingOfMissesWhereTheAnswerMayBeLost) {
  RawRun run = HandMadeRun().Load(7, 100, "/a.so").SymbolAsked(7, 100, "cuInit");
  reinterpret_cast<world::JournalHeader*>(run.journal.data())->dropped = 1;
  EXPECT_THAT(Lines(Decoded(run)), ElementsAre("#1 pid 7 loaded /a.so", "#2 exited 0"));
}

TEST(Decode, NamesWhoStandsBeforeLibcOnce) {
  const Evidence evidence = Decoded(HandMadeRun()
                                        .Load(7, 100, "/opt/pre.so")
                                        .Binding(7, 100, "dlopen")
                                        .Binding(7, 100, "dlopen")
                                        .Binding(7, 200, "malloc"));
  EXPECT_THAT(Lines(evidence),
              ElementsAre("#1 pid 7 loaded /opt/pre.so", "#2 pid 7 takes dlopen from /opt/pre.so",
                          "#3 pid 7 takes malloc from the program", "#4 exited 0"));
}

TEST(Decode, TellsWhatWasAssumedOnce) {
  constexpr auto kAssumed = world::Fidelity::kAssumed;
  const Evidence evidence =
      Decoded(HandMadeRun()
                  .Call(7, "cuDeviceGetAttribute", 0, 0, "device=0, attrib=40", kAssumed)
                  .Call(7, "cuDeviceGetAttribute", 0, 0, "device=0, attrib=75")
                  .Call(8, "cuDeviceGetAttribute", 0, 0, "device=0, attrib=40", kAssumed)
                  .Call(8, "cuLaunchKernel", 801, -1, "", world::Fidelity::kStub)
                  .Call(8, "cuMemGetInfo_v2", 0, 0, "", kAssumed));
  EXPECT_THAT(AssumedReads(evidence),
              ElementsAre("cuDeviceGetAttribute(device=0, attrib=40)", "cuMemGetInfo_v2()"));
}

TEST(Decode, NamesTheRuleOfEverySearch) {
  const Evidence evidence = Decoded(HandMadeRun()
                                        .Search(7, 0, "/a", LA_SER_LIBPATH)
                                        .Search(7, 0, "/a", LA_SER_RUNPATH)
                                        .Search(7, 0, "/a", LA_SER_DEFAULT));
  EXPECT_EQ(evidence.At(1).rule, SearchRule::kPathOrRpath);
  EXPECT_EQ(evidence.At(2).rule, SearchRule::kRunpath);
  EXPECT_EQ(evidence.At(3).rule, SearchRule::kDefault);
  EXPECT_EQ(ToString(evidence.At(2)), "#2 pid 7 looked for /a by RUNPATH, for the program");
}

TEST(Decode, KeepsTheIdsOfProcessesApart) {
  const Evidence evidence = Decoded(HandMadeRun()
                                        .Load(7, 100, "/a.so")
                                        .Load(8, 100, "/b.so")
                                        .Symbol(7, 100, "x")
                                        .Symbol(8, 100, "x"));
  EXPECT_EQ(evidence.At(3).detail, "/a.so");
  EXPECT_EQ(evidence.At(4).detail, "/b.so");
}

TEST(Decode, GivesProcessesTheirWordsAndRole) {
  const Evidence evidence = Decoded(HandMadeRun()
                                        .Process(7, 1, "/usr/local/bin/ollama", "ollama\x1fserve",
                                                 "A=1\x1f"
                                                 "B=two words")
                                        .Process(8, 7, "/usr/local/bin/ollama",
                                                 "ollama\x1frunner\x1f--port\x1f"
                                                 "1")
                                        .Process(9, 7, "/usr/bin/tool", "tool\x1f--flag")
                                        .Process(10, 7, "/usr/bin/tool", "tool\x1f/path")
                                        .Process(11, 7, "/usr/bin/tool", "tool"));
  ASSERT_EQ(evidence.processes.size(), 5u);
  const Process& serve = evidence.processes[0];
  EXPECT_EQ(serve.role, "ollama serve");
  EXPECT_THAT(serve.environment, ElementsAre("A=1", "B=two words"));
  EXPECT_EQ(evidence.processes[1].role, "ollama runner");
  EXPECT_EQ(evidence.processes[1].parent, 7);
  EXPECT_THAT(evidence.processes[1].argv, ElementsAre("ollama", "runner", "--port", "1"));
  for (size_t i = 2; i < 5; ++i) EXPECT_EQ(evidence.processes[i].role, "tool");
}

// The clock is read before a place in the journal is taken, so another process may come between.
TEST(Decode, GivesEachProcessItsOwnEventWhateverTheOrder) {
  RawRun run = HandMadeRun();
  const auto process = [](int pid, uint64_t time, const std::string& name) {
    return RecordBytes({0, world::RecordKind::kProcess, 0, time, pid, pid, 1, -1, 0, 0, 0},
                       {name, name, ""});
  };
  run.start_ns = 0;
  run.journal = JournalBytes(process(8, 20, "/second") + process(7, 10, "/first"));
  const Evidence evidence = Decoded(run);
  ASSERT_EQ(evidence.processes.size(), 2u);
  for (const Process& p : evidence.processes) EXPECT_EQ(evidence.At(p.event).subject, p.executable);
}

TEST(Decode, PointsEachLogLineAtItsEvent) {
  const Evidence evidence =
      Decoded(HandMadeRun().Prints(Stream::kStdout, "a\nb\n").Prints(Stream::kStderr, "c\n"));
  ASSERT_EQ(evidence.log.size(), 3u);
  for (const LogLine& line : evidence.log) EXPECT_EQ(evidence.At(line.event).subject, line.text);
}

TEST(Decode, ReadsTheLogAsTheScannerWritesIt) {
  const Evidence evidence =
      Decoded(HandMadeRun().Prints(Stream::kStderr, "time=x level=INFO msg=\"a b\" k=v\n"),
              LogFormat::kSlog);
  EXPECT_EQ(evidence.log.front().message, "a b");
  EXPECT_EQ(evidence.log.front().text, "level=INFO msg=\"a b\" k=v");
}

TEST(Decode, HasObservedTheLoaderOnlyWhereAProcessSpoke) {
  EXPECT_FALSE(Decoded(HandMadeRun().Prints(Stream::kStdout, "static")).loader_observed);
  EXPECT_TRUE(Decoded(HandMadeRun().Process(7, 1, "/p", "p")).loader_observed);
  EXPECT_FALSE(Decoded(HandMadeRun().Process(7, 1, "/p", "p").WithoutLoader()).loader_observed);
}

TEST(Decode, KnowsAJournalThatIsNotComplete) {
  RawRun run = HandMadeRun().Call(7, "cuInit", 0);
  EXPECT_TRUE(Decoded(run).journal_complete);
  run.journal.resize(run.journal.size() - 8);
  EXPECT_FALSE(Decoded(run).journal_complete);
  run.journal.clear();
  EXPECT_FALSE(Decoded(run).journal_complete);
  EXPECT_THAT(Lines(Decoded(run)), ElementsAre("#1 exited 0"));
  EXPECT_FALSE(Decoded(RawRun{}).journal_complete);
}

TEST(ToString, NamesEveryOutcome) {
  EXPECT_EQ(ToString(Outcome{Outcome::Kind::kExited, 3, ""}), "exited 3");
  EXPECT_EQ(ToString(Outcome{Outcome::Kind::kKilled, 7, ""}), "killed by SIGBUS");
  EXPECT_EQ(ToString(Outcome{Outcome::Kind::kKilled, 9, "it printed more than 64 MiB"}),
            "killed by SIGKILL: it printed more than 64 MiB");
  EXPECT_EQ(ToString(Outcome{Outcome::Kind::kKilled, 40, ""}), "killed by SIG40");
  EXPECT_EQ(ToString(Outcome{Outcome::Kind::kTimedOut, 9, "after 30 s"}), "timed out after 30 s");
  EXPECT_EQ(ToString(Outcome{Outcome::Kind::kStopped, 0, ""}), "stopped when it was done");
  EXPECT_EQ(ToString(Outcome{Outcome::Kind::kNotStarted, 2, "no such file"}),
            "not started: no such file");
}

}  // namespace
}  // namespace gpustage
