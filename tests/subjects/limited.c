// limited N PROGRAM…: the program with at most N descriptors.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const rlim_t most = strtoul(argv[1], NULL, 10);
  const struct rlimit limit = {most, most};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 3;
  execv(argv[2], argv + 2);
  perror(argv[2]);
  return 4;
}
