#include <algorithm>
#include <cstring>

#include <signal.h>

#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/evidence/funnel.h"

namespace gpustage {
namespace {

// Why nothing of the file itself was used, in a user's words; "" when the file can be listed and opened.
void ExplainUntouched(const Answer& answer, int uid, FunnelRow& row) {
  const std::string directory = ParentOf(row.library);
  if (answer.list_error != 0) {
    row.lost_at = Step::kListed;
    row.reason = fmt::format("{} could not be listed by uid {}: {}; {}", directory, uid, std::strerror(answer.list_error),
                             answer.open_error == 0 ? "files in it can be opened by name"
                                                    : "nor can files in it be opened by name");
  } else if (answer.open_error != 0) {
    row.lost_at = Step::kMatched;
    row.reason = fmt::format("{} is listed but cannot be opened: {}", BaseNameOf(row.library), std::strerror(answer.open_error));
  } else {
    row.lost_at = Step::kMatched;
    row.reason = "it can be listed and opened, and no process tried it";
  }
  for (const Step step : {Step::kListed, Step::kMatched, Step::kOpened})
    row.steps[step] = step < *row.lost_at ? StepState::kDerived : StepState::kDidNotHappen;
  if (*row.lost_at == Step::kMatched) row.reached = Step::kListed;
}

void ExplainFailedLoad(const Answer& answer, FunnelRow& row) {
  if (answer.signal != 0) {
    const char* const name = sigabbrev_np(answer.signal);
    row.reason = fmt::format("loading it kills the process: SIG{}", name != nullptr ? name : std::to_string(answer.signal));
  } else if (!answer.load_error.empty()) {
    row.reason = fmt::format("ld.so says: {}", answer.load_error) +
                 (row.reason.empty() ? "" : fmt::format(" ({})", row.reason));
  } else if (row.reason.empty()) {
    row.reason = "it loads when asked again; the scanner closed it without looking for an entry point";
  }
}

// What a log line says of the directory that was passed over.
void QuoteLog(const Evidence& evidence, FunnelRow& row) {
  const std::string directory = ParentOf(row.library);
  for (const LogLine& line : evidence.log)
    if (line.text.find("skipping") != std::string::npos && line.text.find(directory) != std::string::npos) {
      row.reason = fmt::format("the scanner passed {} over: {}", directory, line.message);
      row.event = line.event;
      return;
    }
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
    for (const Process& process : evidence.processes)
      if (row.pid != 0 && process.pid == row.pid) environment = process.environment;
    const auto same = std::find_if(questions.begin(), questions.end(),
                                   [&](const Question& q) { return q.environment == environment; });
    if (same != questions.end())
      same->paths.push_back(row.library);
    else
      questions.push_back({{row.library}, environment});
  }
  return questions;
}

void ExplainLosses(const std::vector<Answer>& answers, int uid, Evidence& evidence) {
  for (FunnelRow& row : evidence.funnel) {
    const auto answer =
        std::find_if(answers.begin(), answers.end(), [&](const Answer& a) { return a.path == row.library; });
    if (answer == answers.end() || !NeedsAnswer(row)) continue;
    if (*row.lost_at == Step::kLoaded) {
      ExplainFailedLoad(*answer, row);
    } else {
      ExplainUntouched(*answer, uid, row);
      if (*row.lost_at == Step::kMatched && answer->open_error == 0) QuoteLog(evidence, row);
    }
  }
}

}  // namespace gpustage
