// gpustage: reads the command line and hands over to one function a verb.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "harness/cli/commands.h"

namespace {

void AddSelection(CLI::App& verb, gpustage::CaseFilter& selection) {
  verb.add_option("path", selection.paths,
                  "scenario files, folders, or names; all when there is none");
  verb.add_option("--scanner", selection.scanners,
                  "only runs of this scanner: a name, or a file of your own")
      ->allow_extra_args(false);
  verb.add_option("--ollama", selection.ollama,
                  "an Ollama to run: its program, or the folder of its bin and lib")
      ->allow_extra_args(false);
  verb.add_option("--filter", selection.filter, "only runs whose id and name contain this text");
}

void AddShards(CLI::App& verb, gpustage::ShardOptions& shard) {
  verb.add_option("--shard", shard.shard,
                  "only a part of the cases: I/N by their ids, or auto, as the environment says");
  verb.add_option("--shards", shard.shards, "of how many, where the environment does not say it")
      ->check(CLI::Range(1, 100000));
  verb.add_option("--balance", shard.balance,
                  "an earlier JSON report: parts that take about as long");
}

void AddReports(CLI::App& verb, std::vector<std::string>& reports, std::string& baseline,
                std::string& color) {
  verb.add_option("--report", reports,
                  "json, junit, github, markdown or text, as KIND=FILE; - is standard output")
      ->allow_extra_args(false);
  verb.add_option(
      "--baseline", baseline,
      "an earlier JSON report: say what changed, and fail only when something got worse");
  verb.add_option("--color", color,
                  "auto, always or never; auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

// "10m" -> "600". What is wrong with it, as CLI11 wants to hear it.
std::string InSeconds(std::string& time) {
  const std::map<char, int> units = {{'s', 1}, {'m', 60}, {'h', 3600}};
  const auto unit = time.empty() ? units.end() : units.find(time.back());
  int count = 0;
  const char* const end = time.data() + (time.empty() ? 0 : time.size() - 1);
  const auto [stop, failure] = std::from_chars(time.data(), end, count);
  if (unit == units.end() || failure != std::errc() || stop != end || count < 1 ||
      count > 1'000'000)
    return "expected a time such as 90s, 10m or 2h, got \"" + time + "\"";
  time = std::to_string(count * unit->second);
  return "";
}

void AddDailyUse(CLI::App& verb, gpustage::RunOptions& run) {
  verb.add_option(
          "--xfail-from", run.xfail_from,
          "a file of known failures: [{case: GLOB, run: GLOB, reason, thread, until: 2026-12-31}]")
      ->allow_extra_args(false);
  verb.add_option(
          "--fail-on", run.fail_on,
          "silent-failure: a silent failure is a failure, also where its scenario expects it")
      ->check(CLI::IsMember({"silent-failure"}))
      ->allow_extra_args(false);
  verb.add_option("--deadline", run.deadline,
                  "start nothing after this time, and end what runs: 90s, 10m, 2h")
      ->transform(CLI::Validator(InSeconds, "TIME"));
  verb.add_option("--repeat", run.repeat,
                  "start each run so often; one that does not always answer the same is flaky")
      ->check(CLI::Range(1, 10000));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gpustage;
  CLI::App app{"gpustage: a fake GPU machine for programs that look for GPUs"};
  app.require_subcommand(1);
  int status = kAsExpected;

  RunOptions run;
  CLI::App* verb = app.add_subcommand("run", "run scenarios and hold them to what they expect");
  AddSelection(*verb, run.selection);
  AddShards(*verb, run.shard);
  verb->add_option("--require", run.require, "fail when this scanner or part is missing")
      ->allow_extra_args(false);
  verb->add_option("--jobs,-j", run.jobs, "cases at a time")->check(CLI::Range(1, 256));
  AddReports(*verb, run.reports, run.baseline, run.color);
  AddDailyUse(*verb, run);
  verb->add_flag("--keep", run.keep, "leave the trees where they are and say where");
  verb->add_option("--evidence", run.evidence,
                   "how much is watched: none, libs, files, or all, which is usual")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, EvidenceLevel>{{"none", EvidenceLevel::kNone},
                                               {"libs", EvidenceLevel::kLibs},
                                               {"files", EvidenceLevel::kFiles},
                                               {"all", EvidenceLevel::kAll}}));
  verb->add_option("--evidence-dir", run.evidence_dir,
                   "keep what was seen of each run in this folder, for gpustage trace");
  verb->callback([&] { status = CmdRun(run); });

  MergeOptions merge;
  verb = app.add_subcommand(
      "merge", "the JSON reports of shards as one run: its totals, reports and exit status");
  verb->add_option("file", merge.files, "JSON reports")->required();
  AddReports(*verb, merge.reports, merge.baseline, merge.color);
  verb->callback([&] { status = CmdMerge(merge); });

  TraceCommand trace;
  verb = app.add_subcommand(
      "trace",
      "where the device was lost, and what shows it: trace SCENARIO, CASE or a folder of evidence");
  verb->footer(
      "A folder is one that run --evidence-dir filled; its files are JSON Lines, one a run "
      "(harness/evidence/README.md).\n"
      "The timeline is printed with --timeline, or with any of the filters --kind, --library and "
      "--process.");
  verb->add_option("what", trace.selection.paths,
                   "scenario, case, or a folder of run --evidence-dir")
      ->required()
      ->expected(1);
  verb->add_option("--scanner", trace.selection.scanners, "only runs of this scanner")
      ->allow_extra_args(false);
  verb->add_option("--ollama", trace.selection.ollama,
                   "an Ollama to run: its program, or the folder of its bin and lib")
      ->allow_extra_args(false);
  verb->add_option("--filter", trace.selection.filter,
                   "only runs whose id and name contain this text");
  verb->add_flag("--timeline", trace.options.timeline, "every event in order of time");
  verb->add_option("--kind", trace.options.kinds,
                   "only events of this kind: files, loader, calls, log, processes")
      ->allow_extra_args(false);
  verb->add_option("--library", trace.options.library, "only this library: a part of its path");
  verb->add_option("--process", trace.options.process,
                   "only this process: a pid or a part of its role");
  verb->add_flag("--json", trace.json,
                 "for programs: {version, runs: [{id, answer, funnel, timeline}]}");
  verb->callback([&] { status = CmdTrace(trace); });

  WhyCommand why;
  verb = app.add_subcommand(
      "why", "the smallest changes that bring the device back, proven by running: why CASE");
  verb->add_option("case", why.scenario, "scenario or case")->required();
  verb->add_option("--run", why.run, "which of its runs; the first that can be started here");
  verb->add_option("--budget", why.budget, "most starts of the scanner, proofs not counted")
      ->check(CLI::Range(1, 100000));
  verb->add_option("--answers", why.answers, "most answers that are printed")
      ->check(CLI::Range(1, 1000));
  verb->add_option("--jobs,-j", why.jobs, "starts at a time")->check(CLI::Range(1, 256));
  verb->add_flag("--json", why.json, "for programs");
  verb->add_option("--change", why.change,
                   "an announced cause, held against the machine: {tree: […], env: {…}, user: …}");
  verb->add_option("not", why.words, "the same in words: not \"OLLAMA_NUM_GPU=999 must be set\"")
      ->expected(0, 2);
  verb->callback([&] { status = CmdWhy(why); });

  DiffCommand diff;
  verb = app.add_subcommand(
      "diff", "what differs between two runs: the first event, then what led to it: diff A B");
  verb->add_option("a", diff.a, "scenario, case, or a file of run --evidence-dir")->required();
  verb->add_option("b", diff.b, "another")->required();
  verb->add_option("--run", diff.run, "which of their runs; the first that can be started here");
  verb->callback([&] { status = CmdDiff(diff); });

  ExplainLogOptions explained;
  verb = app.add_subcommand("explain-log",
                            "which causes fit a log of Ollama's in which no GPU was found");
  verb->add_option("log", explained.file, "a file, or - for standard input");
  verb->add_flag("--page", explained.page, "the page of all known causes, as Markdown");
  verb->callback([&] { status = CmdExplainLog(explained); });

  ListOptions list;
  verb = app.add_subcommand("list", "list cases, their runs and their claims");
  AddSelection(*verb, list.selection);
  AddShards(*verb, list.shard);
  verb->add_option("--format", list.format,
                   "text, json, names, or github-matrix: the jobs of --shards N")
      ->check(CLI::IsMember({"text", "json", "names", "github-matrix"}));
  verb->callback([&] { status = CmdList(list); });

  std::string shown;
  verb = app.add_subcommand("show", "show a resolved case and its plan");
  verb->add_option("case", shown, "scenario or case")->required();
  verb->callback([&] { status = CmdShow(shown); });

  RecordOptions record;
  verb = app.add_subcommand(
      "record", "keep what scanners saw and said as data: record FOLDER --scanner ollama PATHS");
  verb->add_option("folder", record.folder,
                   "a folder; files go to FOLDER/SCANNER-VERSION/SCENARIO.json")
      ->required();
  AddSelection(*verb, record.selection);
  verb->add_option("--jobs,-j", record.jobs, "cases at a time")->check(CLI::Range(1, 256));
  verb->callback([&] { status = CmdRecord(record); });

  CompareOptions compare;
  verb = app.add_subcommand(
      "compare",
      "what differs between two scanners or versions: compare ollama@0.13 ollama@0.17 PATHS");
  verb->footer(
      "A scanner is run now when it is here, and taken from fixtures/recordings when it is not. "
      "live:NAME and\n"
      "recorded:NAME want it so and not otherwise.");
  verb->add_option("a", compare.a, "a scanner, by name or name@version")->required();
  verb->add_option("b", compare.b, "another")->required();
  AddSelection(*verb, compare.selection);
  verb->add_option("--known", compare.known,
                   "a file of differences that are known: [{case, field, reason}]");
  verb->add_option("--jobs,-j", compare.jobs, "cases at a time")->check(CLI::Range(1, 256));
  verb->callback([&] { status = CmdCompare(compare); });

  ExecOptions exec;
  verb = app.add_subcommand("exec",
                            "run any program inside a staged case: exec SCENARIO -- PROGRAM ARGS");
  verb->footer(
      "After -- stand the program, of the tree or of this machine, and its arguments. Its exit "
      "status is passed through.");
  verb->add_option("scenario", exec.scenario, "scenario or case")->required();
  verb->add_option("--user", exec.user, "as this user, not the scenario's");
  verb->add_option("--host-dir", exec.host_directories,
                   "show this directory of the machine inside, read-only")
      ->allow_extra_args(false);
  verb->callback([&] {
    if (exec.argv.empty()) throw CLI::RequiredError("-- PROGRAM");
    status = CmdExec(exec);
  });

  ShellOptions shell;
  verb = app.add_subcommand(
      "shell",
      "a shell inside a staged case, watched like a run: shell SCENARIO [-- PROGRAM ARGS]");
  verb->footer(
      "Its exit status is passed through; what was seen is said in short at the end. Tools, gdb "
      "and Python are this machine's.");
  verb->add_option("scenario", shell.scenario, "scenario or case")->required();
  verb->add_option("--user", shell.user, "as this user, not the scenario's");
  verb->add_option("--host-dir", shell.host_directories,
                   "show this directory of the machine inside, read-only")
      ->allow_extra_args(false);
  verb->callback([&] {
    shell.argv = exec.argv;
    status = CmdShell(shell);
  });

  verb = app.add_subcommand("doctor", "what this machine can do, and what is missing");
  verb->callback([&] { status = CmdDoctor(); });

  // What stands after -- is another program's command line and none of ours.
  const auto program = std::find(argv, argv + argc, std::string_view("--"));
  if (program != argv + argc) exec.argv.assign(program + 1, argv + argc);
  try {
    app.parse(static_cast<int>(program - argv), argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kAsExpected : kBadInput;
  }
  return status;
}
