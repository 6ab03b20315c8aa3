#include <re2/re2.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/chain.h"
#include "harness/evidence/path/failed_load.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/path/places.h"
#include "harness/evidence/path/row_facts.h"

namespace gpustage {
namespace {

void Set(FunnelRow& row, Cause cause, Reason reason, Known known) {
  row.loss->cause = cause;
  row.loss->reason = std::move(reason);
  row.loss->known = known;
}

// ggml opens libggml-NAME.so and libggml-NAME-*.so.
bool IsOpenedByName(const std::string& base_name) {
  static const RE2 name(R"(libggml-[a-z]+(-.*)?\.so)");
  return RE2::FullMatch(base_name, name);
}

// No name in the directory is the library's: what is in it instead.
Reason WhatIsThere(const AfterRun& after, const std::string& directory, const std::string& name) {
  const Looked* const looked = LookedAt(after, directory);
  if (looked == nullptr) return {Reason::Kind::kNoNameMatches, directory};
  if (looked->names.empty()) return {Reason::Kind::kEmptyDirectory, directory};
  std::vector<std::string> there = looked->names;
  std::stable_partition(there.begin(), there.end(),
                        [](const std::string& one) { return one.starts_with("libggml"); });
  Reason others = {.kind = Reason::Kind::kOtherNames,
                   .subject = directory,
                   .other = name,
                   .number = static_cast<int64_t>(there.size())};
  there.resize(std::min<size_t>(there.size(), 3));
  others.names = std::move(there);
  return others;
}

// Not where a program looks for its own modules, for manifests or for devices.
bool IsForLibraries(const std::string& directory) {
  constexpr std::string_view kOthers[] = {"/proc", "/sys", "/dev", "/python", "/site", "/vulkan/"};
  return directory != "/" &&
         std::none_of(std::begin(kOthers), std::end(kOthers), [&](std::string_view other) {
           return directory.find(other) != std::string::npos;
         });
}

// The directories that somebody looked into for backends.
std::vector<std::string> WhereLooked(const Evidence& evidence, const std::string& but) {
  std::vector<std::string> places;
  const auto add = [&](const std::string& place) {
    if (places.size() < 4 && !place.empty() && place != but &&
        std::find(places.begin(), places.end(), place) == places.end())
      places.push_back(place);
  };
  for (const Process& process : evidence.processes)
    if (const auto told = VariableOf(&process, "OLLAMA_LIBRARY_PATH"); told) add(*told);
  if (places.empty())
    for (const Event& event : evidence.events)
      if (event.kind == EventKind::kList && IsForLibraries(event.subject)) add(event.subject);
  return places;
}

void Untouched(FunnelRow& row, Step at, Cause cause, Reason reason, Known known) {
  row.loss->at = at;
  Set(row, cause, std::move(reason), known);
}

// Why nothing of the file itself was used.
void ExplainUntouched(const Evidence& evidence, const DlopenAnswer& answer, const AfterRun& after,
                      FunnelRow& row) {
  const std::string directory = ParentOf(row.library), name = BaseNameOf(row.library);
  std::vector<std::string> where = WhereLooked(evidence, directory);
  const bool nobody_near = evidence.files_observed && !WasNear(evidence, directory);
  if (answer.list_error == ENOENT) {
    Untouched(row, Step::kListed, Cause::kNeverListed,
              {.kind = Reason::Kind::kNoDirectory, .subject = directory, .names = std::move(where)},
              Known::kAsked);
  } else if (answer.list_error != 0) {
    Untouched(row, Step::kListed, Cause::kUnlistable,
              {.kind = answer.open_error == 0 ? Reason::Kind::kUnlistable : Reason::Kind::kShut,
               .subject = directory,
               .error = answer.list_error,
               .uid = after.uid},
              Known::kAsked);
  } else if (nobody_near) {
    Untouched(
        row, Step::kListed, Cause::kNeverListed,
        {.kind = Reason::Kind::kNobodyLooked, .subject = directory, .names = std::move(where)},
        Known::kDerived);
  } else if (answer.open_error == ENOENT && answer.kind == '?') {
    Untouched(row, Step::kMatched, Cause::kNoNameMatches, WhatIsThere(after, directory, name),
              Known::kAsked);
  } else if (answer.open_error != 0) {
    const bool dangling = answer.kind == 'l' && answer.open_error == ENOENT;
    Untouched(row, Step::kMatched, Cause::kUnopenable,
              {.kind = dangling ? Reason::Kind::kListedDangling : Reason::Kind::kListedUnopenable,
               .subject = name,
               .error = answer.open_error,
               .uid = after.uid},
              Known::kAsked);
  } else if (!IsOpenedByName(name) && IsBackendName(name)) {
    Untouched(row, Step::kMatched, Cause::kNoNameMatches, {Reason::Kind::kNameNotTaken, name},
              Known::kDerived);
  } else {
    Untouched(row, Step::kMatched, Cause::kNotTried, {Reason::Kind::kNotTried}, Known::kAsked);
  }
  for (const Step step : {Step::kListed, Step::kMatched, Step::kOpened})
    row.steps[step].state = step < row.loss->at ? StepState::kDerived : StepState::kDidNotHappen;
  row.reached.reset();
  if (row.loss->at == Step::kMatched) row.reached = Step::kListed;
}

// The directory itself can be listed; then whoever looks for directories must have found it.
bool ExplainHidden(const std::vector<DlopenAnswer>& answers, int uid, FunnelRow& row) {
  const std::string directory = ParentOf(row.library);
  for (const DlopenAnswer& answer : answers)
    if (answer.path == directory && answer.list_error != 0) {
      row.loss->at = Step::kListed;
      row.reached.reset();
      for (const Step step : {Step::kListed, Step::kMatched})
        row.steps[step].state = StepState::kDidNotHappen;
      Set(row, Cause::kUnlistable,
          {.kind = Reason::Kind::kUnlistableAbove,
           .subject = ParentOf(directory),
           .other = directory,
           .error = answer.list_error,
           .uid = uid},
          Known::kAsked);
      return true;
    }
  return false;
}

// Who was told of the directory, and where else backends were opened.
void ExplainNotTried(const Evidence& evidence, FunnelRow& row) {
  const std::string directory = ParentOf(row.library);
  for (const Process& process : evidence.processes)
    if (const auto told = VariableOf(&process, "OLLAMA_LIBRARY_PATH");
        told && process.role == "ollama runner" &&
        (':' + *told + ':').find(':' + directory + ':') != std::string::npos) {
      row.event = process.event;
      return Set(row, Cause::kNotTried,
                 {.kind = Reason::Kind::kStartedFor,
                  .subject = directory,
                  .who = process.role,
                  .pid = process.pid},
                 Known::kSeen);
    }
  std::vector<std::string> where;
  for (const FunnelRow& other : evidence.funnel)
    if (const std::string folder = ParentOf(other.library);
        other.pid != 0 && std::find(where.begin(), where.end(), folder) == where.end())
      where.push_back(folder);
  const Reason::Kind kind = where.empty() ? Reason::Kind::kNoneTried : Reason::Kind::kOthersTried;
  Set(row, Cause::kNotTried, {.kind = kind, .names = std::move(where)}, Known::kAsked);
}

constexpr const char* kChoice = "OLLAMA_LLM_LIBRARY";  // the variable by which the user chooses
constexpr const char* kVulkan = "OLLAMA_VULKAN";       // and by which he turns Vulkan off

// As the scanner's first process has it.
std::string Choice(const Evidence& evidence, const char* variable = kChoice) {
  for (const Process& process : evidence.processes)
    if (const auto value = VariableOf(&process, variable); value && !value->empty()) return *value;
  return "";
}

// As strconv.ParseBool of Go reads it, which Ollama's envconfig asks behind blanks and quotes;
// another word counts as true.
bool IsFalse(const std::string& value) {
  static const std::set<std::string> words = {"0", "f", "F", "false", "FALSE", "False"};
  const size_t begin = value.find_first_not_of(" \t\"'"), end = value.find_last_not_of(" \t\"'");
  return begin != std::string::npos && words.contains(value.substr(begin, end - begin + 1));
}

// Whether a line speaks of this directory, and not of one below it or of a longer name.
bool NamesDirectory(const std::string& text, const std::string& directory) {
  for (size_t at = text.find(directory); at != std::string::npos;
       at = text.find(directory, at + 1)) {
    const size_t end = at + directory.size();
    const char next = end < text.size() ? text[end] : ' ';
    if (next == ' ' || next == '"' || next == ']' || next == ',' || next == ';') return true;
  }
  return false;
}

// What a log line says of the directory that was passed over; where none does, what follows from
// the variable.
void ExplainChoice(const Evidence& evidence, FunnelRow& row) {
  const std::string directory = ParentOf(row.library);
  const bool vulkan = BaseNameOf(directory).find("vulkan") != std::string::npos;
  const std::string choice = Choice(evidence);
  for (const LogLine& line : evidence.log)
    if ((line.text.find("skipping") != std::string::npos ||
         line.text.find("disabled") != std::string::npos) &&
        (NamesDirectory(line.text, directory) ||
         (vulkan && line.text.find("Vulkan support disabled") != std::string::npos))) {
      const bool asked = line.text.find("user's request") != std::string::npos && !choice.empty();
      Reason reason = {.kind = asked ? Reason::Kind::kPassedOverAsAsked : Reason::Kind::kPassedOver,
                       .subject = directory,
                       .text = line.message};
      if (asked) reason.names = {kChoice, choice};
      Set(row, Cause::kFiltered, std::move(reason), Known::kSeen);
      row.event = line.event;
      return;
    }
  const bool ollama =
      std::any_of(evidence.processes.begin(), evidence.processes.end(),
                  [](const Process& process) { return process.role == "ollama serve"; });
  // One that lies in the folder of all is in the path of every child.
  const bool of_its_own = std::any_of(
      evidence.funnel.begin(), evidence.funnel.end(),
      [&](const FunnelRow& other) { return ParentOf(ParentOf(other.library)) == directory; });
  if (const std::string vulkans = Choice(evidence, kVulkan); ollama && vulkan && IsFalse(vulkans))
    Set(row, Cause::kFiltered,
        {.kind = Reason::Kind::kTurnedOff, .subject = directory, .names = {kVulkan, vulkans}},
        Known::kDerived);
  else if (ollama && !of_its_own && !choice.empty() && choice != BaseNameOf(directory))
    Set(row, Cause::kFiltered,
        {.kind = Reason::Kind::kOtherNamed, .subject = directory, .names = {kChoice, choice}},
        Known::kDerived);
}

// Whoever asks in the environment of the process that tried is killed too, so there is no answer.
Reason NoAnswer(const Evidence& evidence, const FunnelRow& row) {
  Reason reason = {.kind = row.pid == 0 ? Reason::Kind::kKillsAnyAsker : Reason::Kind::kKillsAsker,
                   .who = row.role,
                   .pid = row.pid};
  if (const auto preload = VariableOf(ProcessOf(evidence, row.pid), "LD_PRELOAD"))
    reason.names = {*preload};
  return reason;
}

std::vector<std::string> EnvironmentOf(const Evidence& evidence, const FunnelRow& row) {
  const Process* const process = row.pid == 0 ? nullptr : ProcessOf(evidence, row.pid);
  return process == nullptr ? std::vector<std::string>() : process->environment;
}

const std::vector<DlopenAnswer>* AnswersFor(const AfterRun& after, const Evidence& evidence,
                                            const FunnelRow& row) {
  const std::vector<std::string> environment = EnvironmentOf(evidence, row);
  for (const Answered& answered : after.answered)
    if (answered.environment == environment) return &answered.answers;
  return nullptr;
}

bool NeedsAnswer(const FunnelRow& row) {
  return row.lost_at() == Step::kOpened || row.lost_at() == Step::kLoaded;
}

}  // namespace

std::vector<Question> OpenQuestions(const Evidence& evidence) {
  std::vector<Question> questions;
  const auto ask = [&](const FunnelRow& row) {
    if (!NeedsAnswer(row)) return;
    const std::vector<std::string> environment = EnvironmentOf(evidence, row);
    auto same = std::find_if(questions.begin(), questions.end(),
                             [&](const Question& q) { return q.environment == environment; });
    if (same == questions.end()) same = questions.insert(same, Question{{}, environment});
    for (const std::string& path : PathsToAsk(evidence, row))
      if (std::find(same->paths.begin(), same->paths.end(), path) == same->paths.end())
        same->paths.push_back(path);
  };
  for (const FunnelRow& row : evidence.funnel) ask(row);
  return questions;
}

void ExplainLosses(const AfterRun& after, Evidence& evidence) {
  for (FunnelRow& row : evidence.funnel) {
    const std::vector<DlopenAnswer>* const answers = AnswersFor(after, evidence, row);
    if (answers == nullptr || !NeedsAnswer(row)) continue;
    const auto answer = std::find_if(answers->begin(), answers->end(),
                                     [&](const DlopenAnswer& a) { return a.path == row.library; });
    if (answer == answers->end()) continue;
    if (answer->kind == '!') {
      if (row.loss->reason.empty())
        Set(row, Cause::kLoadKills, NoAnswer(evidence, row), Known::kDerived);
      continue;
    }
    if (row.loss->at == Step::kLoaded) {
      ExplainFailedLoad(evidence, *answers, after.uid, row);
    } else {
      ExplainUntouched(evidence, *answer, after, row);
      if (row.loss->cause != Cause::kNotTried || ExplainHidden(*answers, after.uid, row)) continue;
      ExplainNotTried(evidence, row);
      ExplainChoice(evidence, row);
    }
  }
  SeeListing(evidence);
  RelateRows(evidence);
  LinkLosses(evidence);
  AddPlaces(after, evidence);
  FindSilence(evidence);
}

}  // namespace gpustage
