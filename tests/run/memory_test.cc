// Each allocation of a run in a box fails once, whichever thread makes it: that is an exception of
// whoever waits for the box, never std::terminate, never a hang, and no process stays.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/support/box.h"
#include "tests/support/processes.h"

namespace {
std::atomic<int64_t> g_left = -1;  // until the one that fails; negative: none does
}

void* operator new(size_t bytes) {
  if (g_left >= 0 && g_left.fetch_sub(1) == 0) throw std::bad_alloc();
  if (void* const memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace gpustage {
namespace {

class MemoryTest : public BoxTest {};

// The program hangs: only who ends it brings it to an end.
TEST_F(MemoryTest, ThatIsNotThereIsToldWhereTheBoxIsWaitedFor) {
  spec_.watch_files = true;
  spec_.time_limit = std::chrono::milliseconds(300);
  const std::string mark = UniqueWord();
  int thrown = 0;
  for (int64_t at = 0;; ++at) {
    g_left = at;
    try {
      const RawRun run = Act({"open", "/actor", "list", "/", "out", "done", "hang", mark});
      EXPECT_EQ(run.outcome.kind, Outcome::Kind::kTimedOut) << "allocation " << at;
    } catch (const std::bad_alloc&) {
      ++thrown;
    }
    const bool failed = g_left.exchange(-1) < 0;
    ASSERT_THAT(ProcessesWith(mark), testing::IsEmpty()) << "allocation " << at;
    if (!failed) break;
  }
  EXPECT_GT(thrown, 50);
}

}  // namespace
}  // namespace gpustage
