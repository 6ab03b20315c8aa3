#include "fakes/world/limits.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "fakes/world/syscall.h"

namespace gpustage::world {
namespace {

constexpr int kPlenty = 1024;
constexpr unsigned long kNeededAddressSpace = 8ul << 30;

// The soft limit; no limit where it cannot be asked for.
unsigned long LimitOf(int resource) {
  rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  SystemCall(SYS_prlimit64, 0, resource, 0, reinterpret_cast<long>(&limit));
  return limit.rlim_cur;
}

}  // namespace

int DescriptorsLeft() {
  const unsigned long limit = LimitOf(RLIMIT_NOFILE);
  if (limit > kPlenty) return kPlenty;
  int left = 0;
  for (long i = 0; i < static_cast<long>(limit); ++i)
    if (SystemCall(SYS_fcntl, i, F_GETFD) < 0) ++left;
  return left;
}

bool AddressSpaceIsShort() { return LimitOf(RLIMIT_AS) < kNeededAddressSpace; }

bool CannotStartThreads() { return SystemCall(SYS_geteuid) != 0 && LimitOf(RLIMIT_NPROC) <= 1; }

bool ProcIsThere() {
  char byte = 0;
  return ReadFile("/proc/self/maps", &byte, 1, /*unseen=*/true) == 1;
}

}  // namespace gpustage::world
