#include "fakes/world/fault.h"

#include <cstring>

#include "fakes/world/syscall.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::world {
namespace {

uint32_t g_calls[kMaxFaults];  // by fault, of process g_counted
int32_t g_counted = 0;

// How often the fault's call was made in this process, this one included. A forked child counts
// from the beginning.
uint32_t Count(uint32_t fault) {
  const int32_t pid = ProcessId();
  int32_t counted = __atomic_load_n(&g_counted, __ATOMIC_ACQUIRE);
  if (counted != pid && __atomic_compare_exchange_n(&g_counted, &counted, pid, false,
                                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    for (uint32_t& calls : g_calls) __atomic_store_n(&calls, 0, __ATOMIC_RELAXED);
  }
  return __atomic_add_fetch(&g_calls[fault], 1, __ATOMIC_RELAXED);
}

// Words of a command line stand between NULs in /proc; a scenario writes them with spaces.
bool FileHas(const char* path, const char* text) {
  char words[8192];
  const long length = ReadFile(path, words, sizeof(words));
  for (long i = 0; i < length; ++i)
    if (words[i] == '\0') words[i] = ' ';
  return length > 0 && memmem(words, static_cast<size_t>(length), text, strlen(text)) != nullptr;
}

// "ollama runner", or a variable that it was started with: Ollama's second children differ from the
// first in that alone.
bool ProcessHas(const char* text) {
  return FileHas("/proc/self/cmdline", text) || FileHas("/proc/self/environ", text);
}

}  // namespace

const Fault* FaultFor(const char* function, int32_t device) {
  const World& world = Here();
  const Fault* found = nullptr;
  for (uint32_t i = 0; i < world.fault_count; ++i) {
    const Fault& fault = world.faults[i];
    if (!Equal(fault.function, function)) continue;
    if (fault.device != -1 && fault.device != device) continue;
    if (fault.process_has[0] != '\0' && !ProcessHas(fault.process_has)) continue;
    const uint32_t call = Count(i);
    if (found != nullptr || call < fault.first_call) continue;
    if (fault.last_call == 0 || call <= fault.last_call) found = &fault;
  }
  return found;
}

}  // namespace gpustage::world
