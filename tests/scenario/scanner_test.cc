#include "harness/scenario/model/scanner.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::Pair;
using testing::SizeIs;

class ScannerTest : public testing::Test {
 protected:
  // A scanner file with these lines over the least that it needs, or the error.
  Result<ScannerSpec> Read(std::string_view lines, std::string_view program = "{path: /bin/sh}") {
    files_.Write("scanners/mine.yaml", "scanner: mine\nabout: a\nprogram: " + std::string(program) +
                                           "\nargv: [mine]\n" + std::string(lines));
    const auto cases = files_.Load("claim: c\nruns: [{scanner: mine}]\n");
    if (!cases) return cases.error();
    return cases->front().runs.front().scanner;
  }

  ScenarioFiles files_;
};

TEST_F(ScannerTest, IsTenLinesAtMost) {
  const auto scanner = Read(
      "at: /usr/bin/mine\nfits: driver\ndone: {line: \"^ready\"}\nnetwork: loopback\n"
      "devices: {read: lines, stream: stdout, match: \"GPU (?P<uuid>\\\\S+)\"}\nlog: {stream: any, "
      "format: slog}\n");
  ASSERT_THAT(scanner, IsOk());
  EXPECT_EQ(scanner->name, "mine");
  EXPECT_EQ(scanner->program, "/bin/sh");
  EXPECT_EQ(scanner->at, "/usr/bin/mine");
  EXPECT_THAT(scanner->argv, ElementsAre("mine"));
  EXPECT_EQ(scanner->fits, "driver");
  EXPECT_THAT(scanner->done_when, Optional(std::string("^ready")));
  EXPECT_EQ(scanner->network, "loopback");
  EXPECT_EQ(scanner->devices,
            (DeviceReader{DeviceReader::Kind::kLines, "stdout", "GPU (?P<uuid>\\S+)"}));
  EXPECT_EQ(scanner->log_stream, "any");
  EXPECT_EQ(scanner->log_format, LogFormat::kSlog);
}

TEST_F(ScannerTest, HasTheDefaultsOfItsType) {
  const auto scanner = Read("done: exit\n");
  ASSERT_THAT(scanner, IsOk());
  EXPECT_EQ(scanner->done_when, std::nullopt);
  EXPECT_EQ(scanner->devices.kind, DeviceReader::Kind::kNone);
  EXPECT_EQ(scanner->time_limit, std::chrono::seconds(30));
  EXPECT_EQ(scanner->output_limit, 64 << 20);
  EXPECT_EQ(scanner->memory_limit, int64_t{8} << 30);
}

TEST_F(ScannerTest, ShowsPythonPackagesAndNamesThemToPython) {
  files_.Write("real-parts.yaml",
               "- name: p\n  into: p\n  gives:\n    pynvml: site\n- name: q\n  into: q\n  gives:\n "
               "   bindings: site\n");
  for (const char* folder : {"real/p", "real/p/site"}) mkdir(files_.Path(folder).c_str(), 0755);
  const auto missing = Read("python_packages: [pynvml, bindings]\n");
  ASSERT_THAT(missing, IsOk());
  EXPECT_EQ(missing->missing, "the real part q is not here: run harness/dev real");
  for (const char* folder : {"real/q", "real/q/site"}) mkdir(files_.Path(folder).c_str(), 0755);
  const auto scanner = Read("python_packages: [pynvml, bindings]\n");
  ASSERT_THAT(scanner, IsOk());
  EXPECT_EQ(scanner->missing, "");
  EXPECT_THAT(scanner->host_directories,
              ElementsAre(files_.Path("real/p/site"), files_.Path("real/q/site")));
  EXPECT_THAT(scanner->env, ElementsAre(Pair("PYTHONPATH", files_.Path("real/p/site") + ":" +
                                                               files_.Path("real/q/site"))));
}

TEST_F(ScannerTest, TakesTheMachinesPythonWithTheModulesOfItsVersion) {
  for (const char* folder : {"scanners", "scanners/usr", "scanners/usr/bin", "scanners/usr/lib",
                             "scanners/usr/lib/python9.7"})
    mkdir(files_.Path(folder).c_str(), 0755);
  files_.Write("scanners/usr/bin/python9.7", "");
  chmod(files_.Path("scanners/usr/bin/python9.7").c_str(), 0755);
  const std::string link = files_.Path("scanners/usr/bin/python3");
  ASSERT_EQ(symlink("python9.7", link.c_str()), 0);
  const std::string lines = "host_directories: [/usr/lib/python3]\n";
  const auto scanner = Read(lines, "{python: " + link + "}");
  ASSERT_THAT(scanner, IsOk());
  EXPECT_EQ(scanner->missing, "");
  EXPECT_EQ(scanner->program, files_.Path("scanners/usr/bin/python9.7"));
  EXPECT_THAT(scanner->host_directories,
              ElementsAre(files_.Path("scanners/usr/lib/python9.7"), "/usr/lib/python3"));
  rmdir(files_.Path("scanners/usr/lib/python9.7").c_str());
  const auto bare = Read(lines, "{python: " + link + "}");
  ASSERT_THAT(bare, IsOk());
  EXPECT_EQ(bare->missing, fmt::format("{} is on this machine without its modules in {}",
                                       files_.Path("scanners/usr/bin/python9.7"),
                                       files_.Path("scanners/usr/lib/python9.7")));
}

TEST_F(ScannerTest, ReadsLimitsInSecondsAndMebibytes) {
  const auto scanner = Read("time_limit: 0.25\noutput_limit: 2\nmemory_limit: 64\n");
  ASSERT_THAT(scanner, IsOk());
  EXPECT_EQ(scanner->time_limit, std::chrono::milliseconds(250));
  EXPECT_EQ(scanner->output_limit, 2 << 20);
  EXPECT_EQ(scanner->memory_limit, 64 << 20);
}

TEST_F(ScannerTest, ReadsWhatItNeedsOfTheHost) {
  const auto scanner =
      Read("env: {A: \"\", B: 1}\nhost_directories: [/usr/lib/python3]\nneeds: [libz.so.1]\n");
  ASSERT_THAT(scanner, IsOk());
  EXPECT_THAT(scanner->env, ElementsAre(Pair("A", ""), Pair("B", "1")));
  EXPECT_THAT(scanner->host_directories, ElementsAre("/usr/lib/python3"));
  EXPECT_THAT(scanner->needs, ElementsAre("libz.so.1"));
}

TEST_F(ScannerTest, ReadsJsonFromStandardOutput) {
  const auto scanner = Read("devices: {read: json}\n");
  ASSERT_THAT(scanner, IsOk());
  EXPECT_EQ(scanner->devices.stream, "stdout");
}

TEST_F(ScannerTest, IsMissingWithASentence) {
  const auto missing = [&](std::string_view program) {
    const auto scanner = Read("", program);
    return scanner ? scanner->program + "|" + scanner->missing : WholeMessage(scanner.error());
  };
  EXPECT_EQ(missing("{path: /nowhere/ollama}"), "|/nowhere/ollama is not on this machine");
  EXPECT_EQ(missing("{path: /etc/passwd}"), "|/etc/passwd is not on this machine");
  EXPECT_EQ(missing("{fake: ollama}"), "|the program ollama is not built");
  EXPECT_EQ(missing("{build: dlopen}"), "|the program dlopen is not built");
  EXPECT_EQ(missing("{real: ggml-cuda-12}"),
            "|the real part ggml-12 is not here: run harness/dev real");
}

// Two definitions of one program: each takes the versions that it is for.
TEST_F(ScannerTest, TakesTheVersionsThatItIsFor) {
  files_.catalog().given = {{"ollama", "/a/bin/ollama", "0.17.4"},
                            {"ollama", "/b/bin/ollama", "0.32.14"}};
  const auto early =
      Read("versions: {below: \"0.30\"}\nrelease: {cuda: ../lib/x.so}\n", "{given: ollama}");
  ASSERT_THAT(early, IsOk());
  EXPECT_EQ(early->version, "0.17.4");
  const auto late =
      Read("versions: {from: \"0.30\"}\nrelease: {/opt/lib: ../lib}\n", "{given: ollama}");
  ASSERT_THAT(late, IsOk());
  EXPECT_EQ(late->version, "0.32.14");
  EXPECT_THAT(late->release_folders, ElementsAre(Pair("/opt/lib", "/b/lib")));
  const auto none = Read("versions: {from: \"0.33\"}\n", "{given: ollama}");
  ASSERT_THAT(none, IsOk());
  EXPECT_EQ(none->missing,
            "no ollama from 0.33 on here: give --ollama PATH, GPUSTAGE_OLLAMA or PATH");
}

TEST(VersionRange, IsOfNumbersNotOfText) {
  const VersionRange from{"0.9", ""}, below{"", "0.30"};
  for (const char* version : {"0.9", "0.9.1", "0.30", "0.100.2-rc1", "1"})
    EXPECT_TRUE(Holds(from, version)) << version;
  for (const char* version : {"0.8.9", "0", "unknown"})
    EXPECT_FALSE(Holds(from, version)) << version;
  EXPECT_TRUE(Holds(below, "0.29.9"));
  EXPECT_TRUE(Holds(below, "unknown"));
  EXPECT_FALSE(Holds(below, "0.30.0-rc1"));
}

}  // namespace
}  // namespace gpustage
