// What every harness of `harness/dev bench peers` starts: a few files, a link and three variables
// are read, two lines said. It is also the bare exec that they are held to.
//   subject                    the case in whose tree it stands, by its variables
//   subject --starts N JOBS    starts itself N times, JOBS at a time, with nothing around it
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char** environ;

static int starts(const char* self, int count, int jobs) {
  char* argv[] = {(char*)self, NULL};
  int running = 0, status = 0;
  pid_t pid;
  for (int i = 0; i < count; ++i) {
    if (running == jobs && wait(&status) > 0 && --running >= 0 && status != 0) return 1;
    if (posix_spawn(&pid, self, NULL, NULL, argv, environ) != 0) return 1;
    ++running;
  }
  while (running-- > 0)
    if (wait(&status) < 0 || status != 0) return 1;
  return 0;
}

static int read_number(const char* folder, const char* name) {
  char path[4096];
  int number = -1;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE* file = fopen(path, "r");
  if (file == NULL || fscanf(file, "number %d", &number) != 1) number = -1;
  if (file != NULL) fclose(file);
  return number;
}

int main(int argc, char** argv) {
  if (argc == 4 && strcmp(argv[1], "--starts") == 0)
    return starts(argv[0], atoi(argv[2]), atoi(argv[3]));
  const char *folder = getenv("SUBJECT_TREE"), *mode = getenv("SUBJECT_MODE");
  const char* number = getenv("SUBJECT_NUMBER");
  if (folder == NULL || mode == NULL || number == NULL) return 2;
  int sum = 0;
  for (int i = 0; i < 6; ++i) {
    char name[64];
    snprintf(name, sizeof name, "lib/file-%d", i);
    sum += read_number(folder, name);
    snprintf(name, sizeof name, "links/file-%d", i);
    sum += read_number(folder, name);
  }
  printf("subject: number %s in mode %s\n", number, mode);
  printf("subject: sum %d\n", sum);
  return 0;
}
