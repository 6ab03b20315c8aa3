// What is kept is what was recorded, and what is read of it is what was seen.
#include "harness/evidence/store/store.h"

#include <regex>
#include <sstream>

#include "harness/base/files.h"
#include "harness/evidence/path/questions.h"
#include "harness/evidence/store/record_lines.h"
#include "tests/evidence/causes.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

KeptRun Head() {
  return {"a/b@c=d", "a/b", "a claim", "service", "ollama-model", "fail", "because", {}};
}
std::string Lines(const RecordedRun& recorded) {
  std::ostringstream lines;
  WriteEvidenceLines(Head(), recorded, lines);
  return lines.str();
}
Result<KeptRun> Again(const RecordedRun& recorded) {
  return ParseEvidenceLines(Lines(recorded), "x.jsonl");
}
std::string ErrorOf(const Result<KeptRun>& run) { return run ? "" : run.error().message; }
std::string WithFirstLine(const std::string& line) {
  const std::string text = Lines({});
  return line + text.substr(text.find('\n'));
}

// What reading gives back of the lines of a run, without what is concluded.
RecordedRun RecordsIn(const std::string& lines) {
  RecordedRun run;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) ReadRecordLine(line, run);
  return run;
}

// Each field of each record as no run has it by itself.
RecordedRun Full() {
  const std::string bytes = "\xff\x01";
  RecordedRun run;
  run.outcome = {Outcome::Kind::kTimedOut, 9, "after 30 s" + bytes};
  run.start_ns = -5;
  run.duration_ns = 1'000'000'000'000;
  run.level = EvidenceLevel::kLibs;
  run.journal_recorded = run.loader_recorded = true;
  run.left_over = 3;
  run.journal = {{{world::RecordKind::kCall, ~uint64_t{0}, 7, 8, 2, INT64_MIN, 1, 4, {bytes, ""}},
                  {static_cast<world::RecordKind>(77), 1, 0, 0, 0, 0, -1, 0, {}}},
                 true};
  run.output = {{{5, Stream::kStdout, "out" + bytes}, {6, Stream::kStderr, ""}}, 12};
  FileRecord file;
  file.time_ns = 1;
  file.pid = 2;
  file.tid = 3;
  file.act = FileAct::kExec;
  file.call = "execve";
  file.path = "/bin/" + bytes;
  file.links = {"/a -> b", bytes};
  file.real = "/b";
  file.answered = file.writes = true;
  file.error = 13;
  file.parent = 1;
  file.argv = {"scan", bytes};
  file.environment = {"A=" + bytes};
  file.stream = Stream::kStdout;
  file.bytes = "line\n" + bytes;
  file.code = 2;
  file.signal = 11;
  run.files = {{file}, true, false, "a note", "a failure"};
  run.log_stream = "any";
  run.log_format = LogFormat::kGgml;
  run.devices = {DeviceReader::Kind::kCount, "stdout", "(?P<count>\\d+)"};
  run.candidates = {"/opt/" + bytes};
  run.setting = {2,      false, true, 1, 3, {"/lib/a.so"}, {{"/lib/a.so", "580.1"}, {bytes, ""}},
                 "570.2"};
  AfterRun& after = run.after;
  after.uid = 998;
  DlopenAnswer answer = {"/a.so",
                         1,
                         2,
                         3,
                         "no " + bytes,
                         4,
                         'f',
                         5,
                         6,
                         "\x7f"
                         "ELF"};
  after.answered = {{{"A=1"}, {answer, DlopenAnswer()}}};
  after.looked = {{"/dev/x",
                   {{"/dev", "dev" + bytes}},
                   "/dev/x",
                   13,
                   true,
                   0100644,
                   "root:root",
                   {"one", bytes},
                   true}};
  after.ends = {{"/a" + bytes, "/b"}};
  after.mapped = {{"/a.so",
                   "liba.so",
                   {"libb.so"},
                   "/opt/lib",
                   {{"libb.so", "V_1", true}},
                   {"V_2"},
                   {"dlsym"},
                   true}};
  after.lacked = {{2, "", {{"cuInit", "V_1", "libcuda.so.1"}}}};
  after.preload = "/p.so";
  after.host_directories = {"/usr/lib/python3"};
  after.own_kernel_files = {"/proc/modules"};
  after.of_machine = {"/opt/libcuda.so.1"};
  return run;
}

TEST(Store, KeepsEveryFieldOfEveryRecord) {
  const RecordedRun run = Full();
  const auto lines = [](const RecordedRun& one) {
    std::ostringstream out;
    WriteRecordLines(one, out);
    return out.str();
  };
  EXPECT_TRUE(RecordsIn(lines(run)) == run) << lines(run);
  EXPECT_TRUE(RecordsIn(lines({})) == RecordedRun());
}

TEST(Store, IsDecodedAgainWhenItIsRead) {
  for (const Example& example : CauseExamples()) {
    const Result<KeptRun> again = Again(example.recorded);
    ASSERT_THAT(again, IsOk()) << example.what;
    EXPECT_TRUE(again->evidence == example.evidence) << example.what;
    EXPECT_EQ(again->because, "because");
  }
}

TEST(Store, KeepsEveryByte) {
  std::string bytes;
  for (int c = 1; c < 256; ++c)
    if (c != '\n' && c != '\r') bytes += static_cast<char>(c);
  const RawRun raw = HandMadeRun()
                         .Process(7, 1, "/bin/" + bytes, bytes, "A=" + bytes)
                         .Prints(Stream::kStderr, bytes)
                         .Note(7, "\xff");
  const RecordedRun recorded = Recorded(raw, {});
  const Result<KeptRun> again = Again(recorded);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->evidence == EvidenceOf(recorded));
}

// A field is written where it says something: what is not known is no 0.
TEST(Store, KeepsWhatIsNotKnownApartFromNothing) {
  RecordedRun recorded;
  recorded.setting.devices = 0;
  EXPECT_EQ(Again(recorded)->evidence.setting.devices, 0);
  EXPECT_EQ(Again({})->evidence.setting.devices, -1);
  EXPECT_FALSE(Again({})->evidence.devices.has_value());
}

TEST(Store, HasOneObjectALine) {
  const std::string text = Lines(CauseExamples().front().recorded);
  EXPECT_TRUE(text.starts_with(R"({"format":"gpustage-evidence","version":7,)"))
      << text.substr(0, 80);
  EXPECT_THAT(text, HasSubstr("\n{\"record\":\"journal record\",\"kind\":\"process\","));
  EXPECT_TRUE(text.ends_with("}\n"));
}

TEST(Store, RefusesAnotherVersion) {
  EXPECT_THAT(
      ParseEvidenceLines(WithFirstLine(R"({"format":"gpustage-evidence","version":2})"), "x.jsonl"),
      FailsAt(1, 1,
              "this evidence is of version 2; this gpustage reads versions 4 to 7, so run the "
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
}

// Of all kinds of lines that version 5 had.
Result<std::string> Version5() {
  return ReadFile(InSources("/tests/evidence/kept/version-5.jsonl"));
}

TEST(Store, ReadsWhatVersion5Concluded) {
  const Result<std::string> text = Version5();
  ASSERT_THAT(text, IsOk());
  const Result<KeptRun> run = ParseEvidenceLines(*text, "version-5.jsonl");
  ASSERT_THAT(run, IsOk());
  const Evidence& evidence = run->evidence;
  ASSERT_FALSE(evidence.funnel.empty());
  EXPECT_EQ(evidence.funnel.front().loss->reason.kind, Reason::Kind::kSymbolMissing);
  EXPECT_TRUE(evidence.lost.has_value());
  EXPECT_FALSE(evidence.linkage.gaps.empty());
  EXPECT_FALSE(evidence.linkage.unseen_misses.empty());
  EXPECT_FALSE(evidence.outside.empty());
}

// It had more to say of two things than version 5, of which the file is else.
TEST(Store, ReadsWhatVersion6Added) {
  std::string text = *Version5();
  const auto replace = [&](const std::string& old, const std::string& now) {
    const size_t at = text.find(old);
    ASSERT_NE(at, std::string::npos) << old;
    text.replace(at, old.size(), now);
  };
  replace("\"version\":5", "\"version\":6");
  const std::string gap =
      "\"versions\":[],\"symbols\":[\"cublasLtCreate@libcublasLt.so.12\"],"
      "\"unversioned\":false";
  replace(gap, gap + ",\"newest\":\"libcublasLt.so.11\"");
  replace("{\"record\":\"gap\"",
          "{\"record\":\"own_path\",\"pid\":2,\"library\":\"\",\"folder\":\"/opt/lib\"}\n"
          "{\"record\":\"gap\"");
  const Result<KeptRun> run = ParseEvidenceLines(text, "version-6.jsonl");
  ASSERT_THAT(run, IsOk());
  EXPECT_EQ(run->evidence.linkage.gaps.front().newest, "libcublasLt.so.11");
  ASSERT_EQ(run->evidence.linkage.own_paths.size(), 1u);
  EXPECT_EQ(run->evidence.linkage.own_paths.front().folder, "/opt/lib");
}

// A file that was damaged is refused with its line, or read; it never ends the reader.
void Damage(const std::string& text, const std::vector<const char*>& keys,
            const std::string& what) {
  for (const char* key : keys) {
    std::string damaged = text;
    for (size_t at = damaged.find(key); at != std::string::npos; at = damaged.find(key, at + 9))
      damaged[at + 1] = 'X';
    const Result<KeptRun> read = ParseEvidenceLines(damaged, "x.jsonl");
    EXPECT_TRUE(damaged == text || !read) << what << " " << key;
  }
  for (size_t cut = 0; cut < text.size(); cut += 97) {
    std::string damaged = text;
    damaged[cut] = '0';
    (void)ParseEvidenceLines(damaged, "x.jsonl");
  }
}

TEST(Store, ReadsOrRefusesEveryDamagedLine) {
  const std::vector<const char*> keys = {"\"record\":",  "\"kind\":",     "\"texts\":", "\"path\":",
                                         "\"answers\":", "\"complete\":", "\"lines\":"};
  for (const Example& example : CauseExamples())
    Damage(Lines(example.recorded), keys, example.what);
  Damage(Lines(Full()), keys, "a full run");
  const Result<std::string> old = Version5();
  ASSERT_THAT(old, IsOk());
  Damage(*old,
         {"\"by\":", "\"detail\":", "\"rule\":", "\"steps\":", "\"below\":", "\"record\":",
          "\"kind\":", "\"value\":", "\"subject\":"},
         "version 5");
}

TEST(Store, MissesALineThatIsGone) {
  const std::string text = Lines(CauseExamples().front().recorded);
  const size_t gone = text.find("{\"record\":\"journal record\"");
  const std::string damaged = text.substr(0, gone) + text.substr(text.find('\n', gone) + 1);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_THAT(ParseEvidenceLines(damaged, "x.jsonl"),
              FailsAt(static_cast<int>(lines) - 1, 1,
                      "this evidence had " + std::to_string(lines) + " lines, and here are " +
                          std::to_string(lines - 1)));
}

TEST(Store, RefusesWhatIsNoEvidence) {
  EXPECT_THAT(ParseEvidenceLines(WithFirstLine(R"({"level":"info"})"), "x.jsonl"),
              FailsAt(1, 1, "this is no evidence that gpustage kept"));
  EXPECT_THAT(ParseEvidenceLines("no json\n", "x.jsonl"),
              FailsAt(1, 1, "this line is no JSON object"));
  EXPECT_THAT(ParseEvidenceLines("", "x.jsonl"), FailsAt(1, 1, "this evidence has no end"));
  EXPECT_EQ(ErrorOf(ParseEvidenceLines(Lines({}) + "{}\n", "x.jsonl")),
            "there is a line behind the end of this evidence");
}

TEST(Store, RefusesAnEventOfVersion5ThatIsNotThere) {
  const Result<std::string> text = Version5();
  ASSERT_THAT(text, IsOk());
  for (const char* event : {"\"known\":\"asked\",[^\\n]*\"event\":", "\"events\":\\{\"[a-z]+\":"}) {
    const std::string damaged =
        std::regex_replace(*text, std::regex("(" + std::string(event) + ")"), "$019",
                           std::regex_constants::format_first_only);
    ASSERT_NE(damaged, *text);
    EXPECT_THAT(ErrorOf(ParseEvidenceLines(damaged, "x.jsonl")),
                HasSubstr("something here names event 9"));
  }
}

TEST(Store, NamesTheLineThatIsWrong) {
  const std::string text = Lines(CauseExamples().front().recorded);
  const size_t second = text.find('\n') + 1;
  const auto with = [&](const std::string& line) {
    return ParseEvidenceLines(text.substr(0, second) + line + "\n" + text.substr(second),
                              "x.jsonl");
  };
  EXPECT_THAT(with("{\"record\":\"dream\"}"),
              FailsAt(2, 1, "this line is not as version 7 has it: unknown record \"dream\""));
  EXPECT_THAT(with("{\"record\":\"looked\",\"pat\":\"/a\"}"),
              FailsAt(2, 1, "this line is not as version 7 has it: unknown field \"pat\""));
  EXPECT_THAT(with("{\"record\":\"file\",\"act\":\"dream\"}"),
              FailsAt(2, 1, "this line is not as version 7 has it: unknown word \"dream\""));
  EXPECT_EQ(
      ErrorOf(ParseEvidenceLines(text.substr(0, text.rfind("{\"record\":\"end\"")), "x.jsonl")),
      "this evidence has no end: it was not written to its last line");
}

}  // namespace
}  // namespace gpustage
