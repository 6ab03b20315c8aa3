// A program that the user gives stands in the tree with files of its release. Here it is ls, which
// names them.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

class ReleaseTest : public StagedCliTest {
 protected:
  // The device lines of the run: what of the folder's files begins with "extra", each as ls -l has
  // it after the mode.
  Ran RunWith(const std::string& tree, const std::string& expect) const {
    for (const char* folder : {"rel", "rel/bin", "rel/lib", "rel/lib/ollama"})
      mkdir(Path(folder).c_str(), 0755);
    std::filesystem::copy_file("/bin/ls", Path("rel/bin/ollama"),
                               std::filesystem::copy_options::overwrite_existing);
    Write("rel/lib/ollama/extra.so.0", "of the release");
    Write("rel/lib/ollama/libggml-base.so.0.0.0", "of the release");
    EXPECT_EQ(symlink("extra.so.0", Path("rel/lib/ollama/extra.so").c_str()), 0);
    Write("lister.yaml",
          "scanner: lister\nabout: it lists\nprogram: {given: ollama}\nat: /bin/lister\n"
          "argv: [/bin/lister, -l, /usr/local/lib/ollama]\nrelease: {/usr/local/lib/ollama: "
          "../lib/ollama}\n"
          "devices: {read: lines, stream: stdout, match: ' (?P<name>extra.*)$'}\nlog: {stream: "
          "any, format: plain}\n");
    Write("s.yaml", "claim: c\nmachine: {devices: [h100-80gb]}\nlayout: [ollama-cuda-12]\ntree: " +
                        tree + "\nruns: [{scanner: lister}]\nexpect:\n  - {" + expect + "}\n");
    return Run({"run", Path("s.yaml"), "--scanner", Path("lister.yaml"), "--ollama", Path("rel")});
  }
};

TEST_F(ReleaseTest, BringsTheFilesOfItsFolder) {
  const Ran ran = RunWith("[]", "devices: 2, device: {index: 0, name: \"extra.so -> extra.so.0\"}");
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
}

TEST_F(ReleaseTest, LeavesWhatStandsThereAlone) {
  // 14 bytes are the release's; the layout's own is a library.
  const Ran ran =
      RunWith("[]", "log: {lacks: [{re: ' 14 .* libggml-base'}], has: [libggml-base.so.0.0.0]}");
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
}

TEST_F(ReleaseTest, DoesNotBringBackWhatTheScenarioTookAway) {
  const Ran ran = RunWith("[{remove: /usr/local/lib/ollama/libggml-base.so.0.0.0}]",
                          "devices: 2, log: {lacks: [{re: ' 14 .* libggml-base'}]}");
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
}

}  // namespace
}  // namespace gpustage
