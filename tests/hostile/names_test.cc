// What a stranger's scenario or scanner may name of this machine.
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/process.h"
#include "harness/scenario/catalog/allowed.h"
#include "harness/scenario/catalog/fixtures.h"
#include "tests/hostile/hostile.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

// A folder with a file of a stranger's in it, and a secret beside it.
class HostileName : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mkdir(Path("given").c_str(), 0755), 0);
    ASSERT_EQ(mkdir(Path("home").c_str(), 0755), 0);
    for (const char* file : {"given/own.so", "home/secret"}) {
      ASSERT_THAT(WriteFile(Path(file), "x"), IsOk());
      ASSERT_EQ(chmod(Path(file).c_str(), 0755), 0);
    }
    alarm(30);  // a hang is no red line: the program ends
  }
  void TearDown() override { alarm(0); }
  std::string Path(const std::string& name) const { return scratch_.path() + "/" + name; }

  YamlEntry Entry(const std::string& key, const std::string& path) const {
    YamlEntry entry;
    entry.key = key;
    entry.value.text = path;
    entry.value.pos = {Path("given/scenario.yaml"), 3, 7};
    return entry;
  }
  Result<LibrarySource> Library(const std::string& path) const {
    return Fixtures(Catalog{}).FindLibrary(Entry("file", path));
  }
  Result<ProgramSource> Program(const std::string& path) const {
    return Fixtures(Catalog{}).FindProgram(Entry("path", path));
  }
  std::string Refusal(const std::string& path) const {
    return "\"" + path +
           "\" does not lie below the folder of this file; if it may be used: " + "--allow-file " +
           Path("home");
  }

  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

TEST_F(HostileName, WhatLiesBesideTheFileIsTaken) {
  EXPECT_THAT(Library("own.so"), IsOk());
  EXPECT_THAT(Library("./own.so"), IsOk());
  EXPECT_THAT(Library(Path("given/own.so")), IsOk());
  EXPECT_THAT(Program("./own.so"), IsOk());
}

TEST_F(HostileName, WhatLiesElsewhereIsRefusedWithTheOptionThatAllowsIt) {
  const std::string secret = Path("home/secret");
  EXPECT_THAT(Library(secret), FailsAt(3, 7, Refusal(secret)));
  EXPECT_THAT(Library("../home/secret"), FailsAt(3, 7, Refusal(secret)));
  EXPECT_THAT(Program(secret), FailsAt(3, 7, Refusal(secret)));
  AllowFiles({Path("home")});  // a folder of this test alone
  EXPECT_THAT(Library(secret), IsOk());
}

TEST_F(HostileName, ALinkInTheFolderLeadsNowhereElse) {
  ASSERT_EQ(symlink(Path("home/secret").c_str(), Path("given/link").c_str()), 0);
  EXPECT_THAT(Library("link"), FailsAt(3, 7, Refusal(Path("given/link"))));
}

TEST_F(HostileName, InterpretersAreAllowedByAList) {
  EXPECT_THAT(Program("/bin/sh"), IsOk());
  EXPECT_THAT(Program("/usr/bin/env"), testing::Not(IsOk()));
}

TEST_F(HostileName, OnlyARegularFileOfAPossibleSizeIsTaken) {
  ASSERT_EQ(mkfifo(Path("given/fifo").c_str(), 0755), 0);
  EXPECT_THAT(Library("fifo"), FailsAt(3, 7, Path("given/fifo") + " is no regular file"));
  EXPECT_THAT(Program("fifo"), FailsAt(3, 7, Path("given/fifo") + " is no regular file"));
  EXPECT_THAT(Library("/dev/zero"), FailsAt(3, 7, "/dev/zero is no regular file"));
  ASSERT_EQ(truncate(Path("given/own.so").c_str(), off_t{100} << 30), 0);
  EXPECT_THAT(Library("own.so"), FailsAt(3, 7, "has 102400 MiB; a tree takes 2048 at most"));
}

TEST_F(HostileName, TheFoldersOfTheKernelAndOfServicesAreNeverShown) {
  const auto shown = [&](const std::string& path) {
    return CheckShown(Entry("", path).value, path);
  };
  for (const char* path : {"/", "/dev", "/dev/shm", "/proc", "/proc/self", "/sys/class", "/run"})
    EXPECT_THAT(shown(path), FailsAt(3, 7, "is never shown to a scanner")) << path;
  for (const char* path : {"usr/lib", "/usr/../etc", ""})
    EXPECT_THAT(shown(path), FailsAt(3, 7, "expected an absolute path without \"..\"")) << path;
  EXPECT_THAT(shown(Path("home")), FailsAt(3, 7, "--allow-file " + Path("home")));
  EXPECT_THAT(shown("/usr/lib"), IsOk());
  EXPECT_THAT(shown(Path("given")), IsOk());
}

TEST_F(HostileName, TheCommandLineAllowsOneFolder) {
  ASSERT_THAT(WriteFile(Path("given/scenario.yaml"),
                        "claim: it reads what it should not\n"
                        "machine: {devices: []}\n"
                        "tree: [{library: /x, file: " +
                            Path("home/secret") +
                            "}]\n"
                            "runs: [{name: r, scanner: ollama-model}]\n"
                            "expect: [{run: r, devices: 0}]\n"),
              IsOk());
  const auto show = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {GPUSTAGE_PROGRAM, "show", Path("given/scenario.yaml")});
    return RunProgram(words, std::chrono::seconds(60));
  };
  const Result<ProgramOutput> refused = show({}), taken = show({"--allow-file", Path("home")});
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->exit_code, 2);
  EXPECT_THAT(refused->out, HasSubstr(Refusal(Path("home/secret"))));
  ASSERT_THAT(taken, IsOk());
  EXPECT_EQ(taken->exit_code, 0) << taken->out;
}

}  // namespace
}  // namespace gpustage
