#include "harness/report/reported_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/limits.h"
#include "harness/base/text.h"
#include "harness/report/utf8.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

std::string StepsText(const FunnelRow& row) {
  std::string text;
  for (const auto& [step, seen] : row.steps) {
    if (row.lost_at() == step) return text + fmt::format("LOST at {}", ToString(step));
    if (seen.state == StepState::kNotObservable || seen.state == StepState::kNotNeeded) continue;
    text += ToString(step) + (seen.state == StepState::kDerived ? "* " : " ");
  }
  if (text.empty()) return "not observed";
  text.pop_back();
  return text;
}

std::optional<std::string> StepWord(const std::optional<Step>& step) {
  return step ? std::optional(ToString(*step)) : std::nullopt;
}

// A scanner that was stopped when it said that it was done has ended well.
std::optional<ReportedOutcome> OutcomeOf(const Outcome& outcome) {
  const std::string text = Utf8(ToString(outcome));
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
    case Outcome::Kind::kStopped: return ReportedOutcome{"exited", outcome.code, text};
    case Outcome::Kind::kKilled: return ReportedOutcome{"killed", outcome.code, text};
    case Outcome::Kind::kTimedOut: return ReportedOutcome{"timed_out", outcome.code, text};
    case Outcome::Kind::kNotStarted: break;
  }
  return std::nullopt;
}

ReportedDevice DeviceOf(const SeenDevice& device) {
  const auto field = [&](const char* name) {
    const auto found = device.fields.find(name);
    return found == device.fields.end() ? std::nullopt : std::optional(Utf8(found->second));
  };
  return {field("name"),   field("library"), field("library_path"),
          field("pci_id"), field("uuid"),    field("memory_total")};
}

UnmetClaim UnmetOf(const Check& check, const Evidence& evidence) {
  UnmetClaim unmet = {Utf8(check.expected), Utf8(check.seen), check.unknown, "", "", 0, 0};
  if (!check.because.empty())
    unmet.because = Utf8(check.because);
  else if (check.event != 0 && !evidence.events.empty())
    unmet.because = Utf8(ToString(evidence.At(check.event)));
  if (check.pos) {
    unmet.file = Utf8(check.pos->file);
    unmet.line = check.pos->line;
    unmet.column = check.pos->column;
  }
  return unmet;
}

// The first lines and the last: what stands between them is said to be cut.
std::vector<std::string> LogOf(const std::vector<LogLine>& log) {
  constexpr size_t kLines = limits::kReportedLogLines / 2, kBytes = limits::kReportedLogBytes / 2;
  const auto cut = [=](const std::string& text) {
    if (text.size() <= kBytes) return Utf8(text);
    return Utf8(text.substr(0, kBytes)) + fmt::format(" … (cut at {} bytes)", kBytes);
  };
  size_t head = 0, tail = log.size(), bytes = 0;
  while (head < log.size() && head < kLines && bytes < kBytes) bytes += log[head++].text.size();
  for (bytes = 0; tail > head && log.size() - tail < kLines && bytes < kBytes;)
    bytes += log[--tail].text.size();
  std::vector<std::string> lines;
  for (size_t i = 0; i < head; ++i) lines.push_back(cut(log[i].text));
  if (tail > head) lines.push_back(fmt::format("… {} lines are cut here", tail - head));
  for (size_t i = tail; i < log.size(); ++i) lines.push_back(cut(log[i].text));
  return lines;
}

// What it saw and said, for one that ran.
void AddEvidence(const Evidence& evidence, ReportedRun& run) {
  run.outcome = OutcomeOf(evidence.outcome);
  if (evidence.devices) {
    run.devices.emplace();
    for (const SeenDevice& device : *evidence.devices) run.devices->push_back(DeviceOf(device));
  }
  run.device_count = evidence.device_count;
  for (const Process& process : evidence.processes)
    run.processes.push_back({process.pid, process.parent, Utf8(process.role)});
  run.log = LogOf(evidence.log);
  run.funnel = RowsOf(evidence);
  if (const FunnelRow* const row = LostRow(evidence)) run.lost_at = ToString(row->loss->at);
  for (const std::string& read : AssumedReads(evidence)) run.assumed.push_back(Utf8(read));
  run.silent_failure = evidence.silent_failure;
  run.silent_because = Utf8(SentenceOf(evidence.silent_because));
  run.duration_ms = static_cast<double>(evidence.duration_ns) / 1e6;
}

}  // namespace

std::string ReportedRun::WordOfCase() const {
  const bool is_known = scenario.find('/') != std::string::npos;
  return is_known ? id : file + id.substr(std::min(id.find('@'), id.size()));
}

std::string ReportedRun::TraceCommand(const std::string& program) const {
  return program + " trace " + ShellWord(WordOfCase()) +
         (scanner_file.empty() ? "" : " --scanner " + ShellWord(scanner_file));
}

std::string ReportedRun::WhyCommand(const std::string& program) const {
  if (!Ran() || verdict == VerdictKind::kXpass || !scanner_file.empty()) return "";
  return fmt::format("{} why {} --run {}", program, ShellWord(WordOfCase()), ShellWord(run));
}

std::vector<ReportedRow> RowsOf(const Evidence& evidence) {
  std::vector<ReportedRow> rows;
  for (const FunnelRow& row : evidence.funnel) {
    const bool odd = row.loss || !row.remark.empty();
    rows.push_back({Utf8(row.library), row.pid, Utf8(row.role), StepsText(row),
                    StepWord(row.reached), StepWord(row.lost_at()), Utf8(ReasonText(row)),
                    odd ? std::optional(ToString(row.cause())) : std::nullopt,
                    Utf8(SentenceOf(row.remark)), row.loss && row.loss->said != 0});
  }
  return rows;
}

ReportedRun ReportedRunOf(const CaseReport& report, const RunReport& run,
                          const std::string& isolation) {
  const Case& c = report.c;
  ReportedRun reported;
  reported.id = Utf8(c.id);
  reported.scenario = Utf8(c.scenario);
  reported.file = Utf8(c.file);
  reported.claim = Utf8(c.claim);
  reported.scanner = Utf8(run.spec.scanner.name);
  reported.version = Utf8(run.spec.scanner.version);
  reported.scanner_file = run.spec.scanner.file;
  reported.run = Utf8(run.spec.name);
  for (const auto& [axis, value] : c.axes) reported.axes[Utf8(axis)] = Utf8(value);
  reported.isolation = isolation;
  reported.verdict = run.verdict.kind;
  reported.because = Utf8(run.verdict.because);
  reported.unjudged = run.verdict.unjudged;
  for (const Check& check : run.verdict.checks)
    if (!check.ok) reported.unmet.push_back(UnmetOf(check, run.evidence));
  if (!run.evidence.events.empty()) AddEvidence(run.evidence, reported);
  return reported;
}

}  // namespace gpustage
