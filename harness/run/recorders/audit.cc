// The loader's own witness: an LD_AUDIT library (rtld-audit(7)) that writes down what the dynamic
// loader searched, opened, closed and handed out, into the run's journal. It runs inside the
// scanner, so it needs nothing: no libc, no allocation, no lock. A second libc in the audit
// namespace would cost five times as much and could fail on its own.
//
// Not to be seen from here: why a dlopen failed (only ld.so's text says), who provides data, and
// what is called through an address that ld.so filled in when it relocated (-fno-plt, Rust, a
// pointer to the function): a dlsym that missed then, or who stands before libc's functions. What
// dlsym found is told of whoever asked, be it function, data, thread-local or indirect.

#include <elf.h>
#include <link.h>
#include <stdint.h>

#include <initializer_list>

#include "harness/run/recorders/build_id.h"
#include "harness/run/recorders/journal_writer.h"
#include "harness/run/recorders/symbol_asks.h"

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
  const Text texts[] = {{exe, length},
                        ReadWords("/proc/self/cmdline", words),
                        ReadWords("/proc/self/environ", environment)};
  Append(RecordKind::kProcess, gpustage::audit::ParentPid(), 0, texts, 3);
}

int64_t IdOf(const uintptr_t* cookie) {
  return cookie == nullptr ? 0 : static_cast<int64_t>(*cookie);
}

bool Same(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

// Functions that somebody may want to stand before libc's.
bool IsWatched(const char* name) {
  for (const char* watched :
       {"dlopen", "dlsym", "dlvsym", "open", "open64", "read", "malloc", "execve"})
    if (Same(name, watched)) return true;
  return false;
}

// libc.so.6, and what once was apart from it.
bool IsLibc(const uintptr_t* provider) {
  const char* path = reinterpret_cast<const link_map*>(*provider)->l_name;
  const char* name = path;
  for (; *path != '\0'; ++path)
    if (*path == '/') name = path + 1;
  for (const char* libc : {"libc.so.6", "libdl.so.2", "libpthread.so.0", "ld-linux-x86-64.so.2"})
    if (Same(name, libc)) return true;
  return false;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) unsigned la_version(unsigned) {
  gpustage::audit::Open();
  WriteProcess();
  return LAV_CURRENT;
}

__attribute__((visibility("default"))) char* la_objsearch(const char* name, uintptr_t* cookie,
                                                          unsigned flag) {
  const Text text[] = {Text::Of(name)};
  Append(RecordKind::kSearch, IdOf(cookie), flag, text, 1);
  return const_cast<char*>(name);
}

__attribute__((visibility("default"))) unsigned la_objopen(link_map* map, Lmid_t space,
                                                           uintptr_t* cookie) {
  *cookie = reinterpret_cast<uintptr_t>(map);
  static char build_id[gpustage::audit::kMaxBuildIdText];
  const bool is_program = map->l_name[0] == '\0';
  const auto headers =
      is_program ? gpustage::audit::HeadersOfProgram() : gpustage::audit::ProgramHeaders{};
  const Text texts[] = {Text::Of(map->l_name),
                        {build_id, gpustage::audit::ReadBuildId(map->l_addr, headers, build_id)}};
  Append(RecordKind::kObjectOpen, IdOf(cookie), static_cast<uint32_t>(space), texts, 2);
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

__attribute__((visibility("default"))) unsigned la_objclose(uintptr_t* cookie) {
  Append(RecordKind::kObjectClose, IdOf(cookie), 0, nullptr, 0);
  return 0;
}

__attribute__((visibility("default"))) uintptr_t la_symbind64(Elf64_Sym* symbol, unsigned,
                                                              uintptr_t*, uintptr_t* provider,
                                                              unsigned* flags, const char* name) {
  const Text text[] = {Text::Of(name)};
  const bool asked = (*flags & LA_SYMB_DLSYM) != 0;
  if (asked) Append(RecordKind::kSymbol, IdOf(provider), 0, text, 1);
  if (!IsWatched(name)) return symbol->st_value;
  if (!IsLibc(provider)) {
    if (!asked) Append(RecordKind::kBinding, IdOf(provider), 0, text, 1);
  } else if (Same(name, "dlsym") || Same(name, "dlvsym")) {
    return gpustage::audit::StubFor(symbol->st_value, name[2] == 'v');
  }
  return symbol->st_value;
}

}  // extern "C"
