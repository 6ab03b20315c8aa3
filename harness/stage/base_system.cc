#include "harness/stage/base_system.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/stage/host_loader.h"

namespace gpustage {
namespace {

constexpr int kMostScripts = 5;  // of which each interprets the other, as in the kernel

// "#!/bin/sh -e" -> "/bin/sh"; "" for anything else.
std::string InterpreterOf(const std::string& start) {
  if (!start.starts_with("#!")) return "";
  std::istringstream words(start.substr(2, start.find('\n') - 2));
  std::string interpreter;
  words >> interpreter;
  if (BaseNameOf(interpreter) == "env") {
    words >> interpreter;
    // Of the system's own, whatever PATH says here: inside there is no other.
    for (const char* directory : {"/usr/local/bin/", "/usr/bin/", "/bin/"})
      if (access((directory + interpreter).c_str(), X_OK) == 0) return directory + interpreter;
    return "";
  }
  return interpreter;
}

void AddUnique(std::vector<HostFile>& files, HostFile file) {
  if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
}

// A script may name any file of this machine behind "#!", and is a stranger's: what is no program
// of the system's is not shown to it.
bool IsOfSystem(const std::string& path) {
  constexpr const char* kDirectories[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/"};
  return LexicallyNormal(path) == path && access(path.c_str(), X_OK) == 0 &&
         std::any_of(std::begin(kDirectories), std::end(kDirectories),
                     [&](const char* directory) { return path.starts_with(directory); });
}

Status AddClosure(const std::string& program, int scripts, std::vector<HostFile>& files) {
  TRY(const std::string start, ReadRegularFile(program, 256));
  const std::string interpreter = InterpreterOf(start);
  if (interpreter.empty()) {
    TRY(const std::vector<std::string> libraries, LoadedFor(program));
    for (const std::string& library : libraries) AddUnique(files, {library, library});
    return Ok();
  }
  // The kernel, too, gives up then.
  if (scripts == kMostScripts || !FileExists(interpreter)) return Ok();
  if (!IsOfSystem(interpreter) && ParentOf(interpreter) != ParentOf(program))
    return Error{fmt::format("{} is to be interpreted by {}, which is no program of the system",
                             program, interpreter)};
  AddUnique(files, {interpreter, interpreter});
  return AddClosure(interpreter, scripts + 1, files);
}

}  // namespace

Result<std::vector<HostFile>> ClosureOf(const std::string& program) {
  std::vector<HostFile> files;
  TRY(AddClosure(program, 0, files));
  return files;
}

Result<std::vector<HostFile>> HostLibrary(const std::string& name) {
  const std::string path = name.starts_with('/') ? name : InLoaderCache(name);
  if (path.empty()) return Error{fmt::format("this machine has no library {}", name)};
  TRY(std::vector<HostFile> files, ClosureOf(path));
  AddUnique(files, {path, path});
  return files;
}

}  // namespace gpustage
