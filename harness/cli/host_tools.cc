#include "harness/cli/host_tools.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/suite/case_selection.h"

namespace gpustage {
namespace {

constexpr const char* kShells[] = {"bash", "dash", "sh"};
constexpr const char* kTools[] = {
    "awk",     "basename", "cat",      "chmod",   "cmp",      "cp",       "cut",  "date",
    "dd",      "df",       "diff",     "dirname", "du",       "env",      "expr", "false",
    "file",    "find",     "gdb",      "grep",    "head",     "hostname", "id",   "kill",
    "ldd",     "less",     "ln",       "ls",      "md5sum",   "mkdir",    "more", "mv",
    "namei",   "nm",       "objdump",  "od",      "printenv", "ps",       "pwd",  "python3",
    "readelf", "readlink", "realpath", "rm",      "rmdir",    "sed",      "seq",  "sha256sum",
    "sleep",   "sort",     "stat",     "strace",  "strings",  "stty",     "tail", "tee",
    "test",    "touch",    "tr",       "true",    "tty",      "uname",    "uniq", "vi",
    "wc",      "which",    "whoami",   "xargs"};
constexpr const char* kDirectories[] = {
    "/usr/share/gdb",      "/usr/share/terminfo", "/usr/lib/terminfo",  "/usr/lib/python3",
    "/usr/lib/python3.11", "/usr/lib/python3.12", "/usr/lib/python3.13"};

// What the case itself puts there.
bool PlacedByCase(const Case& c, const std::string& path) {
  for (const RunSpec& run : c.runs)
    if (run.scanner.at == path && !run.scanner.program.empty()) return true;
  for (const TreeOp& op : c.tree) {
    const auto* file = std::get_if<WriteFileOp>(&op.what);
    if (file != nullptr && file->path == path) return true;
  }
  return false;
}

// Of the system and not of somebody's PATH: what PATH has may be a wrapper that needs its
// neighbours.
std::string SystemProgram(const std::string& name) {
  for (const char* directory : {"/usr/bin/", "/usr/sbin/"})
    if (const std::string path = directory + name; access(path.c_str(), X_OK) == 0) return path;
  return "";
}

Status AddTool(const std::string& path, Tools& tools) {
  TRY(const std::vector<HostFile> closure, ClosureOf(path));
  tools.files.insert(tools.files.end(), closure.begin(), closure.end());
  tools.files.push_back({path, path});
  return Ok();
}

}  // namespace

Result<Case> SingleCase(const std::string& scenario) {
  TRY(const std::vector<Case> cases, SelectCases({{scenario}, {}, ""}));
  if (cases.size() == 1) return cases.front();
  std::string ids;
  for (const Case& c : cases) ids += "\n  " + c.id;
  return Error{fmt::format("{} has {} cases; name one:{}", scenario, cases.size(), ids)};
}

Status BringProgram(const Case& c, std::vector<std::string>& argv, std::vector<HostFile>& base) {
  if (PlacedByCase(c, argv[0])) return Ok();
  const std::string program = FindProgramOnHost(argv[0]);
  if (program.empty())
    return Error{fmt::format("no program {} in the tree or on this machine", Quote(argv[0]))};
  TRY(const std::vector<HostFile> closure, ClosureOf(program));
  base.insert(base.end(), closure.begin(), closure.end());
  argv[0] = program.starts_with('/') ? program : "/usr/local/bin/" + BaseNameOf(program);
  base.push_back({program, argv[0]});
  return Ok();
}

Result<Tools> ToolsOfHost() {
  Tools tools;
  for (const char* name : kShells) {
    const std::string path = SystemProgram(name);
    if (path.empty()) continue;
    TRY(AddTool(path, tools));
    if (tools.shell.empty()) tools.shell = path;
  }
  for (const char* name : kTools)
    if (const std::string path = SystemProgram(name); !path.empty())
      (void)AddTool(path, tools).ok();  // one that is broken here is one fewer inside
  // gdb opens it when it looks at a program with threads.
  if (Result<std::vector<HostFile>> threads = HostLibrary("libthread_db.so.1"); threads)
    tools.files.insert(tools.files.end(), threads->begin(), threads->end());
  for (const char* directory : kDirectories)
    if (IsDirectory(directory)) tools.directories.push_back(directory);
  return tools;
}

int ExitStatusOf(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
    case Outcome::Kind::kStopped: return outcome.code;
    case Outcome::Kind::kKilled:
    case Outcome::Kind::kTimedOut: return 128 + outcome.code;
    case Outcome::Kind::kNotStarted: break;
  }
  fmt::print(stderr, "gpustage: {}\n", ToString(outcome));
  return kCannotHere;
}

}  // namespace gpustage
