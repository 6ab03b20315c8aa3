// The loader's own witness: an LD_AUDIT library (rtld-audit(7)) that writes down what the dynamic loader searched, opened,
// closed and handed out, into the run's journal. It runs inside the scanner, so it needs nothing: no libc, no allocation,
// no lock. A second libc in the audit namespace would cost five times as much and could fail on its own.
//
// Not to be seen from here: why a dlopen failed (only ld.so's text says), a dlsym that missed, data symbols.

#include <elf.h>
#include <link.h>
#include <stdint.h>

#include "harness/run/recorders/journal_writer.h"

namespace {

using gpustage::audit::Append;
using gpustage::audit::Text;
using gpustage::world::RecordKind;

constexpr int kMaxWords = 32 << 10;

// /proc/self/cmdline and environ separate their words by NUL; \x1f keeps them in one text.
Text ReadWords(const char* path, char* buffer) {
  int length = gpustage::audit::ReadAll(path, buffer, kMaxWords);
  for (int i = 0; i < length; ++i)
    if (buffer[i] == '\0') buffer[i] = i + 1 == length ? '\0' : '\x1f';
  while (length > 0 && buffer[length - 1] == '\0') --length;
  return {buffer, length};
}

void WriteProcess() {
  static char exe[4096], words[kMaxWords], environment[kMaxWords];
  const int length = gpustage::audit::ReadLink("/proc/self/exe", exe, sizeof exe);
  const Text texts[] = {{exe, length}, ReadWords("/proc/self/cmdline", words), ReadWords("/proc/self/environ", environment)};
  Append(RecordKind::kProcess, gpustage::audit::ParentPid(), 0, texts, 3);
}

int64_t IdOf(const uintptr_t* cookie) { return cookie == nullptr ? 0 : static_cast<int64_t>(*cookie); }

}  // namespace

extern "C" {

__attribute__((visibility("default"))) unsigned la_version(unsigned) {
  gpustage::audit::Open();
  WriteProcess();
  return LAV_CURRENT;
}

__attribute__((visibility("default"))) char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  const Text text[] = {Text::Of(name)};
  Append(RecordKind::kSearch, IdOf(cookie), flag, text, 1);
  return const_cast<char*>(name);
}

__attribute__((visibility("default"))) unsigned la_objopen(link_map* map, Lmid_t space, uintptr_t* cookie) {
  *cookie = reinterpret_cast<uintptr_t>(map);
  const Text text[] = {Text::Of(map->l_name)};
  Append(RecordKind::kObjectOpen, IdOf(cookie), static_cast<uint32_t>(space), text, 1);
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

__attribute__((visibility("default"))) unsigned la_objclose(uintptr_t* cookie) {
  Append(RecordKind::kObjectClose, IdOf(cookie), 0, nullptr, 0);
  return 0;
}

__attribute__((visibility("default"))) uintptr_t la_symbind64(Elf64_Sym* symbol, unsigned, uintptr_t*, uintptr_t* provider,
                                                              unsigned* flags, const char* name) {
  if ((*flags & LA_SYMB_DLSYM) != 0) {
    const Text text[] = {Text::Of(name)};
    Append(RecordKind::kSymbol, IdOf(provider), 0, text, 1);
  }
  return symbol->st_value;
}

}  // extern "C"
