// gpustage: reads the command line and hands over to one function a verb.
#include <CLI/CLI.hpp>

#include "harness/cli/commands.h"

namespace {

void AddSelection(CLI::App& verb, gpustage::Selection& selection) {
  verb.add_option("path", selection.paths, "scenario files, folders, or names; all when there is none");
  verb.add_option("--scanner", selection.scanners, "only runs of this scanner: a name, or a file of your own")->expected(1);
  verb.add_option("--filter", selection.filter, "only runs whose id and name contain this text");
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
  verb->add_option("--require", run.require, "fail when this scanner or part is missing")->expected(1);
  verb->add_option("--jobs,-j", run.jobs, "cases at a time")->check(CLI::Range(1, 256));
  verb->add_option("--report", run.reports, "json=FILE")->expected(1);
  verb->add_flag("--keep", run.keep, "leave the trees where they are and say where");
  verb->callback([&] { status = CmdRun(run); });

  Selection list;
  verb = app.add_subcommand("list", "list cases, their runs and their claims");
  AddSelection(*verb, list);
  verb->callback([&] { status = CmdList(list); });

  std::string shown;
  verb = app.add_subcommand("show", "show a resolved case and its plan");
  verb->add_option("case", shown, "scenario or case")->required();
  verb->callback([&] { status = CmdShow(shown); });

  std::string scenario;
  std::vector<std::string> words;
  std::optional<std::string> user;
  verb = app.add_subcommand("exec", "run any program inside a staged case: exec SCENARIO -- PROGRAM ARGS");
  verb->add_option("scenario", scenario, "scenario or case")->required();
  verb->add_option("program", words, "program and its arguments")->required();
  verb->add_option("--user", user, "as this user, not the scenario's");
  verb->positionals_at_end();
  verb->callback([&] { status = CmdExec(scenario, words, user); });

  verb = app.add_subcommand("doctor", "what this machine can do, and what is missing");
  verb->callback([&] { status = CmdDoctor(); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kAsExpected : kBadInput;
  }
  return status;
}
