// gpustage for a user with a scenario of their own.
#pragma once

#include <sys/stat.h>

#include "harness/run/workspace.h"
#include "tests/support/matchers.h"
#include "tests/support/program.h"

namespace gpustage {

// How a page breaks its lines depends on how long the path of TMPDIR is.
inline std::string InOneLine(const std::string& page) {
  std::string line;
  for (const char c : page)
    if (const bool space = c == ' ' || c == '\n'; !space)
      line += c;
    else if (!line.ends_with(' '))
      line += ' ';
  return line;
}

class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mkdir(Path("tmp").c_str(), 0700), 0);
    // Its scanners are programs of the build.
    const std::string build = ParentOf(ParentOf(ParentOf(GPUSTAGE_ACTOR)));
    environment_ = {{"TMPDIR", Path("tmp")}, {"NO_COLOR", "1"}, {"GPUSTAGE_ALLOW_FILE", build}};
    // The actor as a scanner: what it does is in the run's args, one device a line "GPU".
    Write("actor.yaml",
          std::string("scanner: actor\nabout: it does what it is told\nprogram: {path: ") +
              GPUSTAGE_ACTOR +
              "}\nat: /bin/actor\nargv: [/bin/actor]\nfits: nothing\n"
              "devices: {read: lines, stream: any, match: '^GPU'}\ntime_limit: 60\n");
  }

  std::string Path(const std::string& name) const { return scratch_.path() + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_THAT(WriteFile(Path(name), text), IsOk());
  }

  // A scenario of one run of the actor with these words, and what is expected of it.
  std::string Scenario(const std::string& words, const std::string& expect) const {
    Write("s.yaml",
          "claim: the actor acts\nmachine: {devices: [h100-80gb]}\nlayout: []\nruns: [{scanner: "
          "actor, args: [" +
              words + "]}]\nexpect:\n  - {" + expect + "}\n");
    return Path("s.yaml");
  }

  Ran Run(std::vector<std::string> words) const {
    words.insert(words.begin(), GPUSTAGE_PROGRAM);
    return Finish(Start(words, environment_, scratch_.path()), scratch_.path());
  }
  // `gpustage run` of that scenario.
  Ran RunActor(const std::string& words, const std::string& expect,
               std::vector<std::string> options = {}) const {
    std::vector<std::string> all = {"run", Scenario(words, expect), "--scanner",
                                    Path("actor.yaml")};
    all.insert(all.end(), options.begin(), options.end());
    return Run(all);
  }
  static bool CanStage() {
    static const bool can = ProbeIsolation().level != IsolationLevel::kNone;
    return can;
  }

  ScratchDirectory scratch_ = *ScratchDirectory::Make();
  std::map<std::string, std::string> environment_;
};

// What needs a private root.
class StagedCliTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!CanStage()) GTEST_SKIP() << "this machine allows no private root";
  }
};

}  // namespace gpustage
