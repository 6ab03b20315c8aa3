// What is packed runs where nothing else of its author is.
#include <sys/stat.h>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

class PackTest : public StagedCliTest {
 protected:
  // A repository of somebody's: a scanner beside the scenario, a library elsewhere, a layout and a
  // device of their own, and a gpustage.yaml.
  void SetUp() override {
    StagedCliTest::SetUp();
    for (const char* folder :
         {"mine", "mine/libs", "parts", "parts/layouts", "parts/devices", "away"})
      ASSERT_EQ(mkdir(Path(folder).c_str(), 0755), 0);
    Write("mine/libs/libnear.so", "near\n");
    Write("away/libfar.so", "far\n");
    Write("mine/gpustage.yaml", "fixtures: [../parts]\n");
    Write("parts/layouts/house.yaml",
          "layout: house\nabout: ours\nprovides: [house]\ntree: [{file: /etc/house, content: "
          "\"ours\\n\"}]\n");
    Write(
        "mine/scan.sh",
        "#!/bin/sh\nread a </opt/near.so\nread b </opt/far.so\nread c </etc/house\necho $a$b$c\n");
    chmod(Path("mine/scan.sh").c_str(), 0755);
    Write("mine/scan.yaml",
          "scanner: scan\nabout: it reads files\nprogram: {path: ./scan.sh}\nat: /bin/scan\n"
          "argv: [/bin/sh, /bin/scan]\nfits: nothing\nneeds: [/bin/sh]\n"
          "devices: {read: lines, stream: any, match: '^nearfarours'}\n");
    Write("mine/s.yaml",
          "claim: all of it is there  # and stays\nmachine: {devices: []}\nlayout: [house]\ntree:\n"
          "  - {library: /opt/near.so, file: libs/libnear.so}\n  - {library: /opt/far.so, file: " +
              Path("away/libfar.so") +
              "}\nruns: [{name: r, scanner: ./scan.yaml}]\n"
              "matrix: {debug: {set: env.DEBUG, to: [\"0\", \"1\"]}}\nexpect: [{devices: 1}]\n");
  }
  Ran Shell(const std::string& command) const {
    return Finish(Start({"sh", "-c", "cd \"$0\" && " + command, scratch_.path()}, environment_,
                        scratch_.path()),
                  scratch_.path());
  }
};

TEST_F(PackTest, HasAllThatTheScenarioStandsOnAndRunsElsewhere) {
  const std::string program = GPUSTAGE_PROGRAM;
  ASSERT_EQ(Run({"run", Path("mine/s.yaml"), "--allow-file", Path("away")}).status, 0);
  const Ran packed =
      Run({"pack", Path("mine/s.yaml@debug=1"), "--allow-file", Path("away"), "-o", Path("s.tar")});
  ASSERT_EQ(packed.status, 0) << packed.err;
  EXPECT_THAT(packed.out, HasSubstr("there: tar -xf s.tar && gpustage run s/s.yaml@debug=1\n"));
  const Ran again = Run(
      {"pack", Path("mine/s.yaml@debug=1"), "--allow-file", Path("away"), "-o", Path("again.tar")});
  ASSERT_EQ(again.status, 0);
  EXPECT_EQ(*ReadFile(Path("s.tar")), *ReadFile(Path("again.tar")));

  ASSERT_EQ(Shell("mkdir there && mv s.tar there && rm -r mine parts away").status, 0);
  ASSERT_EQ(Shell("cd there && tar -xf s.tar").status, 0);
  const Ran ran = Shell("cd there && " + program + " run s/s.yaml@debug=1");
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("1 passed, 0 failed"));
  EXPECT_THAT(*ReadFile(Path("there/s/s.yaml")),
              HasSubstr("claim: all of it is there  # and stays\n"));
  EXPECT_THAT(*ReadFile(Path("there/s/s.yaml")), HasSubstr("file: files/libfar.so}"));
  EXPECT_THAT(*ReadFile(Path("there/s/README")), HasSubstr("gpustage run s/s.yaml@debug=1"));
}

TEST_F(PackTest, IsOfOneScenarioThatHasNoMistake) {
  EXPECT_EQ(Run({"pack", "first-steps"}).status, 2);
  Write("mine/s.yaml", "claim: x\nrunz: []\n");
  const Ran ran = Run({"pack", Path("mine/s.yaml")});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("s.yaml:2:1: unknown key \"runz\""));
}

}  // namespace
}  // namespace gpustage
