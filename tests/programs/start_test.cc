// What ends `ollama serve` before it looks for a GPU. The texts are what Ollama 0.17.4, built from
// its source, printed for the same settings.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "fakes/scanner/go_glob.h"
#include "tests/programs/install.h"

namespace gpustage {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class OllamaStart : public testing::Test {
 protected:
  OllamaStart() { ollama_.AddBackend("cuda_v12/libggml-cuda.so"); }
  static int Looked(const Printed& printed) {
    return CountOf(printed, "discovering available GPUs");
  }
  Install ollama_;
};

TEST_F(OllamaStart, IsHealthyWithAHome) {
  const Printed printed = ollama_.Serve({});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(Looked(printed), 1);
  EXPECT_TRUE(std::filesystem::exists(ollama_.root() + "/home/.ollama/id_ed25519"));
  EXPECT_TRUE(std::filesystem::is_directory(ollama_.root() + "/home/.ollama/models/blobs"));
  EXPECT_EQ(CountOf(printed, "Generating new private key"), 1);
  EXPECT_EQ(CountOf(ollama_.Serve({}), "Generating new private key"), 0) << "it is there by now";
}

TEST_F(OllamaStart, PanicsWithoutAHome) {
  const Printed printed = ollama_.Serve({"HOME="});
  EXPECT_EQ(printed.exit_code, 2);
  EXPECT_THAT(printed.lines, Contains("panic: $HOME is not defined"));
  EXPECT_EQ(Looked(printed), 0);
}

TEST_F(OllamaStart, EndsWhereItsHomeCannotBeMade) {
  const Printed printed = ollama_.Serve({"HOME=/proc/nobody"});
  EXPECT_EQ(printed.exit_code, 1);
  EXPECT_THAT(printed.lines, Contains(StartsWith("Error: could not create directory mkdir "
                                                 "/proc/nobody")));
  EXPECT_EQ(CountOf(printed, "server config"), 0);
}

TEST_F(OllamaStart, EndsWhereItsModelsCannotBe) {
  ollama_.AddFile("a-file", "");
  const Printed printed = ollama_.Serve({"OLLAMA_MODELS=" + ollama_.lib() + "/a-file/models"});
  EXPECT_EQ(printed.exit_code, 1);
  EXPECT_THAT(
      printed.lines,
      Contains(AllOf(StartsWith("Error: mkdir "),
                     HasSubstr(": not a directory: ensure path elements are traversable"))));
  EXPECT_EQ(CountOf(printed, "server config"), 1);
  EXPECT_EQ(Looked(printed), 0);
}

TEST_F(OllamaStart, EndsWhereItsAddressCannotBeTaken) {
  const Printed printed = ollama_.Serve({"OLLAMA_HOST=192.0.2.7:11434"});
  EXPECT_EQ(printed.exit_code, 1);
  EXPECT_THAT(printed.lines, Contains("Error: listen tcp 192.0.2.7:11434: bind: cannot assign "
                                      "requested address"));
  EXPECT_EQ(CountOf(printed, "server config"), 0);
}

TEST_F(OllamaStart, TakesPort80OfASchemeAndMayNot) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: whose program listens there is another's";
  const Printed printed = ollama_.Serve({"OLLAMA_HOST=http://127.0.0.1"}, true);
  EXPECT_THAT(printed.lines, Contains("Error: listen tcp 127.0.0.1:80: bind: permission denied"));
  EXPECT_EQ(printed.exit_code, 1);
}

TEST_F(OllamaStart, ListensWhereGoSays) {
  for (const auto& [host, at] : {std::pair{"0.0.0.0", "[::]:11434"},
                                 {":11500", "[::]:11500"},
                                 {"[::1]:9", "[::1]:9"},
                                 {"127.0.0.1:11434/ollama", "127.0.0.1:11434"},
                                 {"127.0.0.1:70000", "127.0.0.1:11434"}})
    EXPECT_EQ(CountOf(ollama_.Serve({std::string("OLLAMA_HOST=") + host}),
                      std::string("Listening on ") + at + " "),
              std::string_view(host) == "[::1]:9" && geteuid() != 0 ? 0 : 1)
        << host;
}

TEST_F(OllamaStart, TrimsWhatUnicodeCallsASpace) {
  for (const char* value : {"\u00a0cuda_v12", "cuda_v12\u0085", "\u2003cuda_v12\u3000"})
    EXPECT_EQ(CountOf(ollama_.Serve({"OLLAMA_DEBUG=1", std::string("OLLAMA_LLM_LIBRARY=") + value}),
                      "skipping available library"),
              0)
        << value;
}

TEST_F(OllamaStart, TakesANumberBehindASpaceForNone) {
  EXPECT_EQ(CountOf(ollama_.Serve({"OLLAMA_DEBUG=' 2'"}), "level=TRACE"), 0);
  EXPECT_GT(CountOf(ollama_.Serve({"OLLAMA_DEBUG=' 2"}), "level=INFO"), 0);
}

// The path of the program's folder is a part of the pattern.
TEST(OllamaGlob, TakesBracketsOfAPathForAPattern) {
  for (const auto& [folder, is_bad] : {std::pair{"o[1]", false}, {"o[1", true}}) {
    const Install ollama;
    const std::string root = ollama.root() + '/' + folder;
    std::filesystem::create_directories(root + "/bin");
    std::filesystem::create_directories(root + "/lib");
    std::filesystem::copy_file(ollama.exe(), root + "/bin/ollama");
    ollama.AddBackend("cuda_v12/libggml-cuda.so");
    std::filesystem::copy(ollama.lib(), root + "/lib/ollama",
                          std::filesystem::copy_options::recursive);
    const Printed printed = RunWith({"OLLAMA_DEBUG=1", "HOME=" + ollama.root() + "/home"},
                                    {root + "/bin/ollama", "serve"});
    EXPECT_EQ(CountOf(printed, "msg=\"bootstrap discovery took\""), 1) << folder;
    EXPECT_EQ(CountOf(printed, "OLLAMA_LIBRARY_PATH=[" + root), 1) << folder;
    EXPECT_EQ(CountOf(printed, "unable to lookup runner library directories"), is_bad ? 1 : 0);
  }
}

// As Go's path/filepath.Match says in its own tests (match_test.go).
TEST(GoGlob, MatchesAsGo) {
  const struct {
    const char *pattern, *name;
    std::optional<bool> matches;
  } kRows[] = {{"abc", "abc", true},
               {"*", "abc", true},
               {"*c", "abc", true},
               {"a*", "a", true},
               {"a*", "abc", true},
               {"a*", "ab/c", false},
               {"a*/b", "abc/b", true},
               {"a*/b", "a/c/b", false},
               {"ab[c]", "abc", true},
               {"ab[b-d]", "abc", true},
               {"ab[e-g]", "abc", false},
               {"ab[^c]", "abc", false},
               {"ab[^e-g]", "abc", true},
               {"a\\*b", "a*b", true},
               {"a\\*b", "ab", false},
               {"a?b",
                "a\x62"
                "b",
                true},
               {"a[^a]b", "acb", true},
               {"[]a]", "]", std::nullopt},
               {"[-]", "-", std::nullopt},
               {"[x-]", "x", std::nullopt},
               {"[", "a", std::nullopt},
               {"[^", "a", std::nullopt},
               {"[^bc", "a", std::nullopt},
               {"a[", "a", std::nullopt},
               {"a[", "ab", std::nullopt},
               {"*x", "xxx", true},
               {"[\\-x]", "-", true}};
  for (const auto& row : kRows)
    EXPECT_EQ(ollama::GoMatch(row.pattern, row.name), row.matches)
        << row.pattern << " of " << row.name;
}

}  // namespace
}  // namespace gpustage
