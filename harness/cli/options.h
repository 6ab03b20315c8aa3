// Options that several verbs have, and the kinds of values that options take. The name of a kind
// (SCENARIO, SCANNER, FILE…) is what help shows and what a completion goes by.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/suite/selection.h"

namespace CLI {
class App;
}

namespace gpustage {

// --allow-file: what a scenario or a scanner may name of this machine.
void AddAllowFile(CLI::App& app);
// Paths, --scanner, --ollama and --filter.
void AddSelection(CLI::App& app, CaseFilter& selection);
// The same without the paths.
void AddFilters(CLI::App& app, CaseFilter& selection);
// --tag, --claim and --cause: what the file of a scenario says.
void AddScenarioFilters(CLI::App& app, CaseFilter& selection);
// " --scanner ggml --ollama PATH": what is to be said again, or "".
std::string ScannerWords(const CaseFilter& selection);
// --shard, --shards and --balance.
void AddShards(CLI::App& app, ShardOptions& shard);
// --report, --baseline and --color.
void AddReports(CLI::App& app, std::vector<std::string>& reports, std::string& baseline,
                std::string& color);
// --jobs
void AddJobs(CLI::App& app, int& jobs);

// Of exec and shell.
struct InsideOptions {
  std::string scenario;
  std::optional<std::string> user;
  std::vector<std::string> host_directories;  // shown inside, read-only
};
void AddInside(CLI::App& app, InsideOptions& options);

}  // namespace gpustage
