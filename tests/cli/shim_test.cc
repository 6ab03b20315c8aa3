// A shim that somebody built: their own file as a library of the tree, under the names that they
// give it.
#include <cstdlib>

#include "tests/cli/cli_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

class ShimTest : public StagedCliTest {
 protected:
  void SetUp() override {
    StagedCliTest::SetUp();
    if (IsSkipped()) return;
    // A driver of `count` devices that knows nothing of gpustage.
    for (const int count : {1, 2}) {
      const std::string name = "libvgpu-" + std::to_string(count);
      Write(name + ".c",
            "int cuInit(unsigned f) { return 0; }\nint cuDeviceGetCount(int* n) { *n = " +
                std::to_string(count) + "; return 0; }\n");
      ASSERT_EQ(
          std::system(("mkdir -p " + Path("scenarios/shims") + " && cd " + Path("") +
                       " && cc -w -shared -fPIC -Wl,-soname,libcuda.so.1 -o scenarios/shims/" +
                       name + ".so " + name + ".c")
                          .c_str()),
          0);
    }
  }

  Ran RunTree(const std::string& tree, const std::string& library, const std::string& expect) {
    Write("scenarios/s.yaml", "claim: a shim is taken for a driver\ntree:\n" + tree +
                                  "runs: [{scanner: dlopen, args: [" + library +
                                  "]}]\nexpect:\n  - {" + expect + "}\n");
    return Run({"run", Path("scenarios/s.yaml")});
  }
};

// In two places under two names, of which one goes stale: as people keep them.
constexpr char kTwoFolders[] =
    "  - {library: /opt/vgpu/lib/libcuda.so.1, file: shims/libvgpu-2.so}\n"
    "  - {library: /usr/lib64/libvgpu-cuda.so, file: shims/libvgpu-1.so, mode: \"0644\"}\n"
    "  - {symlink: /usr/lib/x86_64-linux-gnu/libcuda.so.1, to: /usr/lib64/libvgpu-cuda.so}\n";

TEST_F(ShimTest, StandsUnderAnyNameInSeveralCopies) {
  for (const auto& [library, count] : {std::pair{"/opt/vgpu/lib/libcuda.so.1", "2"},
                                       {"/usr/lib64/libvgpu-cuda.so", "1"},
                                       {"libcuda.so.1", "1"}}) {
    const Ran ran = RunTree(kTwoFolders, library, std::string("devices: ") + count);
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  }
}

TEST_F(ShimTest, CanBeBrokenAsAFakeCan) {
  const Ran ran = RunTree(
      "  - {library: /opt/libcuda.so.1, file: shims/libvgpu-1.so, broken: {undefined: "
      "of_its_sibling}}\n",
      "/opt/libcuda.so.1", "log: {has: [\"undefined symbol: of_its_sibling\"]}");
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
}

TEST_F(ShimTest, ThatHasNotWhatIsToBeBrokenIsAnErrorWithItsPlace) {
  const Ran ran = RunTree(
      "  - {library: /opt/libcuda.so.1, file: shims/libvgpu-1.so, broken: {symbol_absent: "
      "cuMemMap}}\n",
      "/opt/libcuda.so.1", "devices: 0");
  EXPECT_EQ(ran.status, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.out + ran.err, HasSubstr("s.yaml:3:15: the library has no symbol cuMemMap"));
}

}  // namespace
}  // namespace gpustage
