// Does it right: it jumps on, so that libc still sees who called, whose $ORIGIN, RPATH and name
// space count.
#include "fakes/preloads/preload.h"

extern "C" {
__attribute__((visibility("hidden"))) gpustage::preload::OpenLibrary gpustage_preload_begin(
    const char* name, int flags) {
  gpustage::preload::Note(name, flags, nullptr);
  return gpustage::preload::Next();
}
}

asm(R"(
  .text
  .globl dlopen
  .type dlopen, @function
dlopen:
  push %rdi
  push %rsi
  sub $8, %rsp
  call gpustage_preload_begin
  add $8, %rsp
  pop %rsi
  pop %rdi
  jmp *%rax
  .size dlopen, . - dlopen
)");
