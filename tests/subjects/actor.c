/* Does what its arguments say, in their order: `actor out hello err "oh no" exit 7`. What tests run
 * inside a box when it matters how a program behaves and not what it looks for. Linked statically:
 * it needs nothing of the tree. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static const char* Said(int failed) { return failed ? strerrorname_np(errno) : "ok"; }

static void Print(int fd, const char* text, size_t length) {
  while (length > 0) {
    const ssize_t n = write(fd, text, length);
    if (n < 0) _exit(99);
    text += n;
    length -= (size_t)n;
  }
}

static void Flood(long kibibytes) {
  char block[1024];
  memset(block, 'x', sizeof block);
  block[sizeof block - 1] = '\n';
  for (long i = 0; i < kibibytes; ++i) Print(1, block, sizeof block);
}

static void Crash(void) {
  int* volatile nowhere = NULL;
  *(volatile int*)nowhere = 0;
}

static void WaitForEver(void) {
  for (;;) pause();
}

/* A process that no longer belongs to us, to our session or to our group, and keeps our stdout. */
static void Daemon(void) {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() == 0) {
      setsid();
      WaitForEver();
    }
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static void Forks(long wanted) {
  long made = 0;
  for (; made < wanted; ++made) {
    const pid_t child = fork();
    if (child == 0) WaitForEver();
    if (child < 0) break;
  }
  dprintf(1, "forks %s %s\n", made == wanted ? "all" : "some", Said(made < wanted));
}

static void List(const char* path) {
  DIR* directory = opendir(path);
  dprintf(1, "list %s\n", Said(directory == NULL));
  if (directory == NULL) return;
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.') dprintf(1, "entry %s\n", entry->d_name);
  closedir(directory);
}

static void Open(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC, 0644);
  dprintf(1, "open %s\n", Said(fd < 0));
  if (fd >= 0) close(fd);
}

static void Cat(const char* path) {
  char buffer[4096];
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  for (ssize_t n; fd >= 0 && (n = read(fd, buffer, sizeof buffer)) > 0;)
    Print(1, buffer, (size_t)n);
  if (fd >= 0) close(fd);
}

/* A child says it where nobody reads, and ends with 3. */
static void Unheard(const char* text) {
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    Print(2, text, strlen(text));
    _exit(3);
  }
  waitpid(child, NULL, 0);
}

/* So many MiB of lines where nobody reads. */
static void Hush(long mebibytes) {
  static char block[1 << 16];
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, 2);
  memset(block, 'x', sizeof block);
  for (size_t i = 63; i < sizeof block; i += 64) block[i] = '\n';
  for (long i = 0; i < mebibytes * 16; ++i) Print(2, block, sizeof block);
}

/* A child dies of the signal. */
static void Dies(int number) {
  const pid_t child = fork();
  if (child == 0) {
    raise(number); /* it has asked for nothing */
    _exit(0);
  }
  siginfo_t ended;
  for (int i = 0; i < 2; ++i)
    waitid(P_PID, (id_t)child, &ended,
           WEXITED | WNOWAIT); /* it stays, and is there to be seen again */
  waitpid(child, NULL, 0);
}

static void Who(void) {
  char directory[4096];
  dprintf(1, "uid %u gid %u groups %d\n", geteuid(), getegid(), getgroups(0, NULL));
  dprintf(1, "pid %d\n", getpid());
  dprintf(1, "cwd %s\n", getcwd(directory, sizeof directory) == NULL ? "none" : directory);
  for (char** entry = environ; *entry != NULL; ++entry) dprintf(1, "env %s\n", *entry);
}

static void Fds(void) {
  for (int fd = 0; fd < 1024; ++fd)
    if (fcntl(fd, F_GETFD) >= 0) dprintf(1, "fd %d\n", fd);
}

/* Prints it or does not, as chance will have it. */
static void Toss(const char* text) {
  unsigned char byte = 0;
  if (getrandom(&byte, 1, 0) == 1 && byte % 2 == 0) Print(1, text, strlen(text));
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const char* const act = argv[i];
    const char* const what = i + 1 < argc ? argv[i + 1] : "";
    const int at = i++;
    if (strcmp(act, "out") == 0)
      Print(1, what, strlen(what));
    else if (strcmp(act, "err") == 0)
      Print(2, what, strlen(what));
    else if (strcmp(act, "toss") == 0)
      Toss(what);
    else if (strcmp(act, "exit") == 0)
      return atoi(what);
    else if (strcmp(act, "raise") == 0)
      raise(atoi(what));
    else if (strcmp(act, "ignore") == 0)
      signal(atoi(what), SIG_IGN);
    else if (strcmp(act, "flood") == 0)
      Flood(atol(what));
    else if (strcmp(act, "forks") == 0)
      Forks(atol(what));
    else if (strcmp(act, "list") == 0)
      List(what);
    else if (strcmp(act, "open") == 0)
      Open(what, O_RDONLY);
    else if (strcmp(act, "create") == 0)
      Open(what, O_WRONLY | O_CREAT);
    else if (strcmp(act, "cat") == 0)
      Cat(what);
    else if (strcmp(act, "unheard") == 0)
      Unheard(what);
    else if (strcmp(act, "hush") == 0)
      Hush(atol(what));
    else if (strcmp(act, "dies") == 0)
      Dies(atoi(what));
    else if (strcmp(act, "socket") == 0)
      dprintf(1, "socket %s\n", Said(socket(atoi(what), SOCK_STREAM, 0) < 0));
    else if (strcmp(act, "mount") == 0)
      dprintf(1, "mount %s\n", Said(mount("x", what, "tmpfs", 0, NULL) != 0));
    else if (strcmp(act, "setuid") == 0)
      dprintf(1, "setuid %s\n", Said(setuid((uid_t)atoi(what)) != 0));
    else {
      i = at; /* these take no word after them */
      if (strcmp(act, "crash") == 0)
        Crash();
      else if (strcmp(act, "abort") == 0)
        abort();
      else if (strcmp(act, "io_uring") == 0)
        dprintf(1, "io_uring %s\n", Said(syscall(SYS_io_uring_setup, 1, NULL) < 0));
      else if (strcmp(act, "hang") == 0)
        WaitForEver();
      else if (strcmp(act, "daemon") == 0)
        Daemon();
      else if (strcmp(act, "who") == 0)
        Who();
      else if (strcmp(act, "fds") == 0)
        Fds();
      else
        return 98;
    }
  }
  return 0;
}
