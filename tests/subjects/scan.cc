// A scanner that does what scanners do, so that its events can be held against what strace and
// LD_DEBUG say of it.
#include "tests/subjects/scan.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

extern char** environ;

namespace {

int g_failures = 0;

void Expect(bool held, const char* what) {
  if (held) return;
  std::cerr << "unexpected: " << what << '\n';
  ++g_failures;
}

void Files() {
  int entries = 0;
  DIR* const directory = opendir(SCAN_DIRECTORY);
  Expect(directory != nullptr, SCAN_DIRECTORY);
  for (; directory != nullptr && readdir(directory) != nullptr;) ++entries;
  if (directory != nullptr) closedir(directory);
  Expect(entries > 2, "entries");
  Expect(opendir(SCAN_MISSING_DIRECTORY) == nullptr, SCAN_MISSING_DIRECTORY);
  struct stat found;
  Expect(stat(SCAN_FILE, &found) == 0, SCAN_FILE);
  Expect(stat(SCAN_LINK, &found) == 0, SCAN_LINK);
  Expect(lstat(SCAN_LINK, &found) == 0, SCAN_LINK);
  Expect(stat(SCAN_MISSING_FILE, &found) != 0, SCAN_MISSING_FILE);
  Expect(access(SCAN_NODE, R_OK) != 0, SCAN_NODE);
  char target[256];
  Expect(readlink(SCAN_LINK, target, sizeof target) > 0, SCAN_LINK);
  std::string word;
  std::ifstream(SCAN_FILE) >> word;
  Expect(word == "present", "content");
}

void Libraries() {
  void* const outer = dlopen(SCAN_LIBRARY, RTLD_NOW);
  Expect(outer != nullptr, SCAN_LIBRARY);
  void* const named = dlopen(SCAN_BY_NAME, RTLD_LAZY);
  Expect(named != nullptr, SCAN_BY_NAME);
  Expect(dlopen(SCAN_BY_CACHE, RTLD_NOW) != nullptr, SCAN_BY_CACHE);
  Expect(dlopen(SCAN_MISSING_LIBRARY, RTLD_NOW) == nullptr, SCAN_MISSING_LIBRARY);
  Expect(dlsym(outer, SCAN_SYMBOL) != nullptr, SCAN_SYMBOL);
  Expect(dlsym(outer, SCAN_MISSING_SYMBOL) == nullptr, SCAN_MISSING_SYMBOL);
  Expect(dlsym(RTLD_DEFAULT, SCAN_MISSING_SYMBOL) == nullptr, "a symbol of no library");
  Expect(dlsym(RTLD_NEXT, "getenv") != nullptr, "getenv of what comes next");
  Expect(dlvsym(RTLD_NEXT, "getenv", "GLIBC_9") == nullptr,
         "getenv of a version that is not there");
  if (named != nullptr) dlclose(named);
}

void Child(const char* program) {
  const char* const words[] = {program, "child", nullptr};
  pid_t child;
  int status = -1;
  Expect(posix_spawn(&child, program, nullptr, nullptr, const_cast<char**>(words), environ) == 0,
         "child");
  waitpid(child, &status, 0);
  Expect(status == 0, "child's end");
}

}  // namespace

int main(int argc, char**) {
  Files();
  Libraries();
  if (argc < 2) Child("/proc/self/exe");
  std::cout << "done" << std::endl;
  return g_failures;
}
