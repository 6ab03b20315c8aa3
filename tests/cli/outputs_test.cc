// Where a report and a page go: files, links, pipes, devices, a disk that is full.
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class OutputsTest : public StagedCliTest {
 protected:
  Ran RunWith(const std::string& report, const std::string& prefix = "") const {
    const std::string scenario = Scenario(R"(out, "GPU\n")", "devices: 1");
    return Shell(prefix + " \"$G\" run " + scenario + " --scanner " + Path("actor.yaml") +
                 (report.empty() ? "" : " --report " + report));
  }
  Ran Shell(const std::string& line) const {
    std::map<std::string, std::string> environment = environment_;
    environment["G"] = GPUSTAGE_PROGRAM;
    return Finish(Start({"bash", "-c", line}, environment, scratch_.path()), scratch_.path());
  }
  bool IsReport(const std::string& file) const {
    return json::parse(WholeFile(file), nullptr, false).is_object();
  }
};

TEST_F(OutputsTest, ADeviceIsWrittenToAndStays) {
  EXPECT_EQ(RunWith("json=/dev/null").status, 0);
  struct stat found;
  ASSERT_EQ(stat("/dev/null", &found), 0);
  EXPECT_TRUE(S_ISCHR(found.st_mode));
}

TEST_F(OutputsTest, ALinkIsFollowedAndItsFileKeepsItsMode) {
  Write("old.json", "old");
  ASSERT_EQ(chmod(Path("old.json").c_str(), 0640), 0);
  ASSERT_EQ(symlink("old.json", Path("link.json").c_str()), 0);
  ASSERT_EQ(symlink("new.json", Path("dangling.json").c_str()), 0);
  EXPECT_EQ(
      RunWith("json=" + Path("link.json") + " --report junit=" + Path("dangling.json")).status, 0);
  struct stat link, file;
  ASSERT_EQ(lstat(Path("link.json").c_str(), &link), 0);
  ASSERT_EQ(stat(Path("old.json").c_str(), &file), 0);
  EXPECT_TRUE(S_ISLNK(link.st_mode));
  EXPECT_EQ(file.st_mode & 07777, 0640u);
  EXPECT_TRUE(IsReport(Path("old.json")));
  EXPECT_THAT(WholeFile(Path("new.json")), StartsWith("<?xml"));
}

TEST_F(OutputsTest, AFifoAndADescriptorAreWrittenThrough) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(Shell("cat " + Path("fifo") + " > " + Path("read") + " & true").status, 0);
  EXPECT_EQ(RunWith("json=" + Path("fifo")).status, 0);
  EXPECT_TRUE(Eventually([&] { return IsReport(Path("read")); }));
  EXPECT_EQ(RunWith("json=>(cat > " + Path("piped") + ")").status, 0);
  EXPECT_TRUE(Eventually([&] { return IsReport(Path("piped")); }));
  EXPECT_EQ(RunWith("json=/dev/fd/7", "exec 7>" + Path("seven") + ";").status, 0);
  EXPECT_TRUE(IsReport(Path("seven")));
  const Ran ran = RunWith("json=/dev/stdout");
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(json::parse(ran.out, nullptr, false).is_object()) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("1 passed"));
}

// What the other tools of a step wrote there stays.
TEST_F(OutputsTest, TheSummaryOfAStepIsAppendedTo) {
  Write("summary.md", "# Before\n");
  EXPECT_EQ(RunWith("markdown=$GITHUB_STEP_SUMMARY",
                    "export GITHUB_STEP_SUMMARY=" + Path("summary.md") + ";")
                .status,
            0);
  EXPECT_THAT(WholeFile(Path("summary.md")), StartsWith("# Before\n## ✅ gpustage"));
}

TEST_F(OutputsTest, AFullDiskIsBadInputAndLeavesTheOldFile) {
  ASSERT_EQ(symlink("/dev/full", Path("full").c_str()), 0);
  Ran ran = RunWith("json=" + Path("full") + " --report junit=" + Path("good.xml"));
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err, "gpustage: cannot write " + Path("full") + ": No space left on device\n");
  EXPECT_THAT(WholeFile(Path("good.xml")), StartsWith("<?xml")) << "one that fails costs no other";
  // A limit of the size of files is a disk that is full, for a file that is replaced.
  Write("old.json", "old");
  ran = RunWith("json=" + Path("old.json"), "ulimit -f 1;");
  EXPECT_EQ(ran.status, 2) << ran.err;
  EXPECT_EQ(WholeFile(Path("old.json")), "old");
  EXPECT_THAT(FilesBelow(scratch_.path(), ".tmp"), IsOkAnd(IsEmpty()));
}

TEST_F(OutputsTest, WhatCannotBePrintedIsSaid) {
  const std::string scenario = Scenario(R"(out, "GPU\n")", "devices: 1") + " --scanner " +
                               Path("actor.yaml") + " > /dev/full";
  for (const std::string verb :
       {"run", "trace", "list", "list --format json", "list --format names"}) {
    const Ran ran = Shell("\"$G\" " + verb + " " + scenario);
    EXPECT_EQ(ran.status, 2) << verb;
    EXPECT_THAT(ran.err, HasSubstr("No space left on device")) << verb;
  }
  EXPECT_EQ(Shell("\"$G\" list --format json > /dev/full").status, 2) << "of all scenarios";
}

TEST_F(OutputsTest, WithoutProcItSaysThatItCannotAndDoesNotAbort) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can cover /proc";
  const Ran ran =
      Shell("unshare --mount sh -c 'mount -t tmpfs tmpfs /proc && exec \"$G\" run " +
            Scenario(R"(out, "GPU\n")", "devices: 1") + " --scanner " + Path("actor.yaml") + "'");
  EXPECT_EQ(ran.status, 3) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("allows no private root"));
}

// A reader that has had enough does not cost the reports.
TEST_F(OutputsTest, AReaderThatIsGoneCostsNoReport) {
  EXPECT_EQ(RunWith("json=" + Path("r.json") + " | true").status, 0);
  EXPECT_TRUE(Eventually([&] { return IsReport(Path("r.json")); }));
}

}  // namespace
}  // namespace gpustage
