/* A scanner of ill will: does what its arguments say, in their order, and says what the kernel
 * answered. Linked statically: it needs nothing of the tree. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static void Say(const char* act, int failed) {
  dprintf(1, "%s %s\n", act, failed ? strerrorname_np(errno) : "ok");
}

static void WriteTo(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  Say("write", fd < 0 || write(fd, text, strlen(text)) < 0);
  if (fd >= 0) close(fd);
}

/* What a handle of its own making opens: inode 2 is the root directory of most file systems. */
static void ByHandle(const char* path) {
  struct {
    unsigned bytes;
    int type;
    unsigned inode[2];
  } handle = {8, 1, {2, 0}};
  const int mount = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  Say("handle", syscall(SYS_open_by_handle_at, mount, &handle, O_RDONLY) < 0);
}

static void Abstract(const char* name, int listens) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(name);
  memcpy(address.sun_path + 1, name, length);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (!listens) return Say("connect", connect(fd, (struct sockaddr*)&address, size) != 0);
  Say("listen", bind(fd, (struct sockaddr*)&address, size) != 0 || listen(fd, 1) != 0);
}

/* So many bytes in one file. */
static void Fill(const char* path, long mebibytes) {
  static char block[1 << 20];
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  long done = 0;
  while (fd >= 0 && done < mebibytes && write(fd, block, sizeof block) == sizeof block) ++done;
  dprintf(1, "fill %s %s\n", done == mebibytes ? "all" : "some",
          done == mebibytes ? "ok" : strerrorname_np(errno));
}

static void Space(const char* path) {
  struct statfs found;
  statfs(path, &found);
  dprintf(1, "space %ld MiB\n", (long)(found.f_blocks * (unsigned long)found.f_bsize >> 20));
}

/* Children that live on, each of which has opened `path`. */
static void Children(long wanted, const char* path) {
  long made = 0;
  for (; made < wanted; ++made) {
    int ready[2];
    char byte;
    if (pipe(ready) != 0) break;
    const pid_t child = fork();
    if (child == 0) {
      close(open(path, O_RDONLY | O_CLOEXEC));
      close(ready[0]);
      close(ready[1]);
      for (;;) pause();
    }
    close(ready[1]);
    if (child > 0) read(ready[0], &byte, 1);
    close(ready[0]);
    if (child < 0) break;
  }
  dprintf(1, "children %ld %s\n", made, made == wanted ? "ok" : strerrorname_np(errno));
}

/* execve of nothing with 4096 words of 128 KiB less one: one string, named so often. */
static void HugeExec(void) {
  static char word[(128 << 10) - 1];
  static char* words[4097];
  memset(word, 'x', sizeof word - 1);
  for (int i = 0; i < 4096; ++i) words[i] = word;
  execve("/nonexistent", words, words);
  Say("exec", 1);
}

static void Data(long mebibytes) {
  void* const taken = mmap(NULL, (size_t)mebibytes << 20, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Say("data", taken == MAP_FAILED);
}

static void Descriptors(void) {
  int made = 0;
  while (dup(0) >= 0) ++made;
  dprintf(1, "descriptors %d %s\n", made, strerrorname_np(errno));
}

static void* Sleep(void* nothing) {
  for (;;) pause();
  return nothing;
}

static void Threads(long wanted) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16384);
  long made = 0;
  pthread_t thread;
  while (made < wanted && pthread_create(&thread, &small, Sleep, NULL) == 0) ++made;
  dprintf(1, "threads %s\n", made == wanted ? "all" : "some");
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const char* const act = argv[i];
    const char* const one = i + 1 < argc ? argv[i + 1] : "";
    const char* const two = i + 2 < argc ? argv[i + 2] : "";
    int words = 1;
    if (strcmp(act, "write") == 0)
      WriteTo(one, two), words = 2;
    else if (strcmp(act, "open") == 0)
      Say(act, open(one, O_RDONLY | O_NONBLOCK) < 0);
    else if (strcmp(act, "open-marked") == 0)
      Say(act, syscall(SYS_open, one, O_RDONLY | O_NONBLOCK, 0, 0, 0, strtoul(two, NULL, 16)) < 0),
          words = 2;
    else if (strcmp(act, "open-for-writing") == 0)
      Say(act, open(one, O_WRONLY | O_NONBLOCK) < 0);
    else if (strcmp(act, "chmod") == 0)
      Say(act, chmod(one, (mode_t)strtol(two, NULL, 8)) != 0), words = 2;
    else if (strcmp(act, "chown") == 0)
      Say(act, chown(one, 0, 0) != 0);
    else if (strcmp(act, "rm") == 0)
      Say(act, unlink(one) != 0);
    else if (strcmp(act, "rename") == 0)
      Say(act, rename(one, two) != 0), words = 2;
    else if (strcmp(act, "symlink") == 0)
      Say(act, symlink(one, two) != 0), words = 2;
    else if (strcmp(act, "mkdir") == 0)
      Say(act, mkdir(one, 0777) != 0);
    else if (strcmp(act, "node") == 0) /* of the first NVIDIA device */
      Say(act, mknod(one, S_IFCHR | 0666, makedev(195, 0)) != 0);
    else if (strcmp(act, "fifo") == 0)
      Say(act, mkfifo(one, 0666) != 0);
    else if (strcmp(act, "handle") == 0)
      ByHandle(one);
    else if (strcmp(act, "hostname") == 0)
      Say(act, sethostname(one, strlen(one)) != 0);
    else if (strcmp(act, "key") == 0)
      Say(act, syscall(SYS_add_key, "user", one, "x", 1UL, -4 /* of the user */) < 0);
    else if (strcmp(act, "keyctl") == 0)
      Say(act, syscall(SYS_keyctl, 0, -4, 0, 0, 0) < 0), words = 0;
    else if (strcmp(act, "type") == 0)
      Say(act, ioctl(0, TIOCSTI, one) != 0);
    else if (strcmp(act, "console") == 0)
      Say(act, ioctl(0, TIOCLINUX, one) != 0);
    else if (strcmp(act, "connect") == 0)
      Abstract(one, 0);
    else if (strcmp(act, "listen") == 0)
      Abstract(one, 1);
    else if (strcmp(act, "fill") == 0)
      Fill(one, atol(two)), words = 2;
    else if (strcmp(act, "space") == 0)
      Space(one);
    else if (strcmp(act, "children") == 0)
      Children(atol(one), two), words = 2;
    else if (strcmp(act, "threads") == 0)
      Threads(atol(one));
    else if (strcmp(act, "data") == 0)
      Data(atol(one));
    else if (strcmp(act, "exec") == 0)
      HugeExec(), words = 0;
    else if (strcmp(act, "descriptors") == 0)
      Descriptors(), words = 0;
    else if (strcmp(act, "wait") == 0)
      while (access(one, F_OK) != 0) usleep(2000);
    else if (strcmp(act, "exit") == 0)
      return atoi(one);
    else
      return 98;
    i += words;
  }
  return 0;
}
