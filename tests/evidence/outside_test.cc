// What a run used that is neither of its tree nor of the base system.
#include "harness/evidence/loader/outside.h"

#include <fcntl.h>

#include "harness/base/files.h"
#include "harness/base/root.h"
#include "harness/evidence/path/questions.h"
#include "harness/run/after.h"
#include "harness/words/words.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OutsideTest : public testing::Test {
 protected:
  // A tree with one file at each path.
  void SetUp() override {
    for (const char* path :
         {"/usr/lib/libcudart.so.12", "/usr/lib/libm.so.6", "/opt/libcudart.so.12"})
      ASSERT_THAT(root_->WriteFile(path, path, 0644), IsOk());
    ASSERT_EQ(symlink("/usr/lib/libcudart.so.12", (scratch_->path() + "/opt/link.so").c_str()), 0);
  }

  static Event Used(EventKind kind, const std::string& path, int64_t error = 0, int pid = 2) {
    Event event;
    event.pid = pid;
    event.kind = kind;
    event.subject = path;
    event.value = error;
    return event;
  }

  std::vector<std::string> Found(const std::vector<Event>& events,
                                 const std::vector<std::string>& shown = {}) {
    Evidence evidence;
    for (const Event& event : events) {
      evidence.events.push_back(event);
      evidence.events.back().id = static_cast<int>(evidence.events.size());
    }
    AfterRun after;
    after.host_directories = shown;
    ReadUsedFiles(
        QuestionsOf(evidence), [&](const std::string& path) { return root_->At(path, O_RDONLY); },
        {"/usr/lib/libcudart.so.12"}, after);
    std::vector<std::string> found;
    for (const Outside& outside : FindOutside(evidence, after))
      found.push_back((outside.leak ? "leak " : "") + outside.path + ", " +
                      OutsideText(outside.what) + ", " + std::to_string(outside.count) + " from #" +
                      std::to_string(outside.event));
    return found;
  }

  Result<ScratchDirectory> scratch_ = ScratchDirectory::Make();
  Result<Root> root_ = Root::Open(scratch_->path());
};

TEST_F(OutsideTest, IsAGpuLibraryThatCameBecauseAProgramIsLinkedToIt) {
  EXPECT_THAT(Found({Used(EventKind::kOpen, "/usr/lib/libm.so.6"),
                     Used(EventKind::kOpen, "/opt/libcudart.so.12")}),
              IsEmpty());
  EXPECT_THAT(Found({Used(EventKind::kOpen, "/usr/lib/libcudart.so.12", ENOENT)}), IsEmpty());
  EXPECT_THAT(Found({Used(EventKind::kLoad, "/usr/lib/libcudart.so.12"),
                     Used(EventKind::kOpen, "/opt/link.so")}),
              ElementsAre("leak /usr/lib/libcudart.so.12, a GPU library of this machine, 1 from #1",
                          "leak /opt/link.so, a GPU library of this machine, 1 from #2"));
}

TEST_F(OutsideTest, IsWhatTheKernelSaysOfDevices) {
  EXPECT_THAT(
      Found({Used(EventKind::kOpen, "/proc/self/maps"), Used(EventKind::kLook, "/proc/12/exe"),
             Used(EventKind::kLook, "/proc/driver/nvidia/version", ENOENT)}),
      IsEmpty());
  EXPECT_THAT(
      Found({Used(EventKind::kOpen, "/proc/driver/nvidia/version"),
             Used(EventKind::kOpen, "/proc/meminfo"), Used(EventKind::kOpen, "/proc/meminfo")}),
      ElementsAre(
          "leak /proc/driver/nvidia/version, what this machine's kernel says of devices, 1 from #1",
          "/proc/meminfo, of this machine's kernel, 2 from #2"));
}

TEST_F(OutsideTest, IsToldOncePerDeclaredDirectoryAndIsNoLeakThere) {
  EXPECT_THAT(Found({Used(EventKind::kOpen, "/opt/venv/a.py"), Used(EventKind::kList, "/opt/venv"),
                     Used(EventKind::kOpen, "/opt/venv/b.py", 0, 3),
                     Used(EventKind::kOpen, "/opt/venv/libcudart.so.12")},
                    {"/opt/venv"}),
              ElementsAre("/opt/venv, a directory that the scanner declares, 2 from #1",
                          "/opt/venv, a directory that the scanner declares, 1 from #3",
                          "/opt/venv/libcudart.so.12, a GPU library in a directory that the "
                          "scanner declares, 1 from #4"));
}

}  // namespace
}  // namespace gpustage
