// What of this machine the scanners of a case need in its tree: their programs, and what those are
// linked to. Found once for all cases of a start.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/case.h"
#include "harness/stage/base_system.h"

namespace gpustage {

// Thread-safe.
class HostFiles {
 public:
  // Closures included; also that of `helper`, a program of ours which is brought later.
  Result<std::vector<HostFile>> For(const Case& c, const std::string& helper);
  // Paths inside of what is there because a program of the case is linked to it, and no scanner
  // named.
  Result<std::vector<std::string>> Unasked(const Case& c);

 private:
  Result<std::vector<HostFile>> Closure(const std::string& program);
  Result<std::vector<HostFile>> Library(const std::string& name);

  std::mutex mutex_;
  std::map<std::string, std::vector<HostFile>> closures_;   // of programs, without themselves
  std::map<std::string, std::vector<HostFile>> libraries_;  // what is needed by name, itself too
};

// The program that the case's first run with a program at `path` has there: it stands from the
// start. "" when none has.
std::string ProgramAt(const Case& c, const std::string& path);

}  // namespace gpustage
