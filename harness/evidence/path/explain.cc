#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/failed_load.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/path/relate.h"

namespace gpustage {
namespace {

void Set(FunnelRow& row, Cause cause, std::string reason, Known known) {
  row.cause = cause;
  row.reason = std::move(reason);
  row.known = known;
}

// ggml opens libggml-NAME.so and libggml-NAME-*.so.
bool IsOpenedByName(const std::string& base_name) {
  static const RE2 name(R"(libggml-[a-z]+(-.*)?\.so)");
  return RE2::FullMatch(base_name, name);
}

// Why nothing of the file itself was used, in a user's words.
void ExplainUntouched(const Answer& answer, int uid, FunnelRow& row) {
  const std::string directory = ParentOf(row.library), name = BaseNameOf(row.library);
  if (answer.list_error == ENOENT) {
    row.lost_at = Step::kListed;
    Set(row, Cause::kNeverListed, fmt::format("there is no directory {} to be listed", directory),
        Known::kAsked);
  } else if (answer.list_error != 0) {
    row.lost_at = Step::kListed;
    Set(row, Cause::kUnlistable,
        fmt::format("{} could not be listed by uid {}: {}; {}", directory, uid,
                    std::strerror(answer.list_error),
                    answer.open_error == 0 ? "files in it can be opened by name"
                                           : "nor can files in it be opened by name"),
        Known::kAsked);
  } else if (answer.open_error != 0) {
    row.lost_at = Step::kMatched;
    Set(row, Cause::kUnopenable,
        fmt::format("{} is listed but cannot be opened by uid {}: {}{}", name, uid,
                    std::strerror(answer.open_error),
                    answer.kind == 'l' ? "; it is a link that ends at nothing" : ""),
        Known::kAsked);
  } else {
    row.lost_at = Step::kMatched;
    if (!IsOpenedByName(name) && IsBackendName(name))
      Set(row, Cause::kNoNameMatches,
          fmt::format("{} is listed, and its name is none that the scanner opens: libggml-NAME.so "
                      "and libggml-NAME-*.so are",
                      name),
          Known::kDerived);
    else
      Set(row, Cause::kNotTried, "it can be listed and opened, and no process tried it",
          Known::kAsked);
  }
  for (const Step step : {Step::kListed, Step::kMatched, Step::kOpened})
    row.steps[step] = step < *row.lost_at ? StepState::kDerived : StepState::kDidNotHappen;
  if (*row.lost_at == Step::kMatched) row.reached = Step::kListed;
}

// The directory itself can be listed; then whoever looks for directories must have found it.
bool ExplainHidden(const std::vector<Answer>& answers, int uid, FunnelRow& row) {
  const std::string directory = ParentOf(row.library);
  for (const Answer& answer : answers)
    if (answer.path == directory && answer.list_error != 0) {
      row.lost_at = Step::kListed;
      row.reached.reset();
      for (const Step step : {Step::kListed, Step::kMatched})
        row.steps[step] = StepState::kDidNotHappen;
      Set(row, Cause::kUnlistable,
          fmt::format(
              "{} could not be listed by uid {}: {}; who knows the name {} can list and open it",
              ParentOf(directory), uid, std::strerror(answer.list_error), directory),
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
                 fmt::format("{} (pid {}) was started for {}, and opened no backend there",
                             process.role, process.pid, directory),
                 Known::kSeen);
    }
  std::string where;
  for (const FunnelRow& other : evidence.funnel)
    if (other.pid != 0 && where.find(ParentOf(other.library) + " ") == std::string::npos)
      where += ParentOf(other.library) + " ";
  Set(row, Cause::kNotTried,
      where.empty() ? "it can be listed and opened, and no process opened any backend"
                    : fmt::format("it can be listed and opened, and no process tried it; backends "
                                  "were opened in {}only",
                                  where),
      Known::kAsked);
}

// The variable by which the user chose, as the scanner's first process has it.
std::string Choice(const Evidence& evidence) {
  for (const Process& process : evidence.processes)
    if (const auto value = VariableOf(&process, "OLLAMA_LLM_LIBRARY"); value && !value->empty())
      return fmt::format("OLLAMA_LLM_LIBRARY is \"{}\"", *value);
  return "";
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
        (line.text.find(directory) != std::string::npos ||
         (vulkan && line.text.find("Vulkan support disabled") != std::string::npos))) {
      const bool asked = line.text.find("user's request") != std::string::npos && !choice.empty();
      Set(row, Cause::kFiltered,
          fmt::format("the scanner passed {} over: {}{}", directory, line.message,
                      asked ? "; " + choice : ""),
          Known::kSeen);
      row.event = line.event;
      return;
    }
  const bool ollama =
      std::any_of(evidence.processes.begin(), evidence.processes.end(),
                  [](const Process& process) { return process.role == "ollama serve"; });
  if (ollama && !choice.empty() &&
      choice.find('"' + BaseNameOf(directory) + '"') == std::string::npos)
    Set(row, Cause::kFiltered,
        fmt::format("{}, and {} has another name, so it is passed over", choice, directory),
        Known::kDerived);
}

// Whoever asks in the environment of the process that tried is killed too, so there is no answer.
std::string NoAnswer(const Evidence& evidence, const FunnelRow& row) {
  const auto preload = VariableOf(ProcessOf(evidence, row.pid), "LD_PRELOAD");
  const std::string start = row.pid == 0
                                ? "no process was seen to ask for it, and the system cannot be "
                                  "asked why: whoever asks in the environment of this run is killed"
                                : fmt::format(
                                      "it was asked for and not loaded, and the system cannot be "
                                      "asked why: whoever asks in the environment of "
                                      "{} (pid {}) is killed",
                                      row.role, row.pid);
  return start + (preload ? fmt::format("; LD_PRELOAD is \"{}\"", *preload) : "");
}

bool NeedsAnswer(const FunnelRow& row) {
  return row.lost_at && (*row.lost_at == Step::kOpened || *row.lost_at == Step::kLoaded);
}

}  // namespace

std::vector<Question> OpenQuestions(const Evidence& evidence) {
  std::vector<Question> questions;
  for (const FunnelRow& row : evidence.funnel) {
    if (!NeedsAnswer(row)) continue;
    std::vector<std::string> environment;
    if (const Process* process = ProcessOf(evidence, row.pid); row.pid != 0 && process != nullptr)
      environment = process->environment;
    auto same = std::find_if(questions.begin(), questions.end(),
                             [&](const Question& q) { return q.environment == environment; });
    if (same == questions.end()) same = questions.insert(same, Question{{}, environment});
    for (const std::string& path : PathsToAsk(evidence, row))
      if (std::find(same->paths.begin(), same->paths.end(), path) == same->paths.end())
        same->paths.push_back(path);
  }
  return questions;
}

void ExplainLosses(const std::vector<Answer>& answers, int uid, Evidence& evidence) {
  for (FunnelRow& row : evidence.funnel) {
    const auto answer = std::find_if(answers.begin(), answers.end(),
                                     [&](const Answer& a) { return a.path == row.library; });
    if (answer == answers.end() || !NeedsAnswer(row)) continue;
    if (answer->kind == '!') {
      if (row.reason.empty()) Set(row, Cause::kLoadKills, NoAnswer(evidence, row), Known::kDerived);
      continue;
    }
    if (*row.lost_at == Step::kLoaded) {
      ExplainFailedLoad(evidence, answers, uid, row);
    } else {
      ExplainUntouched(*answer, uid, row);
      if (row.cause != Cause::kNotTried || ExplainHidden(answers, uid, row)) continue;
      ExplainNotTried(evidence, row);
      ExplainChoice(evidence, row);
    }
  }
  SeeListing(evidence);
  RelateRows(evidence);
  FindSilence(evidence);
}

}  // namespace gpustage
