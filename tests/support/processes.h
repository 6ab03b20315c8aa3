// What runs on this machine, and waiting for it to change.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace gpustage {

inline std::string WholeFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The processes of this machine, those in boxes included, that have `word` in their command line.
inline std::vector<pid_t> ProcessesWith(const std::string& word) {
  std::vector<pid_t> found;
  DIR* proc = opendir("/proc");
  while (const dirent* entry = readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0 || pid == getpid()) continue;
    const std::string words = WholeFile("/proc/" + std::string(entry->d_name) + "/cmdline");
    if (words.find(word) != std::string::npos) found.push_back(pid);
  }
  closedir(proc);
  return found;
}

// Whether it comes true within ten seconds. Looks again and again: what another process does cannot
// be waited for otherwise.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    usleep(2000);
  }
  return true;
}

// A word that no other test and no other start of this one uses.
inline std::string UniqueWord() {
  static int count = 0;
  return "mark-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

}  // namespace gpustage
