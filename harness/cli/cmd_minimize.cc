#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/one_run.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/diagnose/minimize.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct MinimizeCommand {
  std::string scenario;
  std::string run;
  std::string out;  // "": stdout
  int budget = 1000;
  int jobs = 0;
  bool json = false;
};

struct Small {
  Minimized machine;
  std::string text;
};

Result<Small> MakeSmall(const OneRun& one, const MinimizeCommand& command, CaseRunner& runner) {
  TRY(const ProposalContext knowledge, ProposalContext::Read(FindCatalog({})));
  TRY(const FlatCase flat, Flatten(one.c, one.run, knowledge.packages.images(), runner));
  WhyOptions options;
  options.jobs = command.jobs > 0
                     ? command.jobs
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  options.weigh = false;
  options.most_answers = 1;
  TRY(const WhyReport report, gpustage::Why(flat, knowledge, runner, options));
  options.budget = command.budget;
  Small small;
  TRY(small.machine, Minimize(flat, report, runner, options));
  TRY(small.text, MinimizedText(small.machine, one.c, one.run, knowledge));
  return small;
}

int Minimize(const MinimizeCommand& command) {
  const Result<OneRun> one = FindOneRun(command.scenario, command.run);
  if (!one) return PrintError(one.error(), kBadInput);
  const Result<Workspace> workspace = Workspace::Enter(ProbeIsolation(), false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  const Result<Small> small = MakeSmall(*one, command, runner);
  if (!small) return PrintError(small.error(), kCannotHere);
  if (!command.out.empty())
    if (const Status written = WriteFile(command.out, small->text); !written)
      return PrintError(written.error(), kBadInput);
  const Minimized& machine = small->machine;
  if (command.json) {
    fmt::print("{}", MinimizedJson(machine, small->text));
    return machine.interrupted ? kSomeBad : kAsExpected;
  }
  if (command.out.empty()) fmt::print("{}", small->text);
  fmt::print(stderr,
             "{} of {} parts are left; the machine that has its devices needs {}; {} starts{}\n",
             machine.parts, machine.parts_before, machine.floor, machine.starts,
             machine.interrupted ? "; the budget ended it" : "");
  if (!command.out.empty()) fmt::print(stderr, "next  gpustage run {}\n", command.out);
  return machine.interrupted ? kSomeBad : kAsExpected;
}

}  // namespace

Action DeclareMinimize(CLI::App& app) {
  const auto command = std::make_shared<MinimizeCommand>();
  AddFooter(
      app,
      "Prints a scenario in which the same devices are lost for the same reason and the change "
      "that "
      "`why` proves brings them back. No part of it can be left out.");
  AddOption(app, "case", command->scenario, "scenario or case").Kind("SCENARIO").Required();
  AddOption(app, "--run", command->run, "which of its runs; the first that can be started here")
      .Kind("NAME");
  AddOption(app, "-o,--output", command->out, "the scenario file to write; without it, stdout")
      .Kind("FILE");
  AddOption(app, "--budget", command->budget, "most starts of the scanner")
      .Kind("N")
      .Between(1, 100000);
  AddJobs(app, command->jobs);
  AddFlag(app, "--json", command->json,
          "for programs: the scenario and what is left of the machine");
  return [command](const Program&) { return Minimize(*command); };
}

}  // namespace gpustage
