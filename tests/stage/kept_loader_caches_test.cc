#include "harness/stage/kept_loader_caches.h"

#include "harness/stage/library_image.h"
#include "harness/stage/loader_cache.h"
#include "tests/stage/stage_test.h"

namespace gpustage {
namespace {

class KeptLoaderCachesTest : public StageTest {
 protected:
  void SetUp() override {
    StageTest::SetUp();
    if (IsSkipped()) return;
    one_ = HostFileOf("one.so", Library("libone.so.1"));
    two_ = HostFileOf("two.so", Library("libtwo.so.1"));
  }

  // One of this machine under another name.
  static std::string Library(const std::string& soname) {
    return *BreakImage(*ReadFile(gpustage::HostLibrary("libm.so.6")->back().path),
                       {{Breakage::Kind::kSoname, 0, soname}});
  }
  std::string Cache() const { return Content(kLoaderCache); }
  // What ldconfig writes for the tree as it stands, whatever was kept.
  std::string Fresh() const {
    EXPECT_THAT(WriteLoaderCache(tree_->root), IsOk());
    return Cache();
  }

  std::string one_, two_;
};

TEST_F(KeptLoaderCachesTest, TreesThatDifferInWhatLdconfigNeverReadsShareOne) {
  const auto tree = [&](const std::string& text) {
    return std::vector<TreeOp>{Place("/usr/lib/libone.so.1", one_),
                               {WriteFileOp{"/opt/settings", text, {}}, {}}};
  };
  ASSERT_THAT(Build(tree("1")), IsOk());
  const std::string first = Cache();
  EXPECT_THAT(ReadLoaderCache(first), testing::Contains(testing::Key("libone.so.1")));
  ASSERT_THAT(Build(tree("2")), IsOk());
  EXPECT_EQ(Cache(), first);
  EXPECT_EQ(Mode(kLoaderCache), 0644u);
  EXPECT_EQ(shared_->loader_caches().size(), 1u);
}

TEST_F(KeptLoaderCachesTest, EachTreeHasTheOneThatLdconfigWritesForIt) {
  const auto conf = [](const std::string& path, const std::string& text) {
    return TreeOp{WriteFileOp{path, text, {}}, {}};
  };
  const TreeOp here = Place("/usr/lib/lib.so", one_), there = Place("/opt/lib/lib.so", two_);
  const auto by_link = [](const char* path, const char* to) {
    return TreeOp{SymlinkOp{path, to}, {}};
  };
  const std::vector<std::vector<TreeOp>> trees = {
      {here, there},
      {Place("/usr/lib/lib.so", two_), Place("/opt/lib/lib.so", one_)},
      {here, there, conf("/etc/ld.so.conf", "/opt/lib\n")},
      {here, there, conf("/etc/ld.so.conf", "include /list\n"), conf("/list", "/opt/lib\n")},
      {here, there, conf("/etc/ld.so.conf", "include /list\n"), conf("/list", "/usr/lib\n")},
      {here, there, conf("/list", "/opt/lib\n"), by_link("/etc/ld.so.conf", "/list")},
      {here, there, conf("/list", "/usr/lib\n"), by_link("/etc/ld.so.conf", "/list")},
      {here, there, conf("/list", "/opt/lib\n"), {CopyOp{"/etc/ld.so.conf", "/list"}, {}}},
      {here, there, conf("/list", "/usr/lib\n"), {CopyOp{"/etc/ld.so.conf", "/list"}, {}}},
      {here, there, by_link("/alias", "/etc"), conf("/alias/ld.so.conf", "/opt/lib\n")},
      {here, there, by_link("/alias", "/etc"), conf("/alias/ld.so.conf", "/usr/lib\n")},
      {conf("/usr/lib/lib.so", Library("libthree.so.1"))},
      {conf("/usr/lib/lib.so", Library("libfour.so.1"))},
      {here, {RemoveOp{"/usr/lib/lib.so"}, {}}},
      {{PlaceLibraryOp{"/usr/lib/lib.so",
                       {LibrarySource::Kind::kReal, "part", one_, ""},
                       {{Breakage::Kind::kSoname, 0, "libfive.so.1"}},
                       {}},
        {}}},
  };
  for (int round = 0; round < 2; ++round)
    for (size_t i = 0; i < trees.size(); ++i) {
      ASSERT_THAT(Build(trees[i]), IsOk()) << i;
      const std::string own = Cache();
      EXPECT_EQ(ReadLoaderCache(own), ReadLoaderCache(Fresh())) << i;
    }
  EXPECT_GT(shared_->loader_caches().size(), 0u);
}

TEST_F(KeptLoaderCachesTest, AFileOfThisMachineThatHasChangedIsReadAgain) {
  ASSERT_THAT(Build({Place("/usr/lib/lib.so", one_, 0644)}), IsOk());
  ASSERT_THAT(WriteFile(one_, Library("libsix.so.1")), IsOk());
  ASSERT_THAT(Build({Place("/usr/lib/lib.so", one_, 0644)}), IsOk());
  EXPECT_THAT(ReadLoaderCache(Cache()), testing::Contains(testing::Key("libsix.so.1")));
}

}  // namespace
}  // namespace gpustage
