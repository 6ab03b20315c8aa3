#include "harness/evidence/store/recording.h"

#include <gmock/gmock.h>

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

Recording OneGpu() {
  Recording recording;
  recording.outcome = "done";
  recording.devices = {{{"name", "H100"}, {"library", "CUDA"}}};
  recording.log = {"first", "second"};
  recording.libraries = {{"ollama runner", {"/usr/lib/libcuda.so.1"}}, {"ollama serve", {}}};
  recording.funnel = {"/a/libggml-cuda.so in ollama runner: reached reported"};
  return recording;
}

TEST(Recordings, AreReadAsTheyWereWritten) {
  const Recordings recordings = {
      "ollama", "0.17.4", {{"a@x=1 debug=1", OneGpu()}, {"a debug=2", Recording{}}}};
  const Result<Recordings> read = ParseRecordings(RecordingsJson(recordings));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, recordings);
}

// Two starts that say the same but for one line: what a file keeps of them.
TEST(Recordings, KeepALineOnce) {
  Recording one = OneGpu(), other = OneGpu();
  one.log = {"a", "b", "c"};
  other.log = {"a", "b", "d", "a"};
  const std::string text = RecordingsJson({"ollama", "0.17.4", {{"1", one}, {"2", other}}});
  EXPECT_THAT(text, HasSubstr(R"("log": "0-2")"));
  EXPECT_THAT(text, HasSubstr(R"("log": "0-1 3 0")"));
}

std::string WithLog(const std::string& numbers) {
  return R"({"scanner": "ollama", "version": "1", "lines": ["a", "b"],
             "recordings": {"a": {"outcome": "done",
             "devices": [], "libraries": {}, "funnel": [], "log": ")" +
         numbers + "\"}}}";
}

TEST(Recordings, ThatAreNoneAreAnError) {
  EXPECT_FALSE(ParseRecordings("").ok());
  EXPECT_FALSE(ParseRecordings(
                   R"({"scanner": "ollama", "version": "1", "lines": [], "recordings": {"a": {}}})")
                   .ok());
}

TEST(Recordings, WithNumbersOfNoLineAreAnError) {
  EXPECT_TRUE(ParseRecordings(WithLog("0-1 1 0")).ok());
  for (const char* numbers : {"2", "0-2", "1-0", "x", "0-", "-1", "0,1"})
    EXPECT_FALSE(ParseRecordings(WithLog(numbers)).ok()) << numbers;
}

TEST(CompareRecordings, FindsNothingInTheSame) {
  EXPECT_THAT(Compare(OneGpu(), OneGpu()), IsEmpty());
}

TEST(CompareRecordings, TellsWhatOnlyOneHas) {
  Recording other = OneGpu();
  other.log = {"first", "third"};
  EXPECT_THAT(Compare(OneGpu(), other),
              ElementsAre(RecordingDifference{"log", {"second"}, {"third"}}));
}

TEST(CompareRecordings, SeesAnotherOrder) {
  Recording other = OneGpu();
  std::swap(other.log[0], other.log[1]);
  EXPECT_THAT(Compare(OneGpu(), other), ElementsAre(RecordingDifference{"log", {}, {}}));
}

TEST(CompareRecordings, OfTwoVersionsForgetsWhereALineIsInTheSource) {
  Recording older = OneGpu(), newer = OneGpu();
  older.log = {
      "level=INFO source=routes.go:1607 msg=\"Listening on 127.0.0.1:11434 (version 0.13.5)\""};
  newer.log = {
      "level=INFO source=routes.go:1718 msg=\"Listening on 127.0.0.1:11434 (version 0.17.4)\""};
  EXPECT_THAT(Compare(WithoutVersion(older), WithoutVersion(newer)), IsEmpty());
}

// What gpustage concluded in the day of a recording is no fact of the program.
TEST(CompareRecordings, OfAnotherDayLookAtWhatWasSeen) {
  const Recording then = OneGpu();
  Recording now = OneGpu();
  now.funnel = {"/a/libggml-cuda.so in ollama runner: reached counted, lost at reported",
                "/b/libggml-cuda.so: untouched, lost at listed",
                "/lib/libcuda.so.1 in ollama serve: reached loaded"};
  EXPECT_THAT(Compare(AsSeen(then, then), AsSeen(now, then)), IsEmpty());
  now.funnel.front() = "/a/libggml-cuda.so in ollama runner: reached opened, lost at loaded";
  EXPECT_THAT(Compare(AsSeen(then, then), AsSeen(now, then)),
              ElementsAre(Field(&RecordingDifference::field, "funnel")));
}

// The real libggml-base opens NVML, and so does our fake of it: what a fake opens is nobody's
// candidate.
TEST(CompareRecordings, LeavesNvmlToTheLibrariesThatWereMapped) {
  Recording real = OneGpu();
  const Recording model = real;
  real.funnel.insert(real.funnel.begin(),
                     "/lib/libnvidia-ml.so.1 in ollama runner: reached reported");
  EXPECT_THAT(Compare(AsSeen(real, real), AsSeen(model, real)), IsEmpty());
  real.libraries["ollama runner"].emplace_back("/lib/libnvidia-ml.so.1");
  EXPECT_THAT(Compare(AsSeen(real, real), AsSeen(model, real)),
              ElementsAre(Field(&RecordingDifference::field, "libraries")));
}

TEST(CompareRecordings, LooksAtEveryField) {
  Recording other;
  EXPECT_THAT(Compare(OneGpu(), other), ElementsAre(Field(&RecordingDifference::field, "outcome"),
                                                    Field(&RecordingDifference::field, "devices"),
                                                    Field(&RecordingDifference::field, "log"),
                                                    Field(&RecordingDifference::field, "libraries"),
                                                    Field(&RecordingDifference::field, "funnel")));
}

}  // namespace
}  // namespace gpustage
