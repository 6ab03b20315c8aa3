#include "fakes/world/journal.h"

#include <time.h>

#include <cstring>

#include "fakes/world/syscall.h"
#include "fakes/world/world.h"

namespace gpustage::world {
namespace {

JournalHeader* g_journal = nullptr;
JournalHeader g_no_journal;  // capacity 0: everything is dropped

JournalHeader* OpenJournal() {
  unsigned long bytes = 0;
  void* const file = Instance() == 0 ? nullptr : MapFile(JournalPath(), /*writable=*/true, &bytes);
  auto* const header = static_cast<JournalHeader*>(file);
  const bool good = header != nullptr && bytes >= sizeof(JournalHeader) &&
                    memcmp(header->magic, kJournalMagic, sizeof(kJournalMagic)) == 0 &&
                    header->version == kJournalVersion &&
                    header->capacity <= bytes - sizeof(JournalHeader);
  if (good) return header;
  if (Instance() != 0)
    TellOfLoss([](long number, long a, long b, long c, long d, long e,
                  long f) { return SystemCall(number, a, b, c, d, e, f); },
               JournalPath(), OwnCallMark());
  return &g_no_journal;
}

JournalHeader& Journal() {
  JournalHeader* journal = __atomic_load_n(&g_journal, __ATOMIC_ACQUIRE);
  if (journal != nullptr) return *journal;
  journal = OpenJournal();
  JournalHeader* none = nullptr;
  if (!__atomic_compare_exchange_n(&g_journal, &none, journal, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE)) {
    if (journal != &g_no_journal) UnmapMemory(journal, sizeof(JournalHeader) + journal->capacity);
    return *none;
  }
  return *journal;
}

uint64_t Now() {
  timespec now = {};
  SystemCall(SYS_clock_gettime, static_cast<long>(CLOCK_MONOTONIC), reinterpret_cast<long>(&now));
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// Space for `size` bytes, or null when the journal is full.
Record* Take(JournalHeader& journal, uint32_t size) {
  const uint64_t offset = __atomic_fetch_add(&journal.next, size, __ATOMIC_RELAXED);
  if (offset > journal.capacity || size > journal.capacity - offset) {
    __atomic_fetch_add(&journal.dropped, 1, __ATOMIC_RELAXED);
    return nullptr;
  }
  auto* const record = reinterpret_cast<Record*>(reinterpret_cast<char*>(&journal + 1) + offset);
  __atomic_store_n(&record->size, size, __ATOMIC_RELEASE);
  return record;
}

}  // namespace

int64_t* Append(RecordKind kind, int64_t value, int32_t device, uint32_t detail,
                std::initializer_list<const char*> texts) {
  JournalHeader& journal = Journal();
  size_t length = 0;
  for (const char* text : texts) length += strlen(text) + 1;
  Record* const record =
      Take(journal, static_cast<uint32_t>((sizeof(Record) + length + 7) & ~size_t{7}));
  if (record == nullptr) return nullptr;
  record->instance = Instance();
  record->time_ns = Now();
  record->pid = ProcessId();
  record->tid = ThreadId();
  record->value = value;
  record->device = device;
  record->detail = detail;
  record->texts = static_cast<uint32_t>(texts.size());
  record->reserved = 0;
  char* to = reinterpret_cast<char*>(record + 1);
  for (const char* text : texts) {
    const size_t size = strlen(text) + 1;
    memcpy(to, text, size);
    to += size;
  }
  __atomic_store_n(reinterpret_cast<uint16_t*>(&record->kind), static_cast<uint16_t>(kind),
                   __ATOMIC_RELEASE);
  return &record->value;
}

}  // namespace gpustage::world
