// gpustage is killed in the middle of a run: nothing stays, and the next start clears up.
#include <signal.h>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class KilledTest : public StagedCliTest {
 protected:
  // The directories right below TMPDIR.
  std::vector<std::string> Scratch() const {
    std::vector<std::string> found;
    DIR* directory = opendir(Path("tmp").c_str());
    while (const dirent* entry = readdir(directory))
      if (entry->d_name[0] != '.') found.push_back(entry->d_name);
    closedir(directory);
    return found;
  }
};

TEST_F(KilledTest, TakesTheScannerWithIt) {
  const std::string mark = UniqueWord();
  const std::string scenario = Scenario("daemon, ignore, \"15\", hang, " + mark, "devices: 0");
  const std::string elsewhere = Path("first");
  ASSERT_EQ(mkdir(elsewhere.c_str(), 0700), 0);
  const pid_t gpustage = Start({GPUSTAGE_PROGRAM, "run", scenario, "--scanner", Path("actor.yaml")},
                               environment_, elsewhere);
  // The scanner and the daemon that it left.
  ASSERT_TRUE(Eventually([&] { return ProcessesWith(mark).size() == 2; }))
      << WholeFile(elsewhere + "/err");
  kill(gpustage, SIGKILL);
  EXPECT_EQ(Finish(gpustage, elsewhere).status, 128 + SIGKILL);
  EXPECT_TRUE(Eventually([&] { return ProcessesWith(mark).empty(); }));

  // Only an empty directory is left: what was in it was mounted for that process alone.
  ASSERT_THAT(Scratch(), SizeIs(1));
  EXPECT_THAT(FilesBelow(Path("tmp"), ""), IsOkAnd(IsEmpty()));
  EXPECT_EQ(RunActor("exit, 0", "devices: 0").status, 0);
  EXPECT_THAT(Scratch(), IsEmpty());
}

TEST_F(KilledTest, LeavesTheScratchOfALivingOneAlone) {
  const std::string mark = UniqueWord();
  const std::string scenario = Scenario("hang, " + mark, "devices: 0");
  const std::string elsewhere = Path("first");
  ASSERT_EQ(mkdir(elsewhere.c_str(), 0700), 0);
  const pid_t gpustage = Start({GPUSTAGE_PROGRAM, "run", scenario, "--scanner", Path("actor.yaml")},
                               environment_, elsewhere);
  ASSERT_TRUE(Eventually([&] { return ProcessesWith(mark).size() == 1; }))
      << WholeFile(elsewhere + "/err");
  EXPECT_EQ(RunActor("exit, 0", "devices: 0").status, 0);
  EXPECT_THAT(Scratch(), SizeIs(1));
  kill(gpustage, SIGKILL);
  Finish(gpustage, elsewhere);
  EXPECT_TRUE(Eventually([&] { return ProcessesWith(mark).empty(); }));
}

}  // namespace
}  // namespace gpustage
