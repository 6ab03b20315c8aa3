#include "fakes/world/syscall.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "fakes/world/world.h"

namespace gpustage::world {
namespace {

bool Failed(long result) { return result < 0 && result >= -4095; }

}  // namespace

void* MapMemory(unsigned long bytes, int protection) {
  const long address = SystemCall(SYS_mmap, 0, static_cast<long>(bytes), protection,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return Failed(address) ? nullptr : reinterpret_cast<void*>(address);
}

void UnmapMemory(void* memory, unsigned long bytes) {
  SystemCall(SYS_munmap, memory, static_cast<long>(bytes));
}

void* MapFile(const char* path, bool writable, unsigned long* bytes) {
  const long file = SystemCall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path),
                               (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0, 0, OwnCallMark());
  if (Failed(file)) return nullptr;
  struct stat status;
  long address = -1;
  if (!Failed(SystemCall(SYS_fstat, file, reinterpret_cast<long>(&status)))) {
    *bytes = static_cast<unsigned long>(status.st_size);
    address = SystemCall(SYS_mmap, 0, status.st_size, PROT_READ | (writable ? PROT_WRITE : 0),
                         writable ? MAP_SHARED : MAP_PRIVATE, file, 0);
  }
  SystemCall(SYS_close, file);
  return Failed(address) ? nullptr : reinterpret_cast<void*>(address);
}

void SleepMilliseconds(unsigned milliseconds) {
  timespec left = {static_cast<time_t>(milliseconds / 1000),
                   static_cast<long>(milliseconds % 1000) * 1000000};
  while (SystemCall(SYS_nanosleep, &left, reinterpret_cast<long>(&left)) == -EINTR) {
  }
}

void SleepForEver() {
  for (;;) SleepMilliseconds(1000000);
}

void Exit(int status) {
  for (;;) SystemCall(SYS_exit_group, static_cast<long>(status));
}

long ReadFile(const char* path, char* buffer, long size, bool unseen) {
  const long file = SystemCall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path),
                               O_RDONLY | O_CLOEXEC, 0, 0, unseen ? OwnCallMark() : 0);
  if (Failed(file)) return 0;
  long length = 0;
  while (length < size) {
    const long n =
        SystemCall(SYS_read, file, reinterpret_cast<long>(buffer + length), size - length);
    if (n == -EINTR) continue;
    if (n <= 0) break;
    length += n;
  }
  SystemCall(SYS_close, file);
  return length;
}

void WriteError(const char* text, unsigned long bytes) {
  while (bytes > 0) {
    const long n =
        SystemCall(SYS_write, 2L, reinterpret_cast<long>(text), static_cast<long>(bytes));
    if (n == -EINTR) continue;
    if (n <= 0) return;
    text += n;
    bytes -= static_cast<unsigned long>(n);
  }
}

}  // namespace gpustage::world
