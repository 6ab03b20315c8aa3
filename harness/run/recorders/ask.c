/* Asks the system itself what it says of each path: run once after a scanner, in the same tree, as
 * the same user, with the environment of the process that tried. One line a path, in their order,
 * for a name may hold any byte: list-errno TAB open-errno TAB signal TAB exit-status TAB kind TAB
 * size TAB inode TAB first bytes in hex TAB dlopen-text.
 * "" is a dlopen that worked, or a path after '?', which is only looked at. Each dlopen happens in
 * a child of its own, for a library may kill whoever loads it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int ListError(const char* path) {
  char directory[4096];
  const char* slash = strrchr(path, '/');
  if (slash == NULL || (size_t)(slash - path) >= sizeof directory) return ENAMETOOLONG;
  memcpy(directory, path, (size_t)(slash - path));
  directory[slash - path] = '\0';
  DIR* opened = opendir(slash == path ? "/" : directory);
  if (opened == NULL) return errno;
  closedir(opened);
  return 0;
}

static int OpenError(const char* path) {
  /* Not waiting for the other end of a FIFO that a scanner has left there. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

/* The version in which a library has a symbol: "CUBLAS_12.0"; NULL when in none. */
static const char* VersionOf(void* library, const char* symbol) {
  Dl_info info;
  const ElfW(Sym)* entry = NULL;
  const struct link_map* map = NULL;
  void* address = dlsym(library, symbol);
  if (address == NULL || dladdr1(address, &info, (void**)&entry, RTLD_DL_SYMENT) == 0 ||
      entry == NULL)
    return NULL;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) return NULL;
  const ElfW(Sym)* symbols = NULL;
  const ElfW(Half)* versions = NULL;
  const char *definition = NULL, *strings = NULL;
  for (const ElfW(Dyn)* tag = map->l_ld; tag->d_tag != DT_NULL; ++tag) {
    if (tag->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym)*)tag->d_un.d_ptr;
    if (tag->d_tag == DT_VERSYM) versions = (const ElfW(Half)*)tag->d_un.d_ptr;
    if (tag->d_tag == DT_VERDEF)
      definition =
          (const char*)map->l_addr + tag->d_un.d_ptr; /* the one that glibc leaves as it is */
    if (tag->d_tag == DT_STRTAB) strings = (const char*)tag->d_un.d_ptr;
  }
  if (symbols == NULL || versions == NULL || definition == NULL || strings == NULL) return NULL;
  const int wanted = versions[entry - symbols] & 0x7fff;
  for (;;) {
    const ElfW(Verdef)* version = (const ElfW(Verdef)*)definition;
    if ((version->vd_ndx & 0x7fff) == wanted)
      return strings + ((const ElfW(Verdaux)*)(definition + version->vd_aux))->vda_name;
    if (version->vd_next == 0) return NULL;
    definition += version->vd_next;
  }
}

/* "…: undefined symbol: NAME, version libcublas.so.12": a library names its versions after itself,
 * so that one is asked in which version it has NAME. It may kill whoever loads it, so a process of
 * its own does. */
static void WriteOtherVersion(const char* why, int out) {
  char symbol[1024], version[256];
  const char* start = strstr(why, "undefined symbol: ");
  if (start == NULL ||
      sscanf(start, "undefined symbol: %1023[^,], version %255s", symbol, version) != 2)
    return;
  const pid_t child = fork();
  if (child == 0) {
    void* library = dlopen(version, RTLD_LAZY | RTLD_LOCAL);
    const char* other = library == NULL ? NULL : VersionOf(library, symbol);
    if (other != NULL && strcmp(other, version) != 0)
      dprintf(out, " [it is there in version %s]", other);
    _exit(0);
  }
  if (child > 0) waitpid(child, NULL, 0);
}

/* Writes what dlerror says to the pipe; what a constructor prints is not wanted here. */
static void LoadInChild(const char* path, int out) {
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, 1);
  dup2(null, 2);
  if (dlopen(path, RTLD_NOW | RTLD_LOCAL) == NULL) {
    const char* why = dlerror();
    if (why == NULL)
      why =
          "dlopen gave nothing and dlerror says nothing: another dlopen stands before that of libc";
    if (write(out, why, strlen(why)) < 0) _exit(1);
    WriteOtherVersion(why, out);
  }
  _exit(0);
}

/* kind, size, inode and the first bytes of what has the name. */
static void PrintFile(const char* path) {
  struct stat found;
  unsigned char head[64];
  ssize_t length = 0;
  if (stat(path, &found) != 0) {
    printf("%c\t0\t0\t", lstat(path, &found) == 0 ? 'l' : '?');
    return;
  }
  printf("%c\t%lld\t%llu\t", S_ISDIR(found.st_mode) ? 'd' : 'f', (long long)found.st_size,
         (unsigned long long)found.st_ino);
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return;
  length = read(fd, head, sizeof head);
  close(fd);
  for (ssize_t i = 0; i < length; ++i) printf("%02x", head[i]);
}

/* What a dlopen in a child of its own says; a status other than 0 is the child's death. */
static int Load(const char* path, char* why, size_t size) {
  size_t length = 0;
  int ends[2], status = 0;
  why[0] = '\0';
  if (pipe(ends) != 0) return 0;
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    LoadInChild(path, ends[1]);
  }
  close(ends[1]);
  ssize_t n;
  while (length < size - 1 && (n = read(ends[0], why + length, size - 1 - length)) > 0)
    length += (size_t)n;
  close(ends[0]);
  why[length] = '\0';
  waitpid(child, &status, 0);
  for (char* c = why; *c != '\0'; ++c)
    if (*c == '\n' || *c == '\t') *c = ' ';
  return status;
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const int look_only = argv[i][0] == '?';
    const char* path = argv[i] + look_only;
    char why[8192] = "";
    const int status = look_only ? 0 : Load(path, why, sizeof why);
    printf("%d\t%d\t%d\t%d\t", ListError(path), OpenError(path),
           WIFSIGNALED(status) ? WTERMSIG(status) : 0, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
    PrintFile(path);
    printf("\t%s\n", why);
  }
  return 0;
}
