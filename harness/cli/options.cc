#include "harness/cli/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/scenario/catalog/allowed.h"

namespace gpustage {

void AddAllowFile(CLI::App& app) {
  AddOption(app, "--allow-file", AllowFiles,
            "files of this machine below this folder may be named by any scenario or scanner")
      .Kind("FOLDER")
      .OneEach();
}

void AddFilters(CLI::App& app, CaseFilter& selection) {
  AddOption(app, "--scanner", selection.scanners,
            "only runs of this scanner: a name, or a file of your own")
      .Kind("SCANNER")
      .OneEach();
  AddOption(app, "--fixtures", selection.fixtures,
            "a folder of your own layouts/, devices/ and scanners/; also in gpustage.yaml")
      .Kind("FOLDER")
      .OneEach();
  AddOption(app, "--ollama", selection.ollama,
            "an Ollama to run: its program, or the folder of its bin and lib")
      .Kind("PATH")
      .OneEach();
  AddAllowFile(app);
  AddOption(app, "--filter", selection.filter, "only runs whose id and name contain this text");
}

void AddScenarioFilters(CLI::App& app, CaseFilter& selection) {
  AddOption(app, "--tag", selection.tags, "only scenarios with this tag; several: with all of them")
      .Kind("TAG")
      .OneEach();
  AddOption(app, "--claim", selection.claim, "only scenarios whose claim contains this text");
  AddOption(app, "--cause", selection.cause,
            "only scenarios that expect a loss with this in its cause or because");
}

std::string ScannerWords(const CaseFilter& selection) {
  std::string words;
  for (const std::string& scanner : selection.scanners) words += " --scanner " + ShellWord(scanner);
  for (const std::string& folder : selection.fixtures) words += " --fixtures " + ShellWord(folder);
  for (const std::string& ollama : selection.ollama) words += " --ollama " + ShellWord(ollama);
  return words;
}

void AddSelection(CLI::App& app, CaseFilter& selection) {
  AddOption(app, "path", selection.paths,
            "scenario files, folders, or names; all when there is none")
      .Kind("SCENARIO");
  AddFilters(app, selection);
}

void AddShards(CLI::App& app, ShardOptions& shard) {
  AddOption(app, "--shard", shard.shard,
            "only a part of the cases: I/N by their ids, or auto, as the environment says")
      .Kind("I/N|auto");
  AddOption(app, "--shards", shard.shards, "of how many, where the environment does not say it")
      .Kind("N")
      .Between(1, 100000);
  AddOption(app, "--balance", shard.balance,
            "an earlier JSON report: parts that take about as long")
      .Kind("FILE");
}

void AddReports(CLI::App& app, std::vector<std::string>& reports, std::string& baseline,
                std::string& color) {
  AddOption(app, "--report", reports,
            "html, json, junit, github, markdown or text, as KIND=FILE; - is standard output")
      .Kind("KIND=FILE")
      .OneEach();
  AddOption(app, "--baseline", baseline,
            "an earlier JSON report: say what changed, and fail only when something got worse")
      .Kind("FILE");
  AddOption(app, "--color", color, "auto: on a terminal, unless NO_COLOR is set; always, or never")
      .OneOf({"auto", "always", "never"});
}

void AddJobs(CLI::App& app, int& jobs) {
  AddOption(app, "--jobs,-j", jobs,
            "cases at a time, 1 to 256; as many as this machine has processors")
      .Kind("N")
      .Between(1, 256);
}

void AddInside(CLI::App& app, InsideOptions& options) {
  AddAllowFile(app);
  AddOption(app, "scenario", options.scenario, "scenario or case").Kind("SCENARIO").Required();
  AddOption(app, "--user", options.user, "as this user, not the scenario's").Kind("USER");
  AddOption(app, "--host-dir", options.host_directories,
            "show this directory of the machine inside, read-only")
      .Kind("FOLDER")
      .OneEach();
}

}  // namespace gpustage
