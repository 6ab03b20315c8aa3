// What is kept is what was seen.
#include "harness/evidence/store/store.h"

#include "harness/base/files.h"
#include "harness/evidence/records/decode.h"
#include "tests/evidence/causes.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

KeptRun Kept(Evidence evidence) {
  return {"a/b@c=d",      "a/b",  "a claim", "service",
          "ollama-model", "fail", "because", std::move(evidence)};
}
Result<KeptRun> Again(const KeptRun& run) {
  return ParseEvidenceLines(EvidenceLines(run), "x.jsonl");
}
std::string WithFirstLine(const std::string& line) {
  const std::string text = EvidenceLines(Kept({}));
  return line + text.substr(text.find('\n'));
}

TEST(Store, ReadsBackWhatItWrote) {
  for (const Example& example : CauseExamples()) {
    const KeptRun run = Kept(example.evidence);
    const Result<KeptRun> again = Again(run);
    ASSERT_THAT(again, IsOk()) << example.what;
    EXPECT_TRUE(*again == run) << example.what;
  }
}

TEST(Store, KeepsEveryByte) {
  std::string bytes;
  for (int c = 1; c < 256; ++c)
    if (c != '\n' && c != '\r') bytes += static_cast<char>(c);
  ScannerSpec scanner;
  const RawRun raw = HandMadeRun()
                         .Process(7, 1, "/bin/" + bytes, bytes, "A=" + bytes)
                         .Prints(Stream::kStderr, bytes)
                         .Note(7, "\xff");
  const KeptRun run = Kept(Decode(raw, scanner, {}));
  const Result<KeptRun> again = Again(run);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(*again == run);
}

TEST(Store, KeepsWhatIsNotKnownApartFromNothing) {
  KeptRun run = Kept({});
  EXPECT_TRUE(*Again(run) == run);
  run.evidence.devices.emplace();
  run.evidence.device_count = 0;
  run.evidence.silent_failure = false;
  EXPECT_TRUE(*Again(run) == run);
  run.evidence.outcome = {Outcome::Kind::kNotStarted, 2, "no such file"};
  EXPECT_TRUE(*Again(run) == run);
}

TEST(Store, KeepsWhatWasReadOfFilesAfterTheRun) {
  KeptRun run = Kept(CauseExamples().front().evidence);
  run.evidence.linkage.gaps.push_back({2, "/a.so", "/b.so", {"V_1"}, {"x@V_1"}, true, "V_0"});
  run.evidence.linkage.own_paths.push_back({2, "/a.so", "/opt/lib"});
  run.evidence.linkage.interposers.push_back({2, "dlopen", "/opt/\xff.so", 1});
  run.evidence.linkage.unseen_misses.push_back({2, "/opt/\xff.so"});
  run.evidence.outside.push_back({2, "/proc/modules", Outside::What::kDevices, true, 3, 1});
  const Result<KeptRun> again = Again(run);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(*again == run);
}

TEST(Store, HasOneObjectALine) {
  const std::string text = EvidenceLines(Kept(CauseExamples().front().evidence));
  EXPECT_TRUE(text.starts_with(R"({"format":"gpustage-evidence","version":6,)"))
      << text.substr(0, 80);
  EXPECT_THAT(text, HasSubstr("\n{\"record\":\"event\","));
  EXPECT_TRUE(text.ends_with("}\n"));
}

TEST(Store, RefusesAnotherVersion) {
  EXPECT_THAT(
      ParseEvidenceLines(WithFirstLine(R"({"format":"gpustage-evidence","version":2})"), "x.jsonl"),
      FailsAt(1, 1,
              "this evidence is of version 2; this gpustage reads versions 4 to 6, so run the "
              "scenario again or use the gpustage that kept it"));
}

// What code decides by is taken out of the sentences of then; a reason has its text, and no more.
TEST(Store, ReadsTheSentencesOfVersion4) {
  const Result<std::string> text = ReadFile(InSources("/tests/evidence/kept/version-4.jsonl"));
  ASSERT_THAT(text, IsOk());
  const Result<KeptRun> run = ParseEvidenceLines(*text, "version-4.jsonl");
  ASSERT_THAT(run, IsOk());
  const Evidence& evidence = run->evidence;
  EXPECT_TRUE(evidence.At(2).writes);
  EXPECT_EQ(evidence.At(2).detail, "openat");
  EXPECT_FALSE(evidence.At(3).writes);
  EXPECT_TRUE(evidence.At(4).writes);
  EXPECT_EQ(evidence.At(5).by, "/dev/null");
  EXPECT_EQ(evidence.At(6).by, "");
  EXPECT_EQ(evidence.At(7).value, 0);
  EXPECT_EQ(evidence.At(8).value, 1);
  EXPECT_EQ(evidence.outside.front().what, Outside::What::kDevices);
  const FunnelRow& row = evidence.funnel.front();
  EXPECT_EQ(row.loss->reason.kind, Reason::Kind::kText);
  EXPECT_EQ(row.loss->because[2].subject, "cuCtxCreate_v2");
  EXPECT_TRUE(ParseEvidenceLines(EvidenceLines(*run), "x.jsonl")->evidence == evidence);
}

// A file that was damaged is refused with its line, or read; it never ends the reader.
TEST(Store, ReadsOrRefusesEveryDamagedLine) {
  for (const Example& example : CauseExamples()) {
    const std::string text = EvidenceLines(Kept(example.evidence));
    for (const char* key : {"\"by\":", "\"detail\":", "\"rule\":", "\"steps\":", "\"below\":",
                            "\"record\":", "\"kind\":", "\"value\":", "\"subject\":"}) {
      std::string damaged = text;
      for (size_t at = damaged.find(key); at != std::string::npos; at = damaged.find(key, at + 9))
        damaged[at + 1] = 'X';
      const Result<KeptRun> read = ParseEvidenceLines(damaged, "x.jsonl");
      EXPECT_TRUE(damaged == text || !read) << example.what << " " << key;
    }
    for (size_t cut = 0; cut < text.size(); cut += 97) {
      std::string damaged = text;
      damaged[cut] = '0';
      (void)ParseEvidenceLines(damaged, "x.jsonl");
    }
  }
}

TEST(Store, RefusesWhatIsNoEvidence) {
  EXPECT_THAT(ParseEvidenceLines(WithFirstLine(R"({"level":"info"})"), "x.jsonl"),
              FailsAt(1, 1, "this is no evidence that gpustage kept"));
  EXPECT_THAT(ParseEvidenceLines("no json\n", "x.jsonl"),
              FailsAt(1, 1, "this line is no JSON object"));
  EXPECT_THAT(ParseEvidenceLines("", "x.jsonl"), FailsAt(1, 1, "this evidence has no end"));
}

TEST(Store, RefusesAnEventThatIsNotThere) {
  KeptRun run = Kept(CauseExamples().front().evidence);
  run.evidence.funnel.front().event = 99;
  EXPECT_THAT(Again(run), FailsWith("x.jsonl:9:1: something here names event 99, and there are 3"));
}

TEST(Store, RefusesAStepWhoseEventIsNotThere) {
  KeptRun run = Kept(CauseExamples().front().evidence);
  run.evidence.funnel.front().steps[Step::kOpened].event = 99;
  EXPECT_THAT(Again(run), FailsWith("x.jsonl:9:1: something here names event 99, and there are 3"));
}

TEST(Store, NamesTheLineThatIsWrong) {
  std::string text = EvidenceLines(Kept(CauseExamples().front().evidence));
  const size_t second = text.find('\n') + 1;
  EXPECT_THAT(
      ParseEvidenceLines(text.substr(0, second) + "{\"record\":\"dream\"}\n" + text.substr(second),
                         "x.jsonl"),
      FailsAt(2, 1, "this line is not as version 6 has it: unknown record \"dream\""));
  EXPECT_THAT(ParseEvidenceLines(text.substr(0, text.rfind("{\"record\":\"end\"")), "x.jsonl"),
              FailsAt(8, 1, "this evidence has no end: it was not written to its last line"));
}

}  // namespace
}  // namespace gpustage
