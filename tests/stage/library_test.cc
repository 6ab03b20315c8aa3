// Placed libraries: stamped, broken, and shared between trees without one tree being felt in
// another.
#include <elf.h>

#include <cstring>

#include "fakes/world/format.h"
#include "harness/stage/library_image.h"
#include "tests/stage/stage_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// An ELF header, some code and a slot, as a built fake has them; the magic as a mere text before
// it.
std::string FakeImage() {
  std::string image(ELFMAG, SELFMAG);
  image += std::string{ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
  image.resize(sizeof(Elf64_Ehdr), '\0');
  image += std::string(world::kStampMagic, sizeof world::kStampMagic) + "is not followed by zeros" +
           std::string(512, 'c');
  image += std::string(world::kStampMagic, sizeof world::kStampMagic);
  image.resize(image.size() + sizeof(world::Stamp) - sizeof world::kStampMagic, '\0');
  return image + "the end";
}

world::Stamp StampIn(const std::string& image) {
  world::Stamp stamp;
  std::memcpy(&stamp, image.data() + image.size() - 7 - sizeof stamp, sizeof stamp);
  return stamp;
}

TEST(StampImage, FillsTheSlotAndNothingElse) {
  std::string image = FakeImage();
  ASSERT_TRUE(StampImage(image, 7, 9, "/.gpustage/world"));
  EXPECT_EQ(StampIn(image).instance, 7u);
  EXPECT_STREQ(StampIn(image).world, "/.gpustage/world");
  EXPECT_STREQ(StampIn(image).journal, "/.gpustage/journal");
  const size_t slot = image.size() - 7 - sizeof(world::Stamp);
  EXPECT_EQ(image.substr(0, slot), FakeImage().substr(0, slot));
  EXPECT_THAT(image, testing::EndsWith("the end"));
}

TEST(StampImage, FindsNoSlotWhereThereIsNone) {
  std::string image = "no fake";
  EXPECT_FALSE(StampImage(image, 1, 0, "/w"));
  // Cut in the middle of the slot.
  image = FakeImage().substr(0, FakeImage().size() - 100);
  EXPECT_FALSE(StampImage(image, 1, 0, "/w"));
}

TEST(BreakImage, ChangesTheBytesOfAnythingThatHasThem) {
  const std::string whole = FakeImage();
  using Kind = Breakage::Kind;
  const auto broken = [](const std::string& image, Kind kind, int64_t bytes = 0,
                         const std::string& text = "") {
    const auto made = BreakImage(image, {{kind, bytes, text}});
    return made ? *made : "error: " + made.error().message;
  };
  EXPECT_EQ(*BreakImage(whole, {}), whole);
  EXPECT_EQ(broken(whole, Kind::kEmpty), "");
  EXPECT_EQ(broken(whole, Kind::kTruncated, 10), whole.substr(0, 10));
  EXPECT_EQ(broken(whole, Kind::kTruncated, 1 << 20), whole);
  EXPECT_EQ(broken(whole, Kind::kText, 0, "version 1"), "version 1");
  EXPECT_THAT(broken(whole, Kind::kGitLfs),
              testing::MatchesRegex("version https://git-lfs.github.com/spec/v1\noid "
                                    "sha256:[0-9a-f]{64}\nsize " +
                                    std::to_string(whole.size()) + "\n"));
  EXPECT_EQ(broken(whole, Kind::kWrongClass)[EI_CLASS], ELFCLASS32);
  EXPECT_EQ(broken(whole, Kind::kBigEndian)[EI_DATA], ELFDATA2MSB);
  const std::string other = broken(whole, Kind::kWrongMachine);
  EXPECT_EQ(reinterpret_cast<const Elf64_Ehdr*>(other.data())->e_machine, EM_AARCH64);
  EXPECT_EQ(broken("", Kind::kWrongClass), "");
  EXPECT_EQ(broken("x", Kind::kWrongMachine), "x");
  EXPECT_EQ(broken("x", Kind::kSoname),
            "error: it is no library that can be edited: it is no ELF file");
}

class PlaceLibraryTest : public StageTest {
 protected:
  TreeOp Fake(const std::string& path, std::vector<Breakage> broken = {}) {
    return {
        PlaceLibraryOp{path,
                       {LibrarySource::Kind::kFake, "fake", HostFileOf("fake.so", FakeImage()), ""},
                       broken,
                       {}},
        {}};
  }
  // Large enough to be shared between trees.
  std::string LargeFile() { return HostFileOf("large.so", std::string(300 << 10, 'L')); }
};

TEST_F(PlaceLibraryTest, StampsEachFakeWithItsOwnNumber) {
  ASSERT_THAT(Build({Fake("/a.so"), Fake("/b.so")}), IsOk());
  EXPECT_EQ(StampIn(Content("/a.so")).instance, 1u);
  EXPECT_EQ(StampIn(Content("/b.so")).instance, 2u);
  EXPECT_EQ(Mode("/a.so"), 0755u);
  // A later run's change goes on counting.
  ASSERT_THAT(Change({Fake("/c.so")}), IsOk());
  EXPECT_EQ(StampIn(Content("/c.so")).instance, 3u);
}

TEST_F(PlaceLibraryTest, StampsAFakeWithTheWorldOfItsOwn) {
  PlanStep step = {Fake("/a.so"), 4, "the bytes of its world"};
  ASSERT_THAT(Build({}), IsOk());
  ASSERT_THAT(ApplySteps({step}, false, *shared_, *tree_), IsOk());
  EXPECT_STREQ(StampIn(Content("/a.so")).world, "/.gpustage/world-4");
  EXPECT_EQ(Content("/.gpustage/world-4"), "the bytes of its world");
}

TEST_F(PlaceLibraryTest, RefusesAFakeThatCannotBeStamped) {
  const std::string path = HostFileOf("plain.so", "no stamp here");
  EXPECT_THAT(
      Build({{PlaceLibraryOp{"/a.so", {LibrarySource::Kind::kFake, "plain", path, ""}, {}, {}},
              {"s.yaml", 3, 5}}}),
      FailsWith("s.yaml:3:5: the fake plain has no stamp: " + path));
}

TEST_F(PlaceLibraryTest, PlacesABrokenOne) {
  ASSERT_THAT(Build({Fake("/cut.so", {{Breakage::Kind::kTruncated, 20, ""}}),
                     Fake("/text.so", {{Breakage::Kind::kText, 0, "oid"}})}),
              IsOk());
  EXPECT_EQ(Content("/cut.so"), FakeImage().substr(0, 20));
  EXPECT_EQ(Content("/text.so"), "oid");
}

TEST_F(PlaceLibraryTest, SharesALargeFileBetweenTrees) {
  const std::string large = LargeFile();
  ASSERT_THAT(Build({Place("/lib.so", large)}), IsOk());
  const ino_t first = Stat("/lib.so").st_ino;
  ASSERT_THAT(Build({Place("/lib.so", large)}), IsOk());
  EXPECT_EQ(Stat("/lib.so").st_ino, first);
  EXPECT_NE(Stat("/lib.so").st_nlink, 1u);
}

// ld.so takes two paths with one inode for one library, so two copies must be two files.
TEST_F(PlaceLibraryTest, MakesTwoPlacesInOneTreeTwoFiles) {
  const std::string large = LargeFile();
  ASSERT_THAT(Build({Place("/a.so", large), Place("/b.so", large)}), IsOk());
  EXPECT_NE(Stat("/a.so").st_ino, Stat("/b.so").st_ino);
  ASSERT_THAT(Change({Place("/c.so", large)}), IsOk());
  EXPECT_NE(Stat("/c.so").st_ino, Stat("/a.so").st_ino);
  EXPECT_NE(Stat("/c.so").st_ino, Stat("/b.so").st_ino);
}

TEST_F(PlaceLibraryTest, GivesATreeItsOwnCopyBeforeItIsChanged) {
  const std::string large = LargeFile();
  ASSERT_THAT(Build({Place("/lib.so", large)}), IsOk());
  const std::string first = Host("/lib.so");
  ASSERT_THAT(Build({Place("/lib.so", large),
                     {SymlinkOp{"/link.so", "lib.so"}, {}},
                     {ChmodOp{"/link.so", 0600}, {}}}),
              IsOk());
  EXPECT_EQ(Mode("/lib.so"), 0600u);
  EXPECT_EQ(Content("/lib.so").size(), 300u << 10);
  struct stat found;
  ASSERT_EQ(stat(first.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0755u);
}

TEST_F(PlaceLibraryTest, SharesNothingWithAScannerThatIsRoot) {
  const std::string large = LargeFile();
  ASSERT_THAT(Build({Place("/lib.so", large)}, true), IsOk());
  EXPECT_EQ(Stat("/lib.so").st_nlink, 1u);
}

TEST_F(PlaceLibraryTest, SharesNothingThatHasAModeOfItsOwn) {
  ASSERT_THAT(Build({Place("/lib.so", LargeFile(), 0444)}), IsOk());
  EXPECT_EQ(Stat("/lib.so").st_nlink, 1u);
  EXPECT_EQ(Mode("/lib.so"), 0444u);
}

TEST_F(PlaceLibraryTest, SaysThatAFileIsNotThere) {
  EXPECT_THAT(Build({Place("/lib.so", "/no/such.so")}),
              FailsWith("cannot read /no/such.so: No such file or directory"));
}

class LoaderCacheTest : public StageTest {};

TEST_F(LoaderCacheTest, HoldsTheLibrariesOfTheTreeAndNoOther) {
  const std::string libm = HostLibrary("libm.so.6")->back().path;
  ASSERT_THAT(Build({{WriteFileOp{"/etc/ld.so.conf", "/opt/lib\n", {}}, {}},
                     Place("/opt/lib/libm.so.6", libm),
                     {WriteFileOp{"/opt/lib/libbroken.so.1", "no library", {}}, {}}}),
              IsOk());
  const std::string cache = Content("/etc/ld.so.cache");
  EXPECT_THAT(cache, StartsWith("glibc-ld.so.cache"));
  EXPECT_THAT(cache, HasSubstr("/opt/lib/libm.so.6"));
  EXPECT_THAT(cache, testing::Not(HasSubstr("libc.so.6")));
}

TEST_F(LoaderCacheTest, MakesNoLinkOfItsOwn) {
  const std::string libm = HostLibrary("libm.so.6")->back().path;
  ASSERT_THAT(Build({Place("/usr/lib/libm-renamed.so", libm)}), IsOk());
  EXPECT_FALSE(FileExists(Host("/usr/lib/libm.so.6")));
}

}  // namespace
}  // namespace gpustage
