// What `harness/dev bench costs` times from inside: opens of a file, loads of small libraries,
// first calls of functions that ld.so binds lazily. It prints nanoseconds of one of each.
//   costs DIRECTORY OPENS LOADS     with the file "file", lib0.so … and caller.so in it
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

int main(int argc, char** argv) {
  char path[4096];
  if (argc != 4) return 2;
  const int opens = atoi(argv[2]), loads = atoi(argv[3]);

  snprintf(path, sizeof path, "%s/file", argv[1]);
  double start = now();
  for (int i = 0; i < opens; ++i) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 1;
    close(fd);
  }
  const double open_ns = (now() - start) / opens;

  start = now();
  for (int i = 0; i < loads; ++i) {
    snprintf(path, sizeof path, "%s/lib%d.so", argv[1], i);
    if (dlopen(path, RTLD_LAZY) == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  }
  const double load_ns = (now() - start) / loads;

  snprintf(path, sizeof path, "%s/caller.so", argv[1]);
  void* const caller = dlopen(path, RTLD_LAZY);
  if (caller == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  int (*call_all)(void) = (int (*)(void))dlsym(caller, "call_all");
  start = now();
  const int calls = call_all();
  const double bind_ns = (now() - start) / calls;
  start = now();
  call_all();
  const double again_ns = (now() - start) / calls;

  printf("costs: open %.0f load %.0f bind %.0f call %.0f\n", open_ns, load_ns, bind_ns, again_ns);
  return 0;
}
