#include "fakes/world/fault.h"

#include <time.h>

#include <cstring>

#include "fakes/world/syscall.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::world {
namespace {

// By fault: the process that counts, and how often its call was made there.
uint64_t g_calls[kMaxFaults];

// This call included. A forked child counts from the beginning.
uint32_t Count(uint32_t fault) {
  const uint64_t process = static_cast<uint64_t>(static_cast<uint32_t>(ProcessId())) << 32;
  uint64_t before = __atomic_load_n(&g_calls[fault], __ATOMIC_RELAXED);
  for (;;) {
    const uint64_t now = (before & ~uint64_t{UINT32_MAX}) == process ? before + 1 : process | 1;
    if (__atomic_compare_exchange_n(&g_calls[fault], &before, now, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
      return static_cast<uint32_t>(now);
  }
}

// Words of a command line stand between NULs in /proc; a scenario writes them with spaces.
bool FileHas(const char* path, const char* text) {
  char words[8192];
  const long length = ReadFile(path, words, sizeof(words), true);
  for (long i = 0; i < length; ++i)
    if (words[i] == '\0') words[i] = ' ';
  return length > 0 && memmem(words, static_cast<size_t>(length), text, strlen(text)) != nullptr;
}

int64_t MillisecondsSinceBoot() {
  timespec now = {};
  SystemCall(SYS_clock_gettime, CLOCK_BOOTTIME, reinterpret_cast<long>(&now));
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

// Of this process, by the kernel's account: its 22nd field, counted behind the name in brackets, in
// hundredths of a second. Without /proc it began now.
int64_t StartOfProcess() {
  char text[1024];
  const long length = ReadFile("/proc/self/stat", text, sizeof(text) - 1, true);
  text[length > 0 ? length : 0] = '\0';
  const char* at = strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) at = strchr(at + 1, ' ');
  if (at == nullptr) return MillisecondsSinceBoot();
  int64_t ticks = 0;
  for (++at; *at >= '0' && *at <= '9'; ++at) ticks = ticks * 10 + (*at - '0');
  return ticks * 10;
}

int64_t g_start = 0;
int32_t g_started = 0;  // the process that g_start is of

}  // namespace

int64_t MillisecondsOfProcess() {
  const int32_t pid = ProcessId();
  if (__atomic_load_n(&g_started, __ATOMIC_ACQUIRE) != pid) {
    __atomic_store_n(&g_start, StartOfProcess(), __ATOMIC_RELAXED);  // two threads write the same
    __atomic_store_n(&g_started, pid, __ATOMIC_RELEASE);
  }
  return MillisecondsSinceBoot() - __atomic_load_n(&g_start, __ATOMIC_RELAXED);
}

namespace {

// "ollama runner", or a variable that it was started with: Ollama's second children differ from the
// first in that alone.
bool ProcessHas(const char* text) {
  return FileHas("/proc/self/cmdline", text) || FileHas("/proc/self/environ", text);
}

bool IsIn(const Fault& fault) {
  if (fault.process_has[0] != '\0' && !ProcessHas(fault.process_has)) return false;
  if (fault.from_ms == 0 && fault.to_ms == 0) return true;
  const int64_t now = MillisecondsOfProcess();
  return now >= fault.from_ms && (fault.to_ms == 0 || now < fault.to_ms);
}

// What befalls a device goes on once it has begun, in children too: there is one device.
bool g_begun[kMaxFaults];

bool BefallsDevice(const Fault& fault) {
  return fault.action == FaultAction::kLost || fault.action == FaultAction::kMemoryLeft;
}

bool Begun(uint32_t fault) {
  const Fault& of = Here().faults[fault];
  return of.function[0] == '\0' ? IsIn(of) : __atomic_load_n(&g_begun[fault], __ATOMIC_ACQUIRE);
}

bool Meets(const Fault& fault, int32_t device) {
  return fault.device == -1 || fault.device == device;
}

}  // namespace

const Fault* FaultFor(const char* function, int32_t device) {
  const World& world = Here();
  const Fault* found = nullptr;
  for (uint32_t i = 0; i < world.fault_count; ++i) {
    const Fault& fault = world.faults[i];
    const bool befalls = BefallsDevice(fault);
    if (Equal(fault.function, function) && (befalls || Meets(fault, device)) && IsIn(fault)) {
      const uint32_t call = Count(i);
      const bool applies =
          call >= fault.first_call && (fault.last_call == 0 || call <= fault.last_call);
      if (applies && befalls) __atomic_store_n(&g_begun[i], true, __ATOMIC_RELEASE);
      if (applies && !befalls && found == nullptr) found = &fault;
    }
    if (found == nullptr && fault.action == FaultAction::kLost && device >= 0 &&
        Meets(fault, device) && Begun(i))
      found = &fault;
  }
  return found;
}

uint64_t FreeMemory(const Device& device, int32_t ordinal) {
  const World& world = Here();
  uint64_t free = device.memory_free;
  for (uint32_t i = 0; i < world.fault_count; ++i) {
    const Fault& fault = world.faults[i];
    if (fault.action == FaultAction::kMemoryLeft && Meets(fault, ordinal) && fault.bytes < free &&
        Begun(i))
      free = fault.bytes;
  }
  return free;
}

}  // namespace gpustage::world
