// What every hostile test has: a directory that plays the host, as it was and as it is.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>

#include "harness/base/files.h"
#include "tests/support/workspace.h"

namespace gpustage {

// tests/hostile/scanner.c, as it was built; GPUSTAGE_HOSTILE names a copy.
inline std::string HostileScanner() {
  const char* chosen = std::getenv("GPUSTAGE_HOSTILE");
  return chosen != nullptr ? chosen : GPUSTAGE_HOSTILE;
}

// A folder with a secret file and a private directory, outside every tree.
class Victim {
 public:
  explicit Victim(std::string path) : path_(std::move(path)) {
    mkdir((path_ + "/private").c_str(), 0700);
    EXPECT_THAT(WriteFile(path_ + "/secret", "of the host"), IsOk());
    EXPECT_THAT(WriteFile(path_ + "/private/file", "of the host"), IsOk());
    for (const char* file : {"/secret", "/private/file"}) chmod((path_ + file).c_str(), 0600);
    before_ = State();
  }

  const std::string& path() const { return path_; }
  std::string secret() const { return path_ + "/secret"; }
  std::string directory() const { return path_ + "/private"; }

  // Everything that could have been changed: names, modes, owners, times, contents.
  std::map<std::string, std::string> State() const {
    std::map<std::string, std::string> state;
    for (const char* name : {"", "/secret", "/private", "/private/file"}) {
      struct stat found = {};
      std::string text = "gone";
      if (lstat((path_ + name).c_str(), &found) == 0)
        text = std::to_string(found.st_mode) + " " + std::to_string(found.st_uid) + " " +
               std::to_string(found.st_nlink) + " " + std::to_string(found.st_size) + " " +
               std::to_string(found.st_ctim.tv_sec) + "." + std::to_string(found.st_ctim.tv_nsec);
      state[name] = text;
    }
    const Result<std::string> content = ReadFile(secret());
    state["content"] = content ? *content : "unreadable";
    return state;
  }
  const std::map<std::string, std::string>& before() const { return before_; }

 private:
  std::string path_;
  std::map<std::string, std::string> before_;
};

}  // namespace gpustage
