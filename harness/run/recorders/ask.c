/* Asks the system itself what it says of each path: run once after a scanner, in the same tree, as the same user, with the
 * environment of the process that tried. One line a path, in their order, for a name may hold any byte:
 * list-errno TAB open-errno TAB signal TAB dlopen-text. "" is a dlopen that worked. Each dlopen happens in a child of its
 * own, for a library may kill whoever loads it. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

/* Writes what dlerror says to the pipe; what a constructor prints is not wanted here. */
static void LoadInChild(const char* path, int out) {
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, 1);
  dup2(null, 2);
  if (dlopen(path, RTLD_NOW | RTLD_LOCAL) == NULL) {
    const char* why = dlerror();
    if (why == NULL) why = "dlopen gave nothing and dlerror says nothing: another dlopen stands before that of libc";
    if (write(out, why, strlen(why)) < 0) _exit(1);
  }
  _exit(0);
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char why[8192];
    size_t length = 0;
    int ends[2], status = 0;
    if (pipe(ends) != 0) return 1;
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      LoadInChild(argv[i], ends[1]);
    }
    close(ends[1]);
    ssize_t n;
    while (length < sizeof why - 1 && (n = read(ends[0], why + length, sizeof why - 1 - length)) > 0) length += (size_t)n;
    close(ends[0]);
    why[length] = '\0';
    waitpid(child, &status, 0);
    for (char* c = why; *c != '\0'; ++c)
      if (*c == '\n' || *c == '\t') *c = ' ';
    printf("%d\t%d\t%d\t%s\n", ListError(argv[i]), OpenError(argv[i]),
           WIFSIGNALED(status) ? WTERMSIG(status) : 0, why);
  }
  return 0;
}
