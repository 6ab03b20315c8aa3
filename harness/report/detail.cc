#include "harness/report/detail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/base/limits.h"
#include "harness/base/text.h"
#include "harness/report/case_report.h"
#include "harness/report/trace.h"
#include "harness/report/utf8.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

double Milliseconds(int64_t ns) { return static_cast<double>(ns) / 1e6; }

// How much an event tells of a loss: 0 tells most.
size_t RankOf(const Event& event) {
  switch (event.kind) {
    case EventKind::kProcess:
    case EventKind::kExec:
    case EventKind::kExit:
    case EventKind::kOutcome:
    case EventKind::kSymbolMissing:
    case EventKind::kNote: return 0;
    case EventKind::kCall:
    case EventKind::kLog:
    case EventKind::kLoad:
    case EventKind::kOutput: return 1;
    case EventKind::kOpen:
    case EventKind::kLook:
    case EventKind::kList: return event.value != 0 ? 2 : 3;
    case EventKind::kSearch:
    case EventKind::kUnload:
    case EventKind::kSymbol:
    case EventKind::kBinding: break;
  }
  return 3;
}

std::vector<ReportedEvent> EventsOf(const Evidence& evidence, size_t most) {
  std::array<size_t, 4> left = {};
  for (const Event& event : evidence.events) ++left[RankOf(event)];
  size_t room = most;
  for (size_t& rank : left) {
    rank = std::min(rank, room);
    room -= rank;
  }
  std::vector<ReportedEvent> events;
  for (const Event& event : evidence.events) {
    size_t& may = left[RankOf(event)];
    if (may == 0) continue;
    --may;
    events.push_back({event.id, Milliseconds(event.time_ns), event.pid, TraceKindOf(event.kind),
                      Utf8(EventText(event))});
  }
  return events;
}

std::vector<ReportedLife> LivesOf(const Evidence& evidence) {
  std::vector<ReportedLife> lives;
  for (const Process& process : evidence.processes) {
    ReportedLife life = {process.pid,
                         process.parent,
                         Utf8(ProcessName(evidence, process.pid)),
                         Utf8(fmt::format("{}", fmt::join(process.argv, " "))),
                         0,
                         Milliseconds(evidence.duration_ns),
                         Utf8(process.end)};
    if (process.event != 0) life.from_ms = Milliseconds(evidence.At(process.event).time_ns);
    if (process.end_event != 0) life.to_ms = Milliseconds(evidence.At(process.end_event).time_ns);
    life.to_ms = std::max(life.from_ms, life.to_ms);
    lives.push_back(std::move(life));
  }
  return lives;
}

// The last lines: what went wrong is said at the end.
std::vector<ReportedLine> LinesOf(const std::vector<LogLine>& log) {
  const size_t first = log.size() - std::min(log.size(), limits::kPageLogLines);
  std::vector<ReportedLine> lines;
  for (size_t i = first; i < log.size(); ++i)
    lines.push_back({Utf8(log[i].level), log[i].stream == Stream::kStdout ? "stdout" : "stderr",
                     Utf8(log[i].text.substr(0, limits::kPageLineBytes)), log[i].event});
  return lines;
}

std::vector<std::string> ChainOf(const FunnelRow& row) {
  std::vector<std::string> chain = {
      Utf8(fmt::format("{} was lost at \"{}\"", row.library, ToString(row.loss->at)))};
  if (!row.loss->reason.empty())
    chain.push_back(Utf8(SentenceOf(row.loss->reason) +
                         (row.event == 0 ? "" : fmt::format(" (#{})", row.event))));
  for (const Fact& fact : row.loss->because) chain.push_back(Utf8(FactText(fact)));
  return chain;
}

// As the first process of the scanner was started.
std::vector<std::string> EnvironmentLines(const Evidence& evidence) {
  std::vector<std::string> lines;
  if (evidence.processes.empty()) return lines;
  for (const std::string& variable : evidence.processes.front().environment)
    if (!variable.starts_with("LD_AUDIT=/.gpustage/"))  // our recorder
      lines.push_back(Utf8(variable));
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

ReportedDetail DetailOf(const CaseReport& report, const RunReport& run, size_t most_events) {
  const Evidence& evidence = run.evidence;
  ReportedDetail detail;
  detail.tree = TreeLines(report, run);
  detail.machine = MachineLines(report, run);
  if (evidence.events.empty()) return detail;
  detail.answer = Utf8(AnswerText(evidence));
  if (const FunnelRow* const row = LostRow(evidence)) {
    detail.chain = ChainOf(*row);
    for (const std::string& what : Suggestions(*row)) detail.suggestions.push_back(Utf8(what));
  }
  detail.not_observable = Utf8(NotObservable(evidence));
  detail.processes = LivesOf(evidence);
  detail.events = EventsOf(evidence, most_events);
  detail.events_seen = static_cast<int64_t>(evidence.events.size());
  detail.log = LinesOf(evidence.log);
  detail.environment = EnvironmentLines(evidence);
  return detail;
}

}  // namespace gpustage
