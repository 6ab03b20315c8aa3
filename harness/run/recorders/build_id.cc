#include "harness/run/recorders/build_id.h"

#include <elf.h>

#include "harness/run/recorders/journal_writer.h"

namespace gpustage::audit {
namespace {

constexpr unsigned kMaxHeaders = 64;
constexpr uint64_t kMaxNotes = 1024;

// ld.so holds its lock when it tells us of an object, so one of each is enough.
char g_notes[kMaxNotes];
Elf64_Phdr g_headers[kMaxHeaders];

// Of a segment aligned to 8 too: the one kind of note that wants it is a multiple of 8 long, and
// linkers put others behind it.
uint64_t Padded(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

// In one PT_NOTE segment, which has been read.
int BuildIdIn(uint64_t size, char* text) {
  for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= size;) {
    const Elf64_Nhdr* const note = reinterpret_cast<const Elf64_Nhdr*>(g_notes + at);
    const uint64_t name = at + sizeof *note, bytes = name + Padded(note->n_namesz),
                   end = bytes + Padded(note->n_descsz);
    if (end > size) return 0;
    const char* const owner = g_notes + name;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && owner[0] == 'G' &&
        owner[1] == 'N' && owner[2] == 'U') {
      const int count = note->n_descsz < kMaxBuildIdText / 2 ? static_cast<int>(note->n_descsz)
                                                             : kMaxBuildIdText / 2;
      for (int i = 0; i < 2 * count; ++i)
        text[i] = "0123456789abcdef"[g_notes[bytes + i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
      return 2 * count;
    }
    at = end;
  }
  return 0;
}

}  // namespace

ProgramHeaders HeadersOfProgram() {
  static Elf64_auxv_t entries[64];
  const int bytes = ReadAll("/proc/self/auxv", reinterpret_cast<char*>(entries), sizeof entries);
  ProgramHeaders headers;
  for (unsigned i = 0; i < static_cast<unsigned>(bytes) / sizeof entries[0]; ++i) {
    if (entries[i].a_type == AT_PHDR) headers.header = entries[i].a_un.a_val;
    if (entries[i].a_type == AT_PHNUM) headers.count = static_cast<unsigned>(entries[i].a_un.a_val);
  }
  return headers;
}

int ReadBuildId(uintptr_t base, ProgramHeaders headers, char* text) {
  if (headers.header == 0) {
    Elf64_Ehdr header;
    if (!ReadMemory(base, &header, sizeof header) || header.e_ident[0] != 0x7f ||
        header.e_ident[1] != 'E')
      return 0;
    headers = {base + header.e_phoff, header.e_phnum};
  }
  const unsigned count = headers.count < kMaxHeaders ? headers.count : kMaxHeaders;
  if (!ReadMemory(headers.header, g_headers, count * sizeof g_headers[0])) return 0;
  for (unsigned i = 0; i < count; ++i) {
    const Elf64_Phdr& segment = g_headers[i];
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxNotes) continue;
    if (!ReadMemory(base + segment.p_vaddr, g_notes, segment.p_filesz)) continue;
    if (const int length = BuildIdIn(segment.p_filesz, text); length > 0) return length;
  }
  return 0;
}

}  // namespace gpustage::audit
