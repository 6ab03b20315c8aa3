// One function a verb, and what they share. Each returns the exit status: 0 as expected, 1 some verdict is bad, 2 bad input
// or nothing matched, 3 this machine cannot do it, 77 nothing ran and --require asked for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/scenario.h"

namespace gpustage {

inline constexpr int kAsExpected = 0, kSomeBad = 1, kBadInput = 2, kCannotHere = 3, kNothingRan = 77;

// Which cases: the arguments that run, list and show have in common.
struct Selection {
  std::vector<std::string> paths;          // scenario files, folders, or "folder/file@axis=value"; empty: all
  std::vector<std::string> scanners;       // names, or files of the user's own definitions
  std::string filter;                      // text in "id run"
};

struct RunOptions {
  Selection selection;
  std::vector<std::string> require;  // scanners or parts that must not be missing
  int jobs = 0;                      // 0: as many as are of use
  std::vector<std::string> reports;  // "json=FILE"
  bool keep = false;
};

int CmdRun(const RunOptions& options);
int CmdList(const Selection& selection);
int CmdShow(const std::string& id);
int CmdExec(const std::string& scenario, const std::vector<std::string>& argv, const std::optional<std::string>& user);
int CmdDoctor();

// The cases that the selection names, with only the runs that it wants. An error when nothing matches.
Result<std::vector<Case>> SelectCases(const Selection& selection);

// To stderr, with the line and a caret where it is about a file.
int PrintError(const Error& error, int exit_status);

}  // namespace gpustage
