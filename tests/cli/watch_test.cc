// gpustage watch: what is saved runs, and nothing else does.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "harness/base/files.h"
#include "harness/base/root.h"
#include "harness/run/workspace.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

// The program with its output in a pipe; it ends with the test.
class Watching {
 public:
  explicit Watching(const std::string& folder) {
    int ends[2];
    if (pipe(ends) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      execl(GPUSTAGE_PROGRAM, GPUSTAGE_PROGRAM, "watch", folder.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    read_ = ends[0];
  }
  ~Watching() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
    close(read_);
  }
  // All up to this word; less when it ended.
  std::string Until(const std::string& word) {
    std::string text;
    char one = 0;
    while (text.find(word) == std::string::npos && read(read_, &one, 1) == 1) text += one;
    return text;
  }

 private:
  pid_t child_ = -1;
  int read_ = -1;
};

std::string Scenario(const std::string& expect) {
  return "claim: the tree is whole\nmachine: {devices: [h100-80gb]}\n"
         "layout: [nvidia-driver-debian, ollama-cuda-12]\nruns: [{scanner: ollama-model}]\n"
         "expect: [{" +
         expect + "}]\n";
}

TEST(Watch, RunsWhatIsSavedNewAndRenamedAndNothingElse) {
  if (ProbeIsolation().level == IsolationLevel::kNone)
    GTEST_SKIP() << "this machine allows no private root";
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string folder = scratch.path();
  ASSERT_THAT(WriteFile(folder + "/other.yaml", Scenario("devices: 1")), IsOk());
  Watching watch(folder);
  watch.Until("^C ends");
  ASSERT_THAT(WriteFile(folder + "/a.yaml", Scenario("devices: 1")), IsOk());
  EXPECT_THAT(watch.Until(" in "), AllOf(HasSubstr("1 passed"), Not(HasSubstr("other"))));
  ASSERT_THAT(WriteFile(folder + "/a.yaml", Scenario("devices: 2")), IsOk());
  EXPECT_THAT(watch.Until(" failed in "), HasSubstr("FAIL"));
  ASSERT_THAT(WriteFile(folder + "/a.yaml", "claim: c\nexpct: 1\n"), IsOk());  // and it goes on
  EXPECT_THAT(watch.Until("did you mean \"expect\"?"), HasSubstr("a.yaml:2:1"));
  std::filesystem::create_directory(folder + "/new");
  ASSERT_THAT(WriteFile(folder + "/new/.b.tmp", Scenario("devices: 1")), IsOk());
  std::filesystem::rename(folder + "/new/.b.tmp", folder + "/new/b.yaml");
  EXPECT_THAT(watch.Until(" failed in "), HasSubstr("1 passed, 0"));
}

}  // namespace
}  // namespace gpustage
