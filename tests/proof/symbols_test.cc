// What the loader's recorder says of symbols, build-ids and interposers, held against what the
// subjects do and readelf reads.
#include <fcntl.h>

#include "harness/base/process.h"
#include "harness/evidence/loader/linkage.h"
#include "harness/evidence/path/questions.h"
#include "harness/run/after.h"
#include "tests/proof/proof_test.h"

namespace gpustage {
namespace {

using testing::ElementsAre;

class OfSymbols : public ProofTest, public testing::WithParamInterface<Subject> {
 protected:
  // "miss scan_no_such_symbol in /opt/scan/libscan_outer.so", of the first process.
  static std::vector<std::string> Asked(const Evidence& evidence, const std::string& part) {
    std::vector<std::string> asked;
    for (const Event& event : evidence.events)
      if ((event.kind == EventKind::kSymbol || event.kind == EventKind::kSymbolMissing) &&
          event.subject.find(part) != std::string::npos &&
          event.pid == evidence.processes.front().pid)
        asked.push_back(ToString(event.kind) + " " + event.subject + " in " + event.detail);
    return asked;
  }
};

TEST_P(OfSymbols, SeesEveryHitAndEveryMiss) {
  ASSERT_NO_FATAL_FAILURE(Stage(GetParam()));
  if (IsSkipped()) return;
  const Evidence evidence = Watch();
  std::vector<std::string> expected = {"symbol scan_outer in /opt/scan/libscan_outer.so",
                                       "miss scan_no_such_symbol in /opt/scan/libscan_outer.so"};
  if (GetParam().name.starts_with("cpp")) {
    expected.push_back("miss scan_no_such_symbol in the global scope");
    EXPECT_THAT(Asked(evidence, "getenv"),
                ElementsAre("symbol getenv in /lib/x86_64-linux-gnu/libc.so.6",
                            "miss getenv@GLIBC_9 in what comes after the caller"));
  }
  EXPECT_EQ(Asked(evidence, "scan_"), expected);
}

// The build-id that a file has, by readelf; "" for one without.
std::string BuildIdOf(const std::string& file) {
  const Result<ProgramOutput> notes = RunProgram({"readelf", "-n", file});
  const size_t at = notes ? notes->out.find("Build ID: ") : std::string::npos;
  return at == std::string::npos ? ""
                                 : notes->out.substr(at + 10, notes->out.find('\n', at) - at - 10);
}

TEST_P(OfSymbols, KnowsTheBuildIdOfEveryMappedFile) {
  ASSERT_NO_FATAL_FAILURE(Stage(GetParam()));
  if (IsSkipped()) return;
  const Evidence evidence = Watch();
  int with = 0;
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kLoad || event.subject == "linux-vdso.so.1") continue;
    // Links of the tree end in the tree, so the host path is found through its root.
    const Fd file =
        tree_->root.At(event.subject.empty() ? GetParam().argv[0] : event.subject, O_RDONLY);
    const bool shown =
        event.subject.starts_with("/usr/lib/python3.11");  // bound there, and the same here
    ASSERT_TRUE(shown || file) << event.subject;
    const std::string expected = BuildIdOf(shown ? event.subject
                                                 : "/proc/" + std::to_string(getpid()) + "/fd/" +
                                                       std::to_string(file.get()));
    EXPECT_EQ(event.detail, expected) << event.subject;
    with += event.detail.empty() ? 0 : 1;
  }
  EXPECT_GE(with, 5);
}

// Its hits are seen, its misses are not, and that is said of it and of nobody else.
class OfMisses : public OfSymbols {};
TEST_P(OfMisses, AreSaidToBeUnseenWhereTheyAre) {
  ASSERT_NO_FATAL_FAILURE(Stage(GetParam()));
  if (IsSkipped()) return;
  const Evidence evidence = Watch();
  const bool past_plt = GetParam().name == PastPltSubject().name;
  EXPECT_THAT(Asked(evidence, "scan_outer"),
              ElementsAre("symbol scan_outer in /opt/scan/libscan_outer.so"));
  EXPECT_EQ(Asked(evidence, "scan_no_such_symbol").empty(), past_plt);
  std::vector<UnseenMisses> expected;
  for (const Process& process : evidence.processes)
    if (past_plt) expected.push_back({process.pid, ""});
  AfterRun after;
  ReadUsedFiles(
      QuestionsOf(evidence),
      [&](const std::string& path) { return tree_->root.At(path, O_RDONLY | O_CLOEXEC); }, {},
      after);
  EXPECT_EQ(LinkageOf(evidence, after).unseen_misses, expected);
}
INSTANTIATE_TEST_SUITE_P(Loader, OfMisses,
                         testing::Values(CppSubject(), BoundAtStartSubject(), PastPltSubject()),
                         SubjectName);

INSTANTIATE_TEST_SUITE_P(Loader, OfSymbols, testing::ValuesIn(DynamicSubjects()), SubjectName);

class OfInterposers : public ProofTest {
 protected:
  static std::vector<std::string> Bindings(const Evidence& evidence) {
    std::vector<std::string> found;
    for (const Event& event : evidence.events)
      if (event.kind == EventKind::kBinding && event.pid == evidence.processes.front().pid)
        found.push_back(event.subject + " " + event.detail);
    return found;
  }
};

TEST_F(OfInterposers, AreNamedForEachFunctionThatSomebodyTakesFromThem) {
  const std::string preload = "/opt/libscan_preload.so";
  ASSERT_NO_FATAL_FAILURE(Stage(
      CppSubject(),
      {{PlaceLibraryOp{
            preload, {LibrarySource::Kind::kFile, "", Built("libscan_preload.so"), ""}, {}, 0755},
        {}}}));
  if (IsSkipped()) return;
  EXPECT_THAT(Bindings(Watch()), testing::IsEmpty());
  start_.environment.push_back("LD_PRELOAD=" + preload);
  const Evidence evidence = Watch();
  EXPECT_THAT(Bindings(evidence),
              testing::UnorderedElementsAre("dlopen " + preload, "dlsym " + preload));
  // Its dlsym asks the real one, which is seen as well, and answers as the real one does.
  int hits = 0, misses = 0;
  for (const Event& event : evidence.events) {
    if (event.pid != evidence.processes.front().pid) continue;
    hits += event.kind == EventKind::kSymbol && event.subject == "scan_outer" ? 1 : 0;
    misses +=
        event.kind == EventKind::kSymbolMissing && event.subject == "scan_no_such_symbol" ? 1 : 0;
  }
  EXPECT_EQ(hits, 1);
  EXPECT_EQ(misses, 2);
}

// A tool of the user's own that watches the loader goes on watching, and so do we.
TEST_F(OfInterposers, LeaveAnAuditorOfTheScenarioItsPlace) {
  const std::string theirs = "/opt/libscan_auditor.so";
  ASSERT_NO_FATAL_FAILURE(Stage(
      CppSubject(),
      {{PlaceLibraryOp{
            theirs, {LibrarySource::Kind::kFile, "", Built("libscan_auditor.so"), ""}, {}, 0755},
        {}}}));
  if (IsSkipped()) return;
  const Evidence alone = Watch();
  start_.environment.push_back("LD_AUDIT=" + theirs);
  const RawRun run = Run();
  const Evidence both = Decode(run, ScannerSpec{}, {});
  EXPECT_EQ(ToString(both.outcome), "exited 0");
  EXPECT_THAT(PrintedBy(run), testing::HasSubstr("their auditor: /opt/scan/libscan_outer.so\n"));
  // Theirs comes after ours, so we see it come, with a libc of its own, before the program does.
  const auto seen = [](const Evidence& evidence, const std::vector<std::string>& before) {
    std::vector<std::string> words;
    for (const Event& event : evidence.events) {
      if (event.kind == EventKind::kLoad && event.subject.empty())
        words.insert(words.end(), before.begin(), before.end());
      if (event.kind == EventKind::kLoad || event.kind == EventKind::kSymbol ||
          event.kind == EventKind::kSymbolMissing)
        words.push_back(ToString(event.kind) + " " + event.subject);
    }
    return words;
  };
  EXPECT_EQ(seen(both, {}),
            seen(alone, {"load " + theirs, "load /lib/x86_64-linux-gnu/libc.so.6"}));
}

}  // namespace
}  // namespace gpustage
