#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/one_run.h"
#include "harness/diagnose/announced.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

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

struct Told {
  std::string text;
  int status = kAsExpected;
};

Result<Told> Tell(const OneRun& one, const std::optional<Announcement>& announced,
                  WhyOptions options, const WhyCommand& command, CaseRunner& runner) {
  TRY(const Knowledge knowledge, Knowledge::Read(FindCatalog({})));
  TRY(const FlatCase flat, Flatten(one.c, one.run, knowledge.packages.images(), runner));
  options.weigh = !announced;
  if (announced) options.most_answers = 1;
  TRY(WhyReport report, Why(flat, knowledge, runner, options));
  report.id = one.c.id;
  report.run = one.c.runs[one.run].name;
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

}  // namespace

int CmdWhy(const WhyCommand& command) {
  const Result<OneRun> one = FindOneRun(command.scenario, command.run);
  if (!one) return PrintError(one.error(), kBadInput);
  const Result<std::optional<Announcement>> announced = Announced(command);
  if (!announced) return PrintError(announced.error(), kBadInput);
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  WhyOptions options;
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

}  // namespace gpustage
