// Which cases a command is about, and which part of them.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gpustage {

// The arguments that run, list and show have in common.
struct CaseFilter {
  // Scenario files, folders, or "folder/file@axis=value"; empty: all.
  std::vector<std::string> paths;
  std::vector<std::string> scanners;               // names, or files of the user's own definitions
  std::string filter;                              // text in "id run"
  std::optional<std::set<std::string>> only = {};  // "ID [RUN]" each; none: all
  // Scanners that run only when they are asked for, and are.
  std::vector<std::string> requested = {};
  std::vector<std::string> fixtures = {};  // folders of own layouts, devices and scanners
  // What the file of a scenario must say: every one of the tags, these texts in its claim and in
  // one of its causes.
  std::vector<std::string> tags = {};
  std::string claim = {}, cause = {};
  std::vector<std::string> ollama = {};  // Ollama programs, or folders that they were installed in
};

// --shard, --shards and --balance.
struct ShardOptions {
  std::string shard;    // "2/4" or "auto"; "": all cases
  int shards = 0;       // of how many, where the environment says only which
  std::string balance;  // an earlier JSON report
};

}  // namespace gpustage
