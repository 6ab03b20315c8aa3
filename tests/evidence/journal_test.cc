#include "harness/evidence/records/journal.h"

#include <random>

#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using world::RecordKind;

std::string Call(const std::string& function, int64_t value) {
  return RecordBytes({0, RecordKind::kCall, 3, 77, 10, 11, value, 1, 2, 0, 0},
                     {function, "device=1"});
}

TEST(ReadJournalBytes, ReadsEveryFieldOfARecord) {
  const Journal journal = ReadJournalBytes(JournalBytes(Call("cuInit", -5)));
  EXPECT_TRUE(journal.complete);
  EXPECT_THAT(journal.records,
              ElementsAre(JournalRecord{
                  RecordKind::kCall, 77, 10, 11, 3, -5, 1, 2, {"cuInit", "device=1"}}));
}

TEST(ReadJournalBytes, KeepsTheOrderOfTheFile) {
  const Journal journal = ReadJournalBytes(
      JournalBytes(Call("a", 0) + Call("longer than eight bytes", 0) + Call("", 0)));
  ASSERT_EQ(journal.records.size(), 3u);
  EXPECT_EQ(journal.records[1].texts[0], "longer than eight bytes");
  EXPECT_EQ(journal.records[2].texts[0], "");
}

TEST(ReadJournalBytes, TakesAnEmptyJournalForComplete) {
  const Journal journal = ReadJournalBytes(JournalBytes(""));
  EXPECT_TRUE(journal.complete);
  EXPECT_THAT(journal.records, IsEmpty());
}

TEST(ReadJournalBytes, StepsOverARecordWhoseWriterDied) {
  std::string dead = Call("died", 0);
  dead[offsetof(world::Record, kind)] = 0;
  const Journal journal = ReadJournalBytes(JournalBytes(Call("a", 0) + dead + Call("b", 0)));
  EXPECT_FALSE(journal.complete);
  ASSERT_EQ(journal.records.size(), 2u);
  EXPECT_EQ(journal.records[1].texts[0], "b");
}

TEST(ReadJournalBytes, EndsAtARecordWithoutASize) {
  const Journal journal =
      ReadJournalBytes(JournalBytes(Call("a", 0) + std::string(64, '\0') + Call("b", 0)));
  EXPECT_FALSE(journal.complete);
  EXPECT_EQ(journal.records.size(), 1u);
}

TEST(ReadJournalBytes, IsNotCompleteWhenRecordsWereDropped) {
  const Journal journal = ReadJournalBytes(JournalBytes(Call("a", 0), 1));
  EXPECT_FALSE(journal.complete);
  EXPECT_EQ(journal.records.size(), 1u);
}

// `next` runs past the capacity when it is full; what was written is all there.
TEST(ReadJournalBytes, StopsAtItsCapacity) {
  const std::string two = Call("a", 0) + Call("b", 0);
  std::string bytes = JournalBytes(two, 0, Call("a", 0).size());
  EXPECT_EQ(ReadJournalBytes(bytes).records.size(), 1u);
}

TEST(ReadJournalBytes, RefusesWhatIsNoJournal) {
  for (std::string bytes :
       {std::string(), std::string("text"), std::string(4096, '\0'), std::string(4096, '\xff')}) {
    const Journal journal = ReadJournalBytes(bytes);
    EXPECT_FALSE(journal.complete);
    EXPECT_THAT(journal.records, IsEmpty());
  }
  std::string newer = JournalBytes(Call("a", 0));
  newer[offsetof(world::JournalHeader, version)] = 2;
  EXPECT_FALSE(ReadJournalBytes(newer).complete);
}

TEST(ReadJournalBytes, IsNeverCompleteWhenCut) {
  const std::string whole = JournalBytes(Call("cuInit", 0) + Call("cudaGetDeviceCount", 100));
  ASSERT_TRUE(ReadJournalBytes(whole).complete);
  for (size_t length = 0; length < whole.size(); ++length) {
    const Journal journal = ReadJournalBytes(std::string_view(whole).substr(0, length));
    EXPECT_FALSE(journal.complete) << length;
    EXPECT_LE(journal.records.size(), 2u);
  }
}

// Any bytes give a list; a sanitizer sees a read beyond them. A fixed seed: a failure comes again.
TEST(ReadJournalBytes, TakesAnyBytes) {
  std::mt19937 random(1);
  const std::string whole =
      JournalBytes(Call("cuInit", 0) + Call("cudaGetDeviceCount", 100) + Call("x", 1));
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = whole;
    for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes)
      bytes[sizeof(world::JournalHeader) +
            random() % (bytes.size() - sizeof(world::JournalHeader))] = static_cast<char>(random());
    const Journal journal = ReadJournalBytes(bytes);
    for (const JournalRecord& record : journal.records)
      EXPECT_LE(record.texts.size(), bytes.size());
  }
}

}  // namespace
}  // namespace gpustage
