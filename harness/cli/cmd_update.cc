#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/line_diff.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/run/interrupt.h"
#include "harness/suite/installation.h"
#include "harness/suite/processors.h"
#include "harness/suite/project.h"
#include "harness/suite/run_all.h"
#include "harness/suite/update.h"

namespace gpustage {
namespace {

struct UpdateOptions {
  CaseFilter selection;
  int jobs = 0;
  bool list = false, json = false;
  std::vector<std::string> accept;  // cases, or scenarios
};

bool IsCi() {
  const char* const ci = std::getenv("CI");
  return ci != nullptr && *ci != '\0' && std::string_view(ci) != "false" &&
         std::string_view(ci) != "0";
}

// What a bad run showed, to be held to the file once it is changed.
struct BadRun {
  std::string id, run, file;
  Evidence evidence;
};

struct Shown {
  Showings showings;
  std::vector<BadRun> bad;
  Tally tally;
};

Result<Shown> Show(const CaseSelection& cases, int jobs) {
  CatchInterrupts();
  TRY(Spool spool, Spool::Make());
  TRY(const Workspace workspace, Workspace::Enter(ProbeIsolation(), false));
  CaseRunner runner(workspace, FindRecorders(), false);
  RunPlan plan;
  plan.jobs = std::clamp(jobs > 0 ? jobs : Processors(), 1, static_cast<int>(cases.size()));
  Shown shown;
  AllRuns all = RunAll(cases, plan, runner, spool, [&](const FinishedCase& finished) {
    shown.showings.Saw(finished.report);
    for (const RunReport& run : finished.report.runs)
      if (IsBad(run.verdict.kind) && !run.evidence.events.empty())
        shown.bad.push_back(
            {finished.report.c.id, run.spec.name, finished.report.c.file, run.evidence});
  });
  if (Interrupted() != 0) return Error{"interrupted: nothing was changed"};
  TRY(all.kept);
  shown.tally = std::move(all.tally);
  return shown;
}

std::string PlaceText(const Proposal& proposal) {
  return fmt::format("{}:{}", proposal.file, proposal.pos.line);
}

// A reason may be long, and the change is what is looked at.
std::string Short(const std::string& text) {
  constexpr size_t kMost = 150;
  if (text.size() <= kMost) return text;
  const size_t blank = text.rfind(' ', kMost);
  return text.substr(0, blank == std::string::npos ? kMost : blank) + " …";
}

std::string HeadOf(const Proposal& proposal) {
  return fmt::format("{}: {}\n  seen  {} ({} run{} of {})\n", PlaceText(proposal),
                     proposal.is_new ? "nothing is expected of " +
                                           (proposal.run.empty() ? "it" : "run " + proposal.run)
                                     : proposal.expected,
                     Short(proposal.seen), proposal.runs, proposal.runs == 1 ? "" : "s",
                     proposal.cases.size() == 1 ? proposal.cases.front()
                                                : fmt::format("{} cases", proposal.cases.size()));
}

// The change as lines, or why there is none.
Result<std::string> DiffOf(const Proposal& proposal) {
  TRY(const std::string before, ReadFile(proposal.file));
  TRY(const std::string after, WithProposal(before, proposal));
  return LineDiff(before, after);
}

std::string TextOf(const Proposal& proposal) {
  const Result<std::string> diff = DiffOf(proposal);
  return HeadOf(proposal) + (diff ? *diff : fmt::format("  by hand: {}\n", diff.error().message));
}

int List(const std::vector<Proposal>& proposals, bool as_json) {
  if (as_json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const Proposal& proposal : proposals) {
      const Result<std::string> diff = DiffOf(proposal);
      nlohmann::ordered_json one = {
          {"file", proposal.file},         {"line", proposal.pos.line},
          {"column", proposal.pos.column}, {"expected", proposal.expected},
          {"seen", proposal.seen},         {"cases", proposal.cases},
          {"runs", proposal.runs}};
      one[diff ? "diff" : "by_hand"] = diff ? *diff : diff.error().message;
      all.push_back(std::move(one));
    }
    const auto replace = nlohmann::ordered_json::error_handler_t::replace;
    fmt::print("{}\n", nlohmann::ordered_json{{"version", 1}, {"proposals", all}}.dump(
                           2, ' ', false, replace));
  } else {
    for (const Proposal& proposal : proposals) fmt::print("{}\n", TextOf(proposal));
  }
  return proposals.empty() ? kAsExpected : kSomeBad;
}

// Writes it, and takes it back where the file cannot be read any more.
Status Accept(const Proposal& proposal, const CaseFilter& filter) {
  TRY(const std::string before, ReadFile(proposal.file));
  TRY(const std::string after, WithProposal(before, proposal));
  TRY(WriteFile(proposal.file, after));
  CaseFilter all = filter;
  all.paths = {proposal.file};
  all.filter.clear();
  const Result<std::vector<Case>> read = SelectCases(all);
  // Another claim of the file may still wait for its own change.
  if (!read && read.error().pos) {
    TRY(WriteFile(proposal.file, before));
    return Error{fmt::format("with this change the file is wrong, so it stays as it was: {}",
                             read.error().message),
                 proposal.pos};
  }
  return Ok();
}

// Of the runs that were bad, those that hold now: what they showed is held to the file again.
int HoldNow(const std::vector<BadRun>& bad, const CaseFilter& filter) {
  std::map<std::string, std::vector<Case>> read;
  int holding = 0;
  for (const BadRun& run : bad) {
    if (read.count(run.file) == 0) {
      CaseFilter all = filter;
      all.paths = {run.file};
      Result<std::vector<Case>> cases = SelectCases(all);
      read[run.file] = cases ? *std::move(cases) : std::vector<Case>();
    }
    for (const Case& c : read[run.file])
      for (const RunSpec& spec : c.runs)
        if (c.id == run.id && spec.name == run.run && !IsBad(Judge(c, spec, run.evidence).kind))
          ++holding;
  }
  return holding;
}

bool IsMeant(const Proposal& proposal, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == "all" || name == proposal.file ||
           std::any_of(proposal.cases.begin(), proposal.cases.end(), [&](const std::string& id) {
             return id == name || id.substr(0, id.find('@')) == name;
           });
  });
}

Status CheckNames(const std::vector<std::string>& names, const CaseSelection& cases,
                  const std::vector<Proposal>& proposals) {
  std::vector<std::string> known = {"all"};
  for (size_t i = 0; i < cases.size(); ++i) {
    known.push_back(cases.Id(i));
    known.push_back(cases.RangeOf(i).scenario().id);
    known.push_back(cases.RangeOf(i).scenario().file);
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Error{fmt::format("--accept: no case {}{}", Quote(name), DidYouMean(name, known))};
    if (std::none_of(proposals.begin(), proposals.end(),
                     [&](const Proposal& p) { return IsMeant(p, {name}); }) &&
        name != "all")
      return Error{fmt::format("--accept: {} is as expected, or it is for somebody to say", name)};
  }
  return Ok();
}

struct Counted {
  int accepted = 0, rejected = 0, skipped = 0;
};

// A key as it is pressed, and not the line of it. None when the terminal is gone, or ^C.
std::optional<char> ReadKey() {
  termios before;
  if (tcgetattr(STDIN_FILENO, &before) != 0) return std::nullopt;
  termios keys = before;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  char key = 0;
  const bool pressed = read(STDIN_FILENO, &key, 1) == 1;
  tcsetattr(STDIN_FILENO, TCSANOW, &before);
  return pressed ? std::optional(key) : std::nullopt;
}

char KeyFor(const Proposal& proposal, size_t number, size_t all) {
  fmt::print("{}[{} of {}] a: accept  r: reject  s: skip  q: end > ", TextOf(proposal), number,
             all);
  std::fflush(stdout);
  std::optional<char> key = ReadKey();
  while (key && std::string_view("arsq").find(*key) == std::string_view::npos) key = ReadKey();
  fmt::print("{}\n\n", key.value_or('q'));
  return key.value_or('q');
}

int Done(const Counted& counted, int by_hand, const Shown& shown, const CaseFilter& filter) {
  if (counted.accepted > 0)
    fmt::print("{} of {} bad runs hold now\n", HoldNow(shown.bad, filter), shown.bad.size());
  fmt::print("{} accepted, {} rejected, {} skipped, {} by hand\n", counted.accepted,
             counted.rejected, counted.skipped, by_hand);
  return counted.rejected + counted.skipped + by_hand == 0 ? kAsExpected : kSomeBad;
}

int Change(const std::vector<Proposal>& proposals, const UpdateOptions& options,
           const Shown& shown) {
  Counted counted;
  int by_hand = 0;
  size_t number = 0;
  bool end = false;
  for (const Proposal& proposal : proposals) {
    ++number;
    if (!DiffOf(proposal)) {
      ++by_hand;
      fmt::print("{}\n", TextOf(proposal));
      continue;
    }
    char key = end ? 's' : 'a';
    if (!options.accept.empty()) {
      if (!IsMeant(proposal, options.accept)) key = 's';
      if (key == 'a') fmt::print("{}\n", TextOf(proposal));
    } else if (!end) {
      key = KeyFor(proposal, number, proposals.size());
      end = key == 'q';
    }
    if (key != 'a') {
      ++(key == 'r' ? counted.rejected : counted.skipped);
      continue;
    }
    if (const Status done = Accept(proposal, options.selection); !done) {
      PrintError(done.error(), kBadInput);
      ++by_hand;
      continue;
    }
    ++counted.accepted;
  }
  return Done(counted, by_hand, shown, options.selection);
}

int Update(const UpdateOptions& options) {
  const bool asks = !options.list && !options.json && options.accept.empty() &&
                    isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  if (IsCi() && (asks || !options.accept.empty()))
    return PrintError(
        {"CI is set, and there expectations are not changed; --list says what would be"},
        kBadInput);
  const Result<CaseSelection> cases = Select(options.selection);
  if (!cases) return PrintError(cases.error(), kBadInput);
  const Result<Shown> shown = Show(*cases, options.jobs);
  if (!shown) return PrintError(shown.error(), kCannotHere);
  const std::vector<Proposal> proposals = shown->showings.Proposals();
  if (!options.accept.empty())
    if (const Status known = CheckNames(options.accept, *cases, proposals); !known)
      return PrintError(known.error(), kBadInput);
  if (proposals.empty() && !options.json) {
    fmt::print("{} cases: what is expected is what was seen{}\n", cases->size(),
               shown->bad.empty() ? "" : ", as far as it could be observed");
    return shown->bad.empty() ? kAsExpected : kSomeBad;
  }
  if (asks || !options.accept.empty()) return Change(proposals, options, *shown);
  const int status = List(proposals, options.json);
  if (!options.json && status != kAsExpected)
    fmt::print("{} changes: --accept CASE, or all, makes them\n", proposals.size());
  return status;
}

}  // namespace

Action DeclareUpdate(CLI::App& app) {
  const auto options = std::make_shared<UpdateOptions>();
  AddFooter(
      app,
      "Runs the cases and puts what was seen in place of what was expected: values of claims, and "
      "expectations of runs that have none. Comments, order and layout stay, and no claim is taken "
      "away. On a terminal each change is shown and asked for; elsewhere they are listed, or made "
      "by --accept. Where runs differ by one axis, their expectation is divided by it.");
  AddSelection(app, options->selection);
  AddJobs(app, options->jobs);
  AddFlag(app, "--list", options->list, "change nothing; exit status 1 where something would be");
  AddFlag(app, "--json", options->json,
          "for programs: {version, proposals: [{file, line, expected, seen, diff}]}");
  AddOption(app, "--accept", options->accept,
            "change what is expected of this case, or scenario, or all; never where CI is set")
      .Kind("SCENARIO")
      .OneEach();
  return [options](const Program&) { return Update(*options); };
}

}  // namespace gpustage
