// One function a verb, and what they share. Each returns the exit status: 0 as expected, 1 some
// verdict is bad, 2 bad input or nothing matched, 3 this machine cannot do it, 77 nothing ran and
// --require asked for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/report/trace.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/selection.h"

namespace gpustage {

inline constexpr int kAsExpected = 0, kSomeBad = 1, kBadInput = 2, kCannotHere = 3,
                     kNothingRan = 77;

struct ListOptions {
  CaseFilter selection;
  ShardOptions shard;
  std::string format = "text";  // or "json", "names", "github-matrix"
};

struct RunOptions {
  CaseFilter selection;
  ShardOptions shard;
  std::vector<std::string> require;  // scanners or parts that must not be missing
  int jobs = 0;                      // 0: as many as are of use
  std::vector<std::string> reports;  // "json=FILE"
  bool keep = false;
  EvidenceLevel evidence = EvidenceLevel::kAll;
  std::string evidence_dir;  // "": the evidence is not kept
  std::string color = "auto";
  std::string baseline;                 // an earlier JSON report; "": none
  std::vector<std::string> xfail_from;  // files of known failures
  std::vector<std::string> fail_on;     // "silent-failure"
  int deadline = 0;                     // seconds; 0: none
  int repeat = 1;                       // starts of each run
};

struct MergeOptions {
  std::vector<std::string> files;    // JSON reports
  std::vector<std::string> reports;  // "junit=FILE"
  std::string color = "auto";
  std::string baseline;
};

struct TraceCommand {
  CaseFilter selection;  // one path: a scenario, a case, or a folder of kept evidence
  TraceOptions options;
  bool json = false;
};

struct ExecOptions {
  std::string scenario;
  std::vector<std::string> argv;  // a program of the tree or of this machine, and its arguments
  std::optional<std::string> user;
  std::vector<std::string> host_directories;  // shown inside, read-only
};

using ShellOptions = ExecOptions;  // no argv: a shell

struct RecordOptions {
  CaseFilter selection;
  std::string folder;
  int jobs = 0;
};

struct CompareOptions {
  CaseFilter selection;
  std::string a, b;   // "ollama@0.17.4": run now if it is here, otherwise from its recordings;
                      // "live:…", "recorded:…"
  std::string known;  // file of differences that are known, with their reasons
  int jobs = 0;
};

struct WhyCommand {
  std::string scenario;  // or a case
  std::string run;       // "": the first that can be started here
  int budget = 200;      // starts
  int jobs = 0;
  int answers = 5;  // that are printed
  bool json = false;
  std::string change;              // {tree: …, env: …, user: …}: an announced cause
  std::vector<std::string> words;  // not "OLLAMA_NUM_GPU=999 must be set": the same in words
};

struct DiffCommand {
  std::string a, b;  // scenarios, cases, or files of kept evidence
  std::string run;   // of both; "": the first that can be started here
};

struct ExplainLogOptions {
  std::string file;   // Ollama's log; "-" is standard input
  bool page = false;  // the page of all causes instead
};

int CmdExplainLog(const ExplainLogOptions& options);
int CmdRecord(const RecordOptions& options);
int CmdCompare(const CompareOptions& options);
int CmdRun(const RunOptions& options);
int CmdMerge(const MergeOptions& options);
int CmdList(const ListOptions& options);
int CmdShow(const std::string& id);
int CmdExec(const ExecOptions& options);
int CmdTrace(const TraceCommand& command);
int CmdShell(const ShellOptions& options);
int CmdWhy(const WhyCommand& command);
int CmdDiff(const DiffCommand& command);
int CmdDoctor();

// To stderr, with the line and a caret where it is about a file.
int PrintError(const Error& error, int exit_status);

}  // namespace gpustage
