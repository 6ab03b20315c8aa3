#include "harness/report/text.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/evidence/assumed.h"
#include "harness/evidence/relate.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr const char* kReset = "\x1b[0m";

struct Word {
  const char* text;
  const char* colour;
};

Word WordOf(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass: return {"ok", "\x1b[32m"};
    case VerdictKind::kFail: return {"FAIL", "\x1b[31m"};
    case VerdictKind::kSkip: return {"skip", "\x1b[33m"};
    case VerdictKind::kXfail: return {"xfail", "\x1b[33m"};
    case VerdictKind::kXpass: return {"XPASS", "\x1b[31m"};
    case VerdictKind::kError: return {"ERROR", "\x1b[31m"};
  }
  return {"", ""};
}

std::string Coloured(const Word& word, size_t width, const TextStyle& style) {
  const std::string padded = fmt::format("{:<{}}", word.text, width);
  return style.colour ? word.colour + padded + kReset : padded;
}

// Cut in the middle: both ends of a path or a sentence tell more than its middle.
std::string Fit(const std::string& text, size_t width) {
  if (text.size() <= width || width < 8) return text;
  const size_t head = (width - 3) / 2, tail = width - 3 - head;
  return text.substr(0, head) + "..." + text.substr(text.size() - tail);
}

// The answer in a few words.
std::string Summary(const RunReport& run) {
  if (run.verdict.kind == VerdictKind::kSkip || run.verdict.kind == VerdictKind::kError) return run.verdict.because;
  const Evidence& evidence = run.evidence;
  if (!evidence.device_count) return ToString(evidence.outcome);
  std::string text = fmt::format("{} device{}", *evidence.device_count, *evidence.device_count == 1 ? "" : "s");
  const FunnelRow* const row = *evidence.device_count == 0 ? LostRow(evidence) : nullptr;
  return row == nullptr ? text : text + fmt::format(", lost at \"{}\"", ToString(*row->lost_at));
}

// Step names with what is known of each: "listed? opened loaded -entry point".
std::string StepsText(const FunnelRow& row) {
  std::string text;
  for (const auto& [step, state] : row.steps) {
    if (row.lost_at == step) return text + fmt::format("LOST at {}", ToString(step));
    if (state == StepState::kNotObservable) continue;
    text += ToString(step) + (state == StepState::kDerived ? "* " : " ");
  }
  if (text.empty()) return "not observed";
  text.pop_back();
  return text;
}

// The first few are enough to tell which kind it is; the JSON report has all.
std::string AssumedText(const Evidence& evidence) {
  constexpr size_t kShown = 3;
  const std::vector<std::string> reads = AssumedReads(evidence);
  if (reads.empty()) return "";
  std::string text = fmt::format("  {:<9} {} answer{} that nobody recorded: ", "assumed", reads.size(), reads.size() == 1 ? "" : "s");
  for (size_t i = 0; i < std::min(kShown, reads.size()); ++i) text += (i == 0 ? "" : ", ") + reads[i];
  return text + (reads.size() > kShown ? ", …\n" : "\n");
}

// "ollama@0.17.4": two versions of a scanner are timed apart.
std::string NameOf(const ScannerSpec& scanner) { return RunName(scanner.name, scanner); }

// The lower one of two in the middle.
int64_t MedianOf(std::vector<int64_t>& values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::string FunnelText(const Evidence& evidence, size_t width) {
  std::string text;
  size_t longest = 0;
  for (const FunnelRow& row : evidence.funnel) longest = std::max(longest, row.library.size());
  longest = std::min(longest, width / 2);
  for (const FunnelRow& row : evidence.funnel) {
    text += fmt::format("  {:<9} {:<{}}  {}\n", text.empty() ? "funnel" : "", Fit(row.library, longest), longest, StepsText(row));
    if (row.pid != 0) text += fmt::format("  {:<9} {:<{}}  in {} (pid {})\n", "", "", longest, row.role, row.pid);
    for (const std::string& sentence : {row.reason, row.remark})
      if (!sentence.empty()) text += fmt::format("  {:<9} {:<{}}  {}\n", "", "", 2, Wrapped(sentence, 16, width));
  }
  return text;
}

std::string ProgressLine(const CaseReport& report, const RunReport& run, const TextStyle& style) {
  constexpr size_t kRunWidth = 16, kSummaryWidth = 34;
  const size_t name_width = static_cast<size_t>(style.name_width);
  std::string line = fmt::format("{}{:<{}}  {:<{}}{:<{}}", Coloured(WordOf(run.verdict.kind), 6, style),
                                 Fit(report.c.id, name_width), name_width, run.spec.name + " ", kRunWidth, Summary(run),
                                 kSummaryWidth);
  if (run.evidence.duration_ns > 0) line += fmt::format("{:>6} ms", run.evidence.duration_ns / 1'000'000);
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string FailureBlock(const CaseReport& report, const RunReport& run, const TextStyle& style) {
  if (!IsBad(run.verdict.kind)) return "";
  std::string text = fmt::format("{}{} [{}]\n", Coloured(WordOf(run.verdict.kind), 6, style), report.c.id, run.spec.name);
  text += fmt::format("  {:<9} {}\n", "claim", report.c.claim);
  for (const Check& check : run.verdict.checks) {
    if (check.ok) continue;
    text += fmt::format("  {:<9} {}", "expected", check.expected);
    if (check.pos) text += fmt::format("    {}", ToString(*check.pos));
    text += fmt::format("\n  {:<9} {}\n", check.unknown ? "unknown" : "seen", check.seen);
    if (check.event != 0 && !run.evidence.events.empty())
      text += fmt::format("  {:<9} {}\n", "because", ToString(run.evidence.At(check.event)));
  }
  if (std::all_of(run.verdict.checks.begin(), run.verdict.checks.end(), [](const Check& check) { return check.ok; }))
    text += fmt::format("  {:<9} {}\n", "because", run.verdict.because);
  if (!run.evidence.events.empty()) {
    text += fmt::format("  {:<9} {}\n", "outcome", ToString(run.evidence.outcome));
    for (const Process& process : run.evidence.processes)
      text += fmt::format("  {:<9} pid {} (child of {}): {}\n", "process", process.pid, process.parent, process.role);
  }
  text += FunnelText(run.evidence, static_cast<size_t>(style.width));
  if (run.evidence.silent_failure.value_or(false)) text += fmt::format("  {:<9} {}\n", "silent", run.evidence.silent_because);
  text += AssumedText(run.evidence);
  text += fmt::format("  {:<9} gpustage trace {}\n", "look", report.c.id);
  return text;
}

std::string TotalsText(const std::vector<CaseReport>& reports, double seconds) {
  const Totals totals = Count(reports);
  std::string text = fmt::format("{} passed, {} failed", totals.pass, totals.fail);
  if (totals.xfail > 0) text += fmt::format(", {} failed as expected", totals.xfail);
  if (totals.xpass > 0) text += fmt::format(", {} passed unexpectedly", totals.xpass);
  if (totals.error > 0) text += fmt::format(", {} errors", totals.error);
  if (totals.skip > 0) text += fmt::format(", {} skipped", totals.skip);
  text += fmt::format(" in {:.1f} s\n", seconds);
  std::map<std::string, int> reasons, passed;
  std::map<std::string, std::vector<int64_t>> durations;
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) {
      if (run.verdict.kind == VerdictKind::kSkip) ++reasons[run.verdict.because];
      if (run.verdict.kind == VerdictKind::kPass) ++passed[run.spec.scanner.name];
      if (run.evidence.duration_ns > 0) durations[NameOf(run.spec.scanner)].push_back(run.evidence.duration_ns);
    }
  for (const auto& [reason, count] : reasons) text += fmt::format("  skipped {}: {}\n", count, reason);
  const auto reads_assumed = [](const RunReport& run) { return !AssumedReads(run.evidence).empty(); };
  int64_t assuming = 0;
  for (const CaseReport& report : reports) assuming += std::count_if(report.runs.begin(), report.runs.end(), reads_assumed);
  if (assuming > 0) text += fmt::format("  read assumed values of a device: {} (in the JSON report: assumed)\n", assuming);
  std::string by_scanner;
  for (const auto& [scanner, count] : passed)
    by_scanner += fmt::format("{}{} {}", by_scanner.empty() ? "" : ", ", scanner, count);
  if (!by_scanner.empty()) text += fmt::format("  passed by scanner: {}\n", by_scanner);
  std::string medians;
  for (auto& [scanner, all] : durations)
    medians += fmt::format("{}{} {} ms", medians.empty() ? "" : ", ", scanner, MedianOf(all) / 1'000'000);
  if (!medians.empty()) text += fmt::format("  median time a run: {}\n", medians);
  return text;
}

}  // namespace gpustage
