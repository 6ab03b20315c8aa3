#include "harness/stage/base_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "harness/base/files.h"
#include "harness/base/process.h"

namespace gpustage {
namespace {

constexpr char kLoader[] = "/lib64/ld-linux-x86-64.so.2";

// "#!/bin/sh -e" -> "/bin/sh"; "" for anything else.
std::string InterpreterOf(const std::string& start) {
  if (!start.starts_with("#!")) return "";
  std::istringstream words(start.substr(2, start.find('\n') - 2));
  std::string interpreter;
  words >> interpreter;
  if (BaseNameOf(interpreter) == "env") {
    words >> interpreter;
    interpreter = FindProgramOnHost(interpreter);
  }
  return interpreter;
}

// "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)" -> the path; "" for a line that names
// none.
std::string PathInListLine(const std::string& line) {
  const size_t arrow = line.find("=> ");
  const size_t begin = arrow != std::string::npos ? arrow + 3 : line.find('/');
  if (begin == std::string::npos || line[begin] != '/') return "";
  return line.substr(begin, line.find(" (", begin) - begin);
}

void AddUnique(std::vector<HostFile>& files, HostFile file) {
  if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
}

}  // namespace

Result<std::vector<HostFile>> ClosureOf(const std::string& program) {
  TRY(const std::string start, ReadFileStart(program, 256));
  if (const std::string interpreter = InterpreterOf(start); !interpreter.empty()) {
    TRY(std::vector<HostFile> files, ClosureOf(interpreter));
    AddUnique(files, {interpreter, interpreter});
    return files;
  }
  TRY(const ProgramOutput listed, RunProgram({kLoader, "--list", program}));
  std::vector<HostFile> files;
  std::istringstream lines(listed.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("not found") != std::string::npos)
      return Error{fmt::format("{} cannot start on this machine: {}", program,
                               line.substr(line.find_first_not_of('\t')))};
    const std::string path = PathInListLine(line);
    // A static program lists nothing, and ld.so says so with an exit status of 1.
    if (!path.empty() && listed.exit_code == 0) AddUnique(files, {path, path});
  }
  return files;
}

Result<std::vector<HostFile>> HostLibrary(const std::string& name) {
  std::string path = name;
  if (!name.starts_with('/')) {
    TRY(const ProgramOutput listed, RunProgram({"/sbin/ldconfig", "-p"}));
    path.clear();
    std::istringstream lines(listed.out);
    for (std::string line; path.empty() && std::getline(lines, line);)
      if (line.starts_with("\t" + name + " (") && line.find("x86-64") != std::string::npos)
        path = line.substr(line.find("=> ") + 3);
    if (path.empty()) return Error{fmt::format("this machine has no library {}", name)};
  }
  TRY(std::vector<HostFile> files, ClosureOf(path));
  AddUnique(files, {path, path});
  return files;
}

}  // namespace gpustage
