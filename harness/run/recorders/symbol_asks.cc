#include "harness/run/recorders/symbol_asks.h"

#include "harness/run/recorders/journal_writer.h"

namespace {

constexpr unsigned kStubs = 8;  // a process has one libc, and one more in each namespace of dlmopen
constexpr unsigned kStubBytes = 64;  // as the assembler below aligns them

uintptr_t g_targets[kStubs];  // dlsym at even places, dlvsym at odd ones

}  // namespace

extern "C" {

__attribute__((visibility("hidden"))) void gpustage_stubs();

// Called by each stub before it jumps to what this returns.
__attribute__((visibility("hidden"), used)) uintptr_t gpustage_symbol_asked(void* handle,
                                                                            const char* name,
                                                                            const char* version,
                                                                            unsigned slot) {
  using gpustage::audit::Text;
  if (name != nullptr) {
    const bool versioned = slot % 2 == 1 && version != nullptr;
    const Text texts[] = {Text::Of(name), Text::Of(versioned ? version : "")};
    gpustage::audit::Append(gpustage::world::RecordKind::kSymbolAsked,
                            reinterpret_cast<int64_t>(handle), 0, texts, 2);
  }
  return g_targets[slot];
}

}  // extern "C"

// Three arguments are kept; three words and the return address keep the stack aligned for the call.
asm(R"(
  .text
  .p2align 6
  .hidden gpustage_stubs
  .globl gpustage_stubs
gpustage_stubs:
  .set slot, 0
  .rept 8
  .p2align 6
  endbr64
  push %rdi
  push %rsi
  push %rdx
  mov $slot, %ecx
  call gpustage_symbol_asked
  pop %rdx
  pop %rsi
  pop %rdi
  jmp *%rax
  .set slot, slot + 1
  .endr
)");

namespace gpustage::audit {

uintptr_t StubFor(uintptr_t target, bool versioned) {
  for (unsigned i = versioned ? 1 : 0; i < kStubs; i += 2) {
    uintptr_t there = 0;
    // Two threads may bind at once, and both get the slot that the first of them took.
    const bool taken = __atomic_compare_exchange_n(&g_targets[i], &there, target, false,
                                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (taken || there == target)
      return reinterpret_cast<uintptr_t>(&gpustage_stubs) + i * kStubBytes;
  }
  return target;
}

}  // namespace gpustage::audit
