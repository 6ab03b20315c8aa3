#include "harness/stage/host_files.h"

#include "harness/base/files.h"

namespace gpustage {

std::string ProgramAt(const Case& c, const std::string& path) {
  for (const RunSpec& run : c.runs)
    if (run.scanner.at == path && !run.scanner.program.empty()) return run.scanner.program;
  return "";
}

Result<std::vector<HostFile>> HostFiles::Closure(const std::string& program) {
  const std::lock_guard lock(mutex_);
  if (const auto found = closures_.find(program); found != closures_.end()) return found->second;
  TRY(std::vector<HostFile> files, ClosureOf(program));
  return closures_[program] = files;
}

Result<std::vector<HostFile>> HostFiles::Library(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = libraries_.find(name); found != libraries_.end()) return found->second;
  TRY(std::vector<HostFile> files, HostLibrary(name));
  return libraries_[name] = files;
}

Result<std::vector<HostFile>> HostFiles::For(const Case& c, const std::string& helper) {
  std::vector<HostFile> base;
  TRY(const std::vector<HostFile> asking, Closure(helper));
  base.insert(base.end(), asking.begin(), asking.end());
  for (const RunSpec& run : c.runs) {
    const ScannerSpec& scanner = run.scanner;
    if (scanner.program.empty()) continue;  // this run will be skipped
    if (scanner.at.empty() || ProgramAt(c, scanner.at) == scanner.program)
      base.push_back({scanner.program, scanner.at.empty() ? scanner.program : scanner.at});
    TRY(const std::vector<HostFile> closure, Closure(scanner.program));
    base.insert(base.end(), closure.begin(), closure.end());
    for (const BroughtFile& program : scanner.brings) {
      base.push_back({program.host_path, program.path});
      TRY(const std::vector<HostFile> its_closure, Closure(program.host_path));
      base.insert(base.end(), its_closure.begin(), its_closure.end());
    }
    for (const std::string& name : scanner.needs) {
      TRY(const std::vector<HostFile> library, Library(name));
      base.insert(base.end(), library.begin(), library.end());
    }
  }
  return base;
}

Result<std::vector<std::string>> HostFiles::Unasked(const Case& c) {
  std::vector<std::string> paths;
  for (const RunSpec& run : c.runs) {
    std::vector<std::string> programs = {run.scanner.program};
    for (const BroughtFile& program : run.scanner.brings) programs.push_back(program.host_path);
    for (const std::string& program : programs) {
      if (program.empty()) continue;
      TRY(const std::vector<HostFile> closure, Closure(program));
      for (const HostFile& file : closure)
        if (!file.host_path.starts_with(ParentOf(program) + "/"))
          paths.push_back(file.path);  // what lies beside it is its own
    }
  }
  return paths;
}

}  // namespace gpustage
