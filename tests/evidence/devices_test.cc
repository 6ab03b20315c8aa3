// What a scanner says it sees, and that what cannot be read is never zero.
#include "harness/evidence/path/devices.h"

#include "harness/evidence/records/decode.h"
#include "harness/words/words.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::Pair;

Evidence Read(DeviceReader reader, const RawRun& run) {
  ScannerSpec scanner;
  scanner.devices = std::move(reader);
  return Decode(run, scanner, {});
}

RawRun Says(Stream stream, const std::string& text, Outcome outcome = {}) {
  return HandMadeRun().Prints(stream, text).Ends(std::move(outcome));
}

void ExpectUnreadable(const Evidence& evidence, const std::string& why) {
  EXPECT_EQ(evidence.devices, std::nullopt);
  EXPECT_EQ(evidence.device_count, std::nullopt);
  EXPECT_EQ(SentenceOf(evidence.devices_unreadable), why);
}

const DeviceReader kJson = {DeviceReader::Kind::kJson, "stdout", ""};
const DeviceReader kLines = {DeviceReader::Kind::kLines, "stderr",
                             "GPU (?P<name>\\S+)( at (?P<pci_id>\\S+))?"};
const DeviceReader kCount = {DeviceReader::Kind::kCount, "any", "count=(?P<count>\\d*)"};

TEST(ReadDevices, ReadsAJsonListOrAnObjectThatHoldsIt) {
  for (const char* text : {R"([{"name":"H100","memory_total":85}])",
                           R"({"devices":[{"name":"H100","memory_total":85}]})"}) {
    const Evidence evidence = Read(kJson, Says(Stream::kStdout, text));
    EXPECT_THAT(evidence.device_count, Optional(1));
    ASSERT_EQ(evidence.devices->size(), 1u);
    EXPECT_THAT(evidence.devices->front().fields,
                ElementsAre(Pair("memory_total", "85"), Pair("name", "H100")));
    EXPECT_EQ(evidence.At(evidence.devices->front().event).kind, EventKind::kLog);
  }
}

TEST(ReadDevices, TakesAnEmptyListForZero) {
  EXPECT_THAT(Read(kJson, Says(Stream::kStdout, "[]\n")).device_count, Optional(0));
}

TEST(ReadDevices, LetsACountStandBesideTheList) {
  EXPECT_THAT(Read(kJson, Says(Stream::kStdout, R"({"count":2,"devices":[{}]})")).device_count,
              Optional(2));
}

TEST(ReadDevices, LeavesNullFieldsOut) {
  EXPECT_THAT(
      Read(kJson, Says(Stream::kStdout, R"([{"name":null,"uuid":"x"}])")).devices->front().fields,
      ElementsAre(Pair("uuid", "x")));
}

TEST(ReadDevices, CannotReadWhatIsNoJson) {
  for (const char* text : {"[{\"name\":", "no", "{}", "{\"devices\":1}", "1", "[]\nand a word"})
    ExpectUnreadable(Read(kJson, Says(Stream::kStdout, text)),
                     "what it printed is not JSON with a list of devices");
  ExpectUnreadable(Read(kJson, Says(Stream::kStderr, "[]")), "it printed nothing on stdout");
}

TEST(ReadDevices, MakesEveryMatchingLineADevice) {
  const Evidence evidence =
      Read(kLines, Says(Stream::kStderr, "start\nGPU a at 01:00\nnothing\nGPU b\n"));
  ASSERT_EQ(evidence.devices->size(), 2u);
  EXPECT_THAT((*evidence.devices)[0].fields,
              ElementsAre(Pair("name", "a"), Pair("pci_id", "01:00")));
  EXPECT_THAT((*evidence.devices)[1].fields, ElementsAre(Pair("name", "b")));
  EXPECT_EQ(evidence.At((*evidence.devices)[1].event).subject, "GPU b");
}

TEST(ReadDevices, ReadsTheGivenStreamOnly) {
  EXPECT_THAT(Read(kLines, Says(Stream::kStdout, "GPU a\n")).device_count, Optional(0));
}

TEST(ReadDevices, TakesTheLastCount) {
  const Evidence evidence = Read(kCount, Says(Stream::kStdout, "count=1\ncount=2\ncount=\nend\n"));
  EXPECT_THAT(evidence.device_count, Optional(2));
  EXPECT_EQ(evidence.devices, std::nullopt);
  EXPECT_EQ(SentenceOf(evidence.devices_unreadable), "");
}

TEST(ReadDevices, CannotReadACountThatIsNotThere) {
  ExpectUnreadable(Read(kCount, Says(Stream::kStdout, "nothing\n")),
                   "no line matched count=(?P<count>\\d*)");
  ExpectUnreadable(Read(kCount, Says(Stream::kStdout, "count=99999999999999999999\n")),
                   "no line matched count=(?P<count>\\d*)");
}

// What was cut short says nothing of what would have followed.
TEST(ReadDevices, ReadsNothingOfAScannerThatWasNotDone) {
  const RawRun crashed = Says(Stream::kStderr, "GPU a\n", {Outcome::Kind::kKilled, 11, ""});
  ExpectUnreadable(Read(kLines, crashed), "the scanner was not done: killed by SIGSEGV");
  const RawRun hung = Says(Stream::kStdout, "[]", {Outcome::Kind::kTimedOut, 9, "after 30 s"});
  ExpectUnreadable(Read(kJson, hung), "the scanner was not done: timed out after 30 s");
  const RawRun absent = Says(Stream::kStdout, "", {Outcome::Kind::kNotStarted, 2, "no"});
  ExpectUnreadable(Read(kCount, absent), "the scanner was not done: not started: no");
}

TEST(ReadDevices, ReadsAScannerThatFailedByItsOwnWill) {
  EXPECT_THAT(
      Read(kJson, Says(Stream::kStdout, "[]", {Outcome::Kind::kExited, 1, ""})).device_count,
      Optional(0));
  EXPECT_THAT(
      Read(kJson, Says(Stream::kStdout, "[]", {Outcome::Kind::kStopped, 0, ""})).device_count,
      Optional(0));
}

// nvidia-smi -L and its like print a line a device: none is no list where the program failed.
TEST(ReadDevices, TakesSilenceForZeroUnlessTheProgramCouldNotBeStarted) {
  EXPECT_THAT(Read(kLines, Says(Stream::kStderr, "", {Outcome::Kind::kExited, 0, ""})).device_count,
              Optional(0));
  // vulkaninfo and rocm-smi end with 1 and 8 where they see nothing.
  EXPECT_THAT(Read(kLines, Says(Stream::kStderr, "nothing here\n", {Outcome::Kind::kExited, 8, ""}))
                  .device_count,
              Optional(0));
  for (const int status : {126, 127})
    ExpectUnreadable(
        Read(kLines, Says(Stream::kStderr, "nothing here\n", {Outcome::Kind::kExited, status, ""})),
        "it listed nothing and exited " + std::to_string(status));
  EXPECT_THAT(
      Read(kLines, Says(Stream::kStderr, "GPU a\n", {Outcome::Kind::kExited, 1, ""})).device_count,
      Optional(1));
}

TEST(ReadDevices, SaysThatADefinitionReadsNone) {
  ExpectUnreadable(Read({}, Says(Stream::kStdout, "[]")),
                   "this scanner's definition does not say how its devices are read");
}

}  // namespace
}  // namespace gpustage
