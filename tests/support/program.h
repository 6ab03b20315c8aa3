// A program of ours as a user starts it: what it printed on which stream, and how it ended.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/files.h"
#include "tests/support/processes.h"

namespace gpustage {

struct Ran {
  int status = -1;  // 128 + signal when it was killed
  std::string out;
  std::string err;
};

// In the child. What a CI server, a scheduler or GoogleTest's caller says of this test is not for
// the program that it starts.
inline void ForgetSurroundings() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name =
        std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    for (const char* of :
         {"GTEST_", "TEST_", "CI_", "SLURM_", "GITHUB_", "JOB_COMPLETION_INDEX", "GPUSTAGE_OLLAMA"})
      if (name.starts_with(of)) names.emplace_back(name);
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

// Starts it with stdout and stderr into files of `directory`.
inline pid_t Start(const std::vector<std::string>& argv,
                   const std::map<std::string, std::string>& environment,
                   const std::string& directory) {
  const pid_t child = fork();
  if (child != 0) return child;
  ForgetSurroundings();
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  for (const auto& [fd, name] : {std::pair{1, "/out"}, std::pair{2, "/err"}})
    dup2(open((directory + name).c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600), fd);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(127);
}

inline Ran Finish(pid_t child, const std::string& directory) {
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          WholeFile(directory + "/out"), WholeFile(directory + "/err")};
}

}  // namespace gpustage
