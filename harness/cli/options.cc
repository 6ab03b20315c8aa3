#include "harness/cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/scenario/catalog/allowed.h"

namespace gpustage {

void AddAllowFile(CLI::App& app) {
  app.add_option_function<std::vector<std::string>>(
         "--allow-file", AllowFiles,
         "files of this machine below this folder may be named by any scenario or scanner")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
}

void AddFilters(CLI::App& app, CaseFilter& selection) {
  app.add_option("--scanner", selection.scanners,
                 "only runs of this scanner: a name, or a file of your own")
      ->type_name("SCANNER")
      ->allow_extra_args(false);
  app.add_option("--fixtures", selection.fixtures,
                 "a folder of your own layouts/, devices/ and scanners/; also in gpustage.yaml")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
  app.add_option("--ollama", selection.ollama,
                 "an Ollama to run: its program, or the folder of its bin and lib")
      ->type_name("PATH")
      ->allow_extra_args(false);
  AddAllowFile(app);
  app.add_option("--filter", selection.filter, "only runs whose id and name contain this text");
}

void AddScenarioFilters(CLI::App& app, CaseFilter& selection) {
  app.add_option("--tag", selection.tags, "only scenarios with this tag; several: with all of them")
      ->type_name("TAG")
      ->allow_extra_args(false);
  app.add_option("--claim", selection.claim, "only scenarios whose claim contains this text");
  app.add_option("--cause", selection.cause,
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
  app.add_option("path", selection.paths,
                 "scenario files, folders, or names; all when there is none")
      ->type_name("SCENARIO");
  AddFilters(app, selection);
}

void AddShards(CLI::App& app, ShardOptions& shard) {
  app.add_option("--shard", shard.shard,
                 "only a part of the cases: I/N by their ids, or auto, as the environment says")
      ->type_name("I/N|auto");
  app.add_option("--shards", shard.shards, "of how many, where the environment does not say it")
      ->type_name("N")
      ->check(CLI::Range(1, 100000));
  app.add_option("--balance", shard.balance,
                 "an earlier JSON report: parts that take about as long")
      ->type_name("FILE");
}

void AddReports(CLI::App& app, std::vector<std::string>& reports, std::string& baseline,
                std::string& color) {
  app.add_option("--report", reports,
                 "json, junit, github, markdown or text, as KIND=FILE; - is standard output")
      ->type_name("KIND=FILE")
      ->allow_extra_args(false);
  app.add_option("--baseline", baseline,
                 "an earlier JSON report: say what changed, and fail only when something got worse")
      ->type_name("FILE");
  OneOf(app.add_option("--color", color,
                       "auto: on a terminal, unless NO_COLOR is set; always, or never"),
        {"auto", "always", "never"});
}

void AddJobs(CLI::App& app, int& jobs) {
  app.add_option("--jobs,-j", jobs,
                 "cases at a time, 1 to 256; as many as this machine has processors")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
}

void AddInside(CLI::App& app, InsideOptions& options) {
  AddAllowFile(app);
  app.add_option("scenario", options.scenario, "scenario or case")
      ->type_name("SCENARIO")
      ->required();
  app.add_option("--user", options.user, "as this user, not the scenario's")->type_name("USER");
  app.add_option("--host-dir", options.host_directories,
                 "show this directory of the machine inside, read-only")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
}

CLI::Option* OneOf(CLI::Option* option, std::vector<std::string> words) {
  option->type_name(fmt::format("{}", fmt::join(words, "|")));
  return option->check(CLI::Validator(
      [words = std::move(words)](const std::string& word) -> std::string {
        if (std::find(words.begin(), words.end(), word) != words.end()) return "";
        const auto nearest = NearestWord(word, words);
        return fmt::format("expected {}, got {}{}", JoinOr(words), Quote(word),
                           nearest ? fmt::format("; did you mean {}?", Quote(*nearest)) : "");
      },
      ""));
}

}  // namespace gpustage
