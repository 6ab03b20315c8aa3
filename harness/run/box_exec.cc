#include "harness/run/box_exec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gpustage {
namespace {

constexpr int kMostScripts = 6;       // the kernel gives up at five (fs/exec.c)
constexpr size_t kScriptStart = 256;  // BINPRM_BUF_SIZE
constexpr unsigned kMostSegments = 65536 / sizeof(Elf64_Phdr);  // the kernel takes no more

// How a name is opened without following a magic link. A FIFO or a device is not waited for.
int Open(const char* path, int flags, unsigned long resolve) {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = resolve;
  return static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

bool IsMagic(const char* path) {
  const int plain = Open(path, O_PATH, RESOLVE_NO_MAGICLINKS);
  if (plain >= 0) {
    close(plain);
    return false;
  }
  if (errno != ELOOP) return false;
  // Links that go round in a circle are refused in both ways.
  const int any = Open(path, O_PATH, 0);
  if (any >= 0) close(any);
  return any >= 0;
}

// "#!  /bin/sh -e\n" -> "/bin/sh", in place. Null: no script.
const char* Interpreter(char* start, size_t size) {
  if (size < 3 || start[0] != '#' || start[1] != '!') return nullptr;
  char* begin = start + 2;
  char* const end = start + size;
  while (begin < end && (*begin == ' ' || *begin == '\t')) ++begin;
  char* stop = begin;
  while (stop < end && *stop != ' ' && *stop != '\t' && *stop != '\n' && *stop != '\0') ++stop;
  if (stop == end) return nullptr;  // cut: the kernel refuses it, too
  *stop = '\0';
  return begin;
}

// Of an ELF program; anything else is for the kernel to refuse.
ProgramTrouble LookAtElf(int fd) {
  Elf64_Ehdr header;
  if (pread(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) ||
      memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return ProgramTrouble::kNone;
  if (header.e_ident[EI_CLASS] == ELFCLASS32) return ProgramTrouble::k32Bit;
  for (unsigned i = 0; i < header.e_phnum && i < kMostSegments; ++i) {
    Elf64_Phdr segment;
    const auto at = static_cast<off_t>(header.e_phoff + i * sizeof segment);
    if (pread(fd, &segment, sizeof segment, at) != static_cast<ssize_t>(sizeof segment)) break;
    if (segment.p_type != PT_INTERP) continue;
    char path[PATH_MAX];
    const size_t length = segment.p_filesz < sizeof path ? segment.p_filesz : sizeof path - 1;
    const ssize_t n = pread(fd, path, length, static_cast<off_t>(segment.p_offset));
    path[n > 0 ? n : 0] = '\0';
    return IsMagic(path) ? ProgramTrouble::kMagicLink : ProgramTrouble::kNone;
  }
  return ProgramTrouble::kNone;
}

}  // namespace

ProgramTrouble LookAtProgram(const char* program) {
  char start[kScriptStart];
  const char* path = program;
  for (int depth = 0; depth < kMostScripts; ++depth) {
    if (IsMagic(path)) return ProgramTrouble::kMagicLink;
    const int fd = Open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, RESOLVE_NO_MAGICLINKS);
    if (fd < 0) break;
    const ssize_t n = pread(fd, start, sizeof start, 0);
    const char* const next = n > 0 ? Interpreter(start, static_cast<size_t>(n)) : nullptr;
    const ProgramTrouble trouble = next == nullptr ? LookAtElf(fd) : ProgramTrouble::kNone;
    close(fd);
    if (next == nullptr) return trouble;
    path = next;
  }
  return ProgramTrouble::kNone;
}

}  // namespace gpustage
