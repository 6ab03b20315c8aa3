/* The same of a program that no loader starts: nobody sees it but the kernel. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/subjects/scan.h"

int main(int argc, char** argv) {
  struct stat found;
  int held = 0;
  char target[256];
  DIR* const directory = opendir(SCAN_DIRECTORY);
  if (directory == NULL) return 1;
  while (readdir(directory) != NULL) ++held;
  closedir(directory);
  if (held < 3 || opendir(SCAN_MISSING_DIRECTORY) != NULL) return 2;
  if (stat(SCAN_FILE, &found) != 0 || lstat(SCAN_LINK, &found) != 0 ||
      readlink(SCAN_LINK, target, sizeof target) < 0)
    return 3;
  if (stat(SCAN_MISSING_FILE, &found) == 0 || access(SCAN_NODE, R_OK) == 0) return 4;
  const int file = open(SCAN_FILE, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 5;
  close(file);
  if (argc < 2) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
      execl(argv[0], argv[0], "child", (char*)NULL);
      _exit(127);
    }
    waitpid(child, &status, 0);
    if (status != 0) return 6;
  }
  printf("done\n");
  return 0;
}
