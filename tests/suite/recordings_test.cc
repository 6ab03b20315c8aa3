// The folder of recordings.
#include "harness/suite/recordings.h"

#include "harness/base/files.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

class RecordingsFolderTest : public testing::Test {
 protected:
  static RecordedScenarios Of(const std::string& version, const std::string& key,
                              const std::string& outcome) {
    Recordings recordings;
    recordings.scanner = "ollama";
    recordings.version = version;
    recordings.of[key].outcome = outcome;
    return {{"a", recordings}};
  }
  std::string Newest(const std::string& scanner) const {
    return ReadRecordings(scratch_.path(), scanner)->at("a").version;
  }
  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

// By their numbers: as texts 0.9 is the last of all, and 0.17.4 comes after 0.17.10.
TEST_F(RecordingsFolderTest, TheNewestIsTheNewestVersion) {
  for (const char* version : {"0.9", "0.32.14", "0.17.10", "0.17.4"})
    ASSERT_THAT(WriteRecordings(Of(version, "k", "done"), scratch_.path(), false), IsOk());
  EXPECT_EQ(Newest("ollama"), "0.32.14");
  EXPECT_EQ(Newest("ollama@0.17"), "0.17.10");
  EXPECT_EQ(Newest("ollama@0.9"), "0.9");
}

TEST_F(RecordingsFolderTest, ThoseOfAPartOfTheCasesLeaveTheOthers) {
  ASSERT_THAT(WriteRecordings(Of("1", "a@x=1 debug=1", "old"), scratch_.path(), false), IsOk());
  ASSERT_THAT(WriteRecordings(Of("1", "a@x=2 debug=1", "other"), scratch_.path(), true), IsOk());
  ASSERT_THAT(WriteRecordings(Of("1", "a@x=1 debug=1", "new"), scratch_.path(), true), IsOk());
  const auto read = ReadRecordings(scratch_.path(), "ollama");
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->at("a").of.at("a@x=1 debug=1").outcome, "new");
  EXPECT_EQ(read->at("a").of.at("a@x=2 debug=1").outcome, "other");
  ASSERT_THAT(WriteRecordings(Of("1", "a@x=3 debug=1", "whole"), scratch_.path(), false), IsOk());
  EXPECT_EQ(ReadRecordings(scratch_.path(), "ollama")->at("a").of.size(), 1u);
}

}  // namespace
}  // namespace gpustage
