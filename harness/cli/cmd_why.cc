#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/one_run.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/diagnose/announced.h"
#include "harness/diagnose/proofs.h"
#include "harness/report/for_terminal.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct WhyCommand {
  std::string scenario;  // or a case
  std::string run;       // "": the first that can be started here
  int budget = 200;      // starts
  int jobs = 0;
  int answers = 5;   // that are printed
  std::string want;  // devices, or claims; "": all that the machine has
  bool json = false;
  std::string change;              // {tree: …, env: …, machine: …}: an announced cause
  std::vector<std::string> words;  // not "OLLAMA_NUM_GPU=999 must be set": the same in words
};

std::atomic<bool> g_stop = false;

// Nothing when the command announces no cause.
Result<std::optional<Announcement>> Announced(const WhyCommand& command) {
  if (!command.change.empty()) {
    TRY(Announcement announced, ReadChange(command.change, FindCatalog({})));
    return std::optional(std::move(announced));
  }
  if (command.words.empty()) return std::optional<Announcement>();
  if (command.words.size() != 2 || command.words.front() != "not")
    return Error{fmt::format("after the case stands not \"WHAT WAS ANNOUNCED\", got {}",
                             Quote(command.words.front()))};
  TRY(Announcement announced, ReadAnnouncement(command.words.back()));
  return std::optional(std::move(announced));
}

// An error in the text of an option has its line and a caret, as one in a file has.
int PrintErrorIn(const std::string& text, const Error& error) {
  if (!error.pos) return PrintError(error, kBadInput);
  fmt::print(stderr, "{}", ForTerminal(RenderError(error, text) + "\n"));
  return kBadInput;
}

struct Told {
  std::string text;
  int status = kAsExpected;
};

// A number of devices, or claims.
Status ReadWanted(const std::string& want, WhyOptions& options) {
  constexpr int64_t kMost = 1000;
  if (want.empty()) return Ok();
  if (want.find_first_not_of("0123456789") != std::string::npos) {
    TRY(options.goal, ReadGoal(want, FindCatalog({})));
    return Ok();
  }
  const int64_t devices = want.size() > 4 ? kMost + 1 : std::stoll(want);
  if (devices > kMost) return Error{fmt::format("--want {}: 0 to {} devices", want, kMost)};
  options.wanted = CountRange{devices, devices};
  return Ok();
}

Result<Told> Tell(const OneRun& one, const std::optional<Announcement>& announced,
                  WhyOptions options, const WhyCommand& command, CaseRunner& runner) {
  TRY(const ProposalContext knowledge, ProposalContext::Read(FindCatalog({})));
  TRY(const FlatCase flat, Flatten(one.c, one.run, knowledge.packages.images(), runner));
  options.weigh = !announced;
  SayWhatIsExpected(one.c, one.c.runs[one.run], options);
  if (announced) options.most_answers = 1;
  TRY(WhyReport report, gpustage::Why(flat, knowledge, runner, options));
  report.id = one.c.id;
  report.run = one.c.runs[one.run].name;
  KeepProofs(one.c, one.run, report);
  if (announced) {
    const Held held = Hold(*announced, flat, report, runner, options);
    return Told{command.json ? HeldJson(held) : HeldText(held),
                held.brings_back ? kAsExpected : kSomeBad};
  }
  const bool explained = report.healthy || !report.answers.empty();
  return Told{command.json ? WhyJson(report) : WhyText(report, command.answers),
              explained ? kAsExpected : kSomeBad};
}

// The first signal asks for the best answer so far, the second ends us.
void AskForTheBestSoFar() {
  struct sigaction action = {};
  action.sa_handler = [](int) { g_stop = true; };
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// On a terminal, one line that is written over.
void ShowProgress(int starts, const Mending* best) {
  const std::string found = best == nullptr ? "nothing yet" : ToString(best->changes.front());
  fmt::print(stderr, "\r\033[K{} starts, {}", starts, found.substr(0, 70));
}

int Why(const WhyCommand& command) {
  const Result<OneRun> one = FindOneRun(command.scenario, command.run);
  if (!one) return PrintError(one.error(), kBadInput);
  const Result<std::optional<Announcement>> announced = Announced(command);
  if (!announced) return PrintErrorIn(command.change, announced.error());
  WhyOptions options;
  if (const Status read = ReadWanted(command.want, options); !read)
    return PrintErrorIn(command.want, read.error());
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  options.budget = command.budget;
  options.jobs = command.jobs > 0
                     ? command.jobs
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  options.stop = &g_stop;
  AskForTheBestSoFar();
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal) options.progress = ShowProgress;
  const Result<Told> told = Tell(*one, *announced, options, command, runner);
  if (terminal) fmt::print(stderr, "\r\033[K");
  if (!told) return PrintError(told.error(), kCannotHere);
  fmt::print("{}", told->text);
  return g_stop ? 128 + SIGINT : told->status;
}

}  // namespace

Action DeclareWhy(CLI::App& app) {
  const auto command = std::make_shared<WhyCommand>();
  AddFooter(
      app,
      "An announced cause is held against the machine: why CASE not \"OLLAMA_NUM_GPU=999 must be "
      "set\", or --change. It is confirmed, or refuted with exit status 1.");
  AddOption(app, "case", command->scenario, "scenario or case").Kind("SCENARIO").Required();
  AddOption(app, "announced", command->words, "not, and the cause that was announced").Times(0, 2);
  AddOption(app, "--run", command->run, "which of its runs; the first that can be started here")
      .Kind("NAME");
  AddOption(app, "--budget", command->budget, "most starts of the scanner, proofs not counted")
      .Kind("N")
      .Between(1, 100000);
  AddOption(app, "--answers", command->answers, "most answers that are printed")
      .Kind("N")
      .Between(1, 1000);
  AddOption(app, "--want", command->want,
            "how many devices are to be counted, or claims that are to hold ({log: {lacks: "
            "[…]}}); else what the case expects and does not get, or all that the machine has")
      .Kind("N|CLAIMS");
  AddJobs(app, command->jobs);
  AddFlag(app, "--json", command->json, "for programs");
  AddOption(app, "--change", command->change,
            "an announced cause: {tree: […], env: {…}, user: …, groups: […], machine: {…}, "
            "scanner: …, layout: […]}")
      .Kind("YAML");
  return [command](const Program&) { return Why(*command); };
}

}  // namespace gpustage
