// The table of verbs. A new one is a file cmd_NAME.cc, its line below, its row in verbs.cc and its
// name in CMakeLists.txt: help, the manual page and the completions are made from the table.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace gpustage {

// The words after "--": another program's command line and none of ours.
using Program = std::vector<std::string>;
// Runs a verb with the options that were read; gives the exit status.
using Action = std::function<int(const Program&)>;

struct Verb {
  std::string_view name;
  std::string_view summary;
  Action (*declare)(CLI::App&);  // adds its options
  bool takes_program = false;    // "-- PROGRAM ARGS" may follow
  bool hidden = false;           // of no use to people
};

const std::vector<Verb>& Verbs();
std::vector<std::string> NamesOfVerbs();      // of those that are not hidden
const Verb* FindVerb(std::string_view name);  // nullptr: there is none

Action DeclareCheck(CLI::App& app);
Action DeclareLint(CLI::App& app);
Action DeclareComplete(CLI::App& app);
Action DeclareCompare(CLI::App& app);
Action DeclareDiff(CLI::App& app);
Action DeclareDoctor(CLI::App& app);
Action DeclareExec(CLI::App& app);
Action DeclareExplain(CLI::App& app);
Action DeclareFind(CLI::App& app);
Action DeclareFmt(CLI::App& app);
Action DeclareHelp(CLI::App& app);
Action DeclareImport(CLI::App& app);
Action DeclareList(CLI::App& app);
Action DeclareMerge(CLI::App& app);
Action DeclareNew(CLI::App& app);
Action DeclareRecord(CLI::App& app);
Action DeclareRecordDevice(CLI::App& app);
Action DeclareRun(CLI::App& app);
Action DeclareShell(CLI::App& app);
Action DeclareShow(CLI::App& app);
Action DeclareTrace(CLI::App& app);
Action DeclareVersion(CLI::App& app);
Action DeclareWatch(CLI::App& app);
Action DeclareMinimize(CLI::App& app);
Action DeclareWhy(CLI::App& app);

}  // namespace gpustage
