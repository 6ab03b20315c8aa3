// The names under which evidence is kept.
#include "harness/suite/evidence_dir.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

TEST(EvidenceFile, IsNamedAfterItsCaseAndRun) {
  EXPECT_EQ(EvidenceFile("first-steps/healthy@gpus=1", "ggml"),
            "first-steps/healthy@gpus=1.ggml.jsonl");
  EXPECT_EQ(EvidenceFile("a", "r"), "a.r.jsonl");
}

TEST(EvidenceFile, StaysInItsFolder) {
  EXPECT_EQ(EvidenceFile("f/a@x=../../etc", "../r"), "f/a@x=..%2F..%2Fetc...%2Fr.jsonl");
  EXPECT_EQ(EvidenceFile("a@x=%2F", "r"), "a@x=%252F.r.jsonl");
}

// 255 bytes are what ext4, xfs, btrfs and tmpfs take; what is written beside it has a longer name.
TEST(EvidenceFile, IsNoLongerThanAFileSystemTakes) {
  const std::string one = EvidenceFile("a@x=" + std::string(400, 'l') + "1", "r"),
                    two = EvidenceFile("a@x=" + std::string(400, 'l') + "2", "r");
  EXPECT_LE(one.size(), 235u);
  EXPECT_TRUE(one.ends_with(".jsonl")) << one;
  EXPECT_NE(one, two);
}

}  // namespace
}  // namespace gpustage
