#include "harness/run/recorders/journal_writer.h"

#include <asm/unistd_64.h>

namespace gpustage::audit {
namespace {

using world::JournalHeader;
using world::Record;

// Filled in when the library is placed. Volatile: the compiler must not believe these zeros.
volatile world::Stamp g_stamp = {"GPUSTAGE-STAMP1", 0, 0, {}, {}};
JournalHeader* g_journal = nullptr;

constexpr int kReadWrite = 2, kReadOnly = 0, kCloseOnExec = 02000000;
constexpr int kProtReadWrite = 3, kMapShared = 1;
constexpr int kClockMonotonic = 1;

long Call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

long Mark() { return static_cast<long>(world::OwnCall(g_stamp.mark)); }
long Address(const volatile void* p) { return reinterpret_cast<long>(p); }

bool Failed(long result) { return result < 0 && result > -4096; }

}  // namespace

Text Text::Of(const char* text) {
  int length = 0;
  while (text[length] != '\0') ++length;
  return {text, length};
}

void Open() {
  if (g_stamp.instance == 0 && g_stamp.journal[0] == '\0') return;
  const long fd =
      Call(__NR_open, Address(g_stamp.journal), kReadWrite | kCloseOnExec, 0, 0, 0, Mark());
  if (Failed(fd)) return world::TellOfLoss(Call, g_stamp.journal, Mark());
  JournalHeader header;
  const bool readable =
      Call(__NR_read, fd, Address(&header), sizeof header) == static_cast<long>(sizeof header);
  const long mapped = readable
                          ? Call(__NR_mmap, 0, static_cast<long>(sizeof header + header.capacity),
                                 kProtReadWrite, kMapShared, fd, 0)
                          : -1;
  Call(__NR_close, fd);
  if (Failed(mapped)) return world::TellOfLoss(Call, g_stamp.journal, Mark());
  g_journal = reinterpret_cast<JournalHeader*>(mapped);
}

void Append(world::RecordKind kind, int64_t value, uint32_t detail, const Text* texts,
            uint32_t count) {
  if (g_journal == nullptr) return;
  uint64_t size = sizeof(Record);
  for (uint32_t i = 0; i < count; ++i) size += static_cast<uint64_t>(texts[i].length) + 1;
  size = (size + 7) & ~uint64_t{7};
  const uint64_t at = __atomic_fetch_add(&g_journal->next, size, __ATOMIC_RELAXED);
  const uint64_t capacity = g_journal->capacity;
  if (at > capacity || size > capacity - at) {
    __atomic_fetch_add(&g_journal->dropped, 1, __ATOMIC_RELAXED);
    return;
  }
  char* const place = reinterpret_cast<char*>(g_journal + 1) + at;
  Record* const record = reinterpret_cast<Record*>(place);
  __atomic_store_n(&record->size, static_cast<uint32_t>(size), __ATOMIC_RELEASE);
  long now[2] = {};
  Call(__NR_clock_gettime, kClockMonotonic, Address(now));
  record->time_ns = static_cast<uint64_t>(now[0]) * 1000000000U + static_cast<uint64_t>(now[1]);
  record->pid = static_cast<int32_t>(Call(__NR_getpid));
  record->tid = static_cast<int32_t>(Call(__NR_gettid));
  record->value = value;
  record->device = -1;
  record->detail = detail;
  record->texts = count;
  char* out = place + sizeof(Record);
  for (uint32_t i = 0; i < count; ++i) {
    for (int j = 0; j < texts[i].length; ++j) *out++ = texts[i].data[j];
    *out++ = '\0';
  }
  __atomic_store_n(reinterpret_cast<uint16_t*>(&record->kind), static_cast<uint16_t>(kind),
                   __ATOMIC_RELEASE);
}

int ReadAll(const char* path, char* buffer, int size) {
  const long fd = Call(__NR_open, Address(path), kReadOnly | kCloseOnExec, 0, 0, 0, Mark());
  if (Failed(fd)) return 0;
  int done = 0;
  while (done < size) {
    const long n = Call(__NR_read, fd, Address(buffer + done), size - done);
    if (n <= 0) break;
    done += static_cast<int>(n);
  }
  Call(__NR_close, fd);
  return done;
}

int ReadLink(const char* path, char* buffer, int size) {
  const long n = Call(__NR_readlink, Address(path), Address(buffer), size, 0, 0, Mark());
  return n > 0 ? static_cast<int>(n) : 0;
}

int64_t ParentPid() { return Call(__NR_getppid); }

bool ReadMemory(uintptr_t from, void* to, uint64_t size) {
  const struct {
    uintptr_t base;
    uint64_t length;
  } local = {reinterpret_cast<uintptr_t>(to), size}, remote = {from, size};
  return Call(__NR_process_vm_readv, Call(__NR_getpid), Address(&local), 1, Address(&remote), 1,
              0) == static_cast<long>(size);
}

}  // namespace gpustage::audit
