#include "harness/report/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/report/for_terminal.h"
#include "harness/report/repeats.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr const char* kReset = "\x1b[0m";
constexpr size_t kVerdictWidth = 6, kRunWidth = 16, kSummaryWidth = 34, kTimeWidth = 9;
constexpr size_t kLabel = 12;  // the text behind "  because   "

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
    case VerdictKind::kFlaky: return {"FLAKY", "\x1b[31m"};
  }
  return {"", ""};
}

std::string Coloured(const Word& word, const TextStyle& style) {
  const std::string padded = fmt::format("{:<{}}", word.text, kVerdictWidth);
  return style.colour ? word.colour + padded + kReset : padded;
}

// The answer in a few words.
std::string Summary(const ReportedRun& run) {
  if (run.verdict == VerdictKind::kSkip || run.verdict == VerdictKind::kError ||
      run.verdict == VerdictKind::kFlaky)
    return run.because;
  if (run.answers.size() > 1)
    return run.verdict == VerdictKind::kPass ? run.because : AnswersText(run.answers);
  if (!run.device_count) return run.outcome ? run.outcome->text : run.because;
  std::string text =
      fmt::format("{} device{}", *run.device_count, *run.device_count == 1 ? "" : "s");
  if (*run.device_count == 0 && run.lost_at) text += fmt::format(", lost at \"{}\"", *run.lost_at);
  if (!run.answers.empty()) text += fmt::format(", {} times", run.answers.front().times);
  return text;
}

std::string TimeText(const ReportedRun& run) {
  return run.duration_ms > 0 ? fmt::format("{} ms", static_cast<int64_t>(run.duration_ms)) : "";
}

// An id in lines of at most `width`, broken between its axes and nowhere else.
std::string BrokenId(const std::string& id, size_t indent, size_t width) {
  std::string text;
  size_t column = indent;
  for (size_t start = 0; start < id.size();) {
    const size_t end = std::min(id.find_first_of("@,", start + 1), id.size());
    if (column > indent && column + (end - start) > width) {
      text += "\n" + std::string(indent + 2, ' ');
      column = indent + 2;
    }
    text += id.substr(start, end - start);
    column += end - start;
    start = end;
  }
  return text;
}

std::string Labelled(const char* label, const std::string& text, size_t width) {
  return fmt::format("  {:<9} {}\n", label, Wrapped(OneLine(text), kLabel, width));
}

std::string UnmetText(const UnmetClaim& unmet, size_t width) {
  const std::string place =
      unmet.file.empty() ? "" : fmt::format("{}:{}:{}", unmet.file, unmet.line, unmet.column);
  const bool fits = kLabel + unmet.expected.size() + 4 + place.size() <= width;
  const std::string before = fits ? "    " : "\n" + std::string(kLabel, ' ');
  return fmt::format("  {:<9} {}{}\n", "expected", Wrapped(OneLine(unmet.expected), kLabel, width),
                     place.empty() ? "" : before + place) +
         Labelled(unmet.unknown ? "unknown" : "seen", unmet.seen, width) +
         (unmet.because.empty() ? "" : Labelled("because", unmet.because, width));
}

// The first few are enough to tell which kind it is; the JSON report has all.
std::string AssumedText(const std::vector<std::string>& reads, size_t width) {
  constexpr size_t kShown = 3;
  if (reads.empty()) return "";
  std::string text =
      fmt::format("{} answer{} that nobody recorded: ", reads.size(), reads.size() == 1 ? "" : "s");
  for (size_t i = 0; i < std::min(kShown, reads.size()); ++i)
    text += (i == 0 ? "" : ", ") + reads[i];
  return Labelled("assumed", text + (reads.size() > kShown ? ", …" : ""), width);
}

}  // namespace

TextStyle PlainStyle(size_t name_width) {
  TextStyle style;
  style.name_width = static_cast<int>(name_width);
  return style;
}

TextStyle FittedStyle(size_t name_width, int width, bool colour) {
  TextStyle style = PlainStyle(name_width);
  style.colour = colour;
  style.width = width;
  style.stacked = kVerdictWidth + static_cast<size_t>(style.name_width) + 2 + kRunWidth +
                      kSummaryWidth + kTimeWidth >
                  static_cast<size_t>(width);
  return style;
}

std::string FunnelText(const std::vector<ReportedRow>& rows, size_t width) {
  std::string text;
  size_t longest = 0, line = 0;
  for (const ReportedRow& row : rows) longest = std::max(longest, row.library.size());
  for (const ReportedRow& row : rows)
    line = std::max(line, kLabel + longest + 2 + row.steps.size());
  const std::string deep(kLabel, ' ');
  for (const ReportedRow& row : rows) {
    const char* const label = text.empty() ? "funnel" : "";
    const std::string who =
        row.pid == 0 ? "" : fmt::format("in {} (pid {})", OneLine(row.process), row.pid);
    if (line <= width) {
      text += fmt::format("  {:<9} {:<{}}  {}\n", label, row.library, longest, row.steps);
      if (!who.empty()) text += fmt::format("{}{:<{}}  {}\n", deep, "", longest, who);
    } else {
      text += fmt::format("  {:<9} {}\n{}  {}\n", label, row.library, deep,
                          Wrapped(row.steps, kLabel + 2, width));
      if (!who.empty()) text += fmt::format("{}  {}\n", deep, who);
    }
    for (const std::string& sentence : {row.reason, row.remark})
      if (!sentence.empty())
        text += fmt::format("{}  {}\n", deep, Wrapped(OneLine(sentence), kLabel + 2, width));
  }
  return text;
}

std::string ProgressLine(const ReportedRun& run, const TextStyle& style) {
  const std::string time = TimeText(run), id = OneLine(run.id), name = OneLine(run.run),
                    summary = OneLine(Summary(run));
  std::string line = Coloured(WordOf(run.verdict), style);
  const size_t width = static_cast<size_t>(style.width),
               name_width = static_cast<size_t>(style.name_width);
  if (style.stacked) {
    const std::string indent(kVerdictWidth + 2, ' ');
    line += BrokenId(id, kVerdictWidth, width) + "\n" + indent +
            Wrapped(fmt::format("{}  {}", name, summary), indent.size(), width);
    const size_t column = line.size() - line.rfind('\n') - 1;
    if (!time.empty()) line += (column + 2 + time.size() <= width ? "  " : "\n" + indent) + time;
  } else {
    line += fmt::format("{:<{}}  {:<{}}{:<{}}{:>{}}", id, name_width, name + " ", kRunWidth,
                        summary, kSummaryWidth, time, kTimeWidth);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string FailureBlock(const ReportedRun& run, const TextStyle& style) {
  if (!IsBad(run.verdict)) return "";
  const size_t width = static_cast<size_t>(style.width);
  std::string text = fmt::format("{}{} [{}]\n", Coloured(WordOf(run.verdict), style),
                                 OneLine(run.id), OneLine(run.run));
  text += Labelled("claim", run.claim, width);
  if (run.unmet.empty() || run.verdict == VerdictKind::kFlaky)
    text += Labelled("because", run.because, width);
  for (const UnmetClaim& unmet : run.unmet) text += UnmetText(unmet, width);
  if (run.outcome) {
    text += Labelled("outcome", run.outcome->text, width);
    for (const ReportedProcess& process : run.processes)
      text += Labelled(
          "process",
          fmt::format("pid {} (child of {}): {}", process.pid, process.parent, process.role),
          width);
  }
  text += FunnelText(run.funnel, width);
  if (run.silent_failure.value_or(false)) text += Labelled("silent", run.silent_because, width);
  text += AssumedText(run.assumed, width);
  text += fmt::format("  {:<9} {}\n", "look",
                      OneLine(run.TraceCommand(style.program) + style.scanners));
  if (const std::string why = run.WhyCommand(style.program); !why.empty())
    text += fmt::format("  {:<9} {}\n", "next", OneLine(why));
  if (const std::string like = style.like ? style.like(run) : ""; !like.empty())
    text += fmt::format("  {:<9} {}\n", "like", OneLine(like));
  return text;
}

}  // namespace gpustage
