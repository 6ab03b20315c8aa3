#include "harness/cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "harness/cli/commands.h"
#include "harness/report/common.h"
#include "harness/report/for_terminal.h"

namespace gpustage {
namespace {

// One that can move its cursor.
bool IsTerminal(std::FILE* out) {
  const char* const term = std::getenv("TERM");
  return isatty(fileno(out)) != 0 && (term == nullptr || std::string_view(term) != "dumb");
}

bool WantsColour(std::FILE* out, const std::string& color) {
  if (color != "auto") return color == "always";
  const char* const no_color =
      std::getenv("NO_COLOR");  // set to nothing, it is not set: no-color.org
  return IsTerminal(out) && (no_color == nullptr || *no_color == '\0');
}

}  // namespace

TextStyle StyleFor(std::FILE* out, size_t longest, const std::string& color) {
  winsize size = {};
  const bool known =
      isatty(fileno(out)) != 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  TextStyle style = known ? FittedStyle(longest, size.ws_col, false) : PlainStyle(longest);
  style.colour = WantsColour(out, color);
  style.program = CalledAs();
  return style;
}

void Print(std::FILE* out, const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), out) != text.size()) return;  // ferror(out) stays
}

Status PrintOutcome(const Report& report, const RunList& runs, const TextStyle& style,
                    std::FILE* out, const MoreOfRun& more) {
  TRY(runs.EachBad([&](const ReportedRun& run) -> Status {
    Print(out, ForTerminal("\n" + FailureBlock(run, style) + (more ? more(run) : "")));
    return Ok();
  }));
  TRY(const std::vector<Common> common, CommonOf(runs));
  Print(out, ForTerminal(CommonText(common) + "\n" + TotalsText(report) + BaselineText(report)));
  return Ok();
}

Screen::Screen(std::FILE* out, TextStyle style, size_t all, Talk talk)
    : out_(out), style_(style), terminal_(IsTerminal(out)), talk_(talk) {
  progress_.all = all;
}

std::string Screen::LinesOf(const std::vector<ReportedRun>& runs) const {
  std::string lines;
  for (const ReportedRun& run : runs) {
    const bool skip = run.verdict == VerdictKind::kSkip;
    if (talk_ == Talk::kVerbose || (talk_ == Talk::kUsual && !skip))
      lines += ProgressLine(run, style_) + "\n";
  }
  return ForTerminal(lines);
}

void Screen::Ended(size_t place, const std::vector<ReportedRun>& runs) {
  ++progress_.done;
  for (const ReportedRun& run : runs) progress_.totals.Add(run.verdict);
  waiting_[place] = LinesOf(runs);
  Clear();
  for (auto next = waiting_.find(next_); next != waiting_.end(); next = waiting_.find(++next_)) {
    Print(out_, next->second);
    waiting_.erase(next);
  }
  progress_.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  shown_ = terminal_ && progress_.done < progress_.all;
  if (shown_) Print(out_, StatusLine(progress_, static_cast<size_t>(style_.width)));
  std::fflush(out_);
}

void Screen::Finish() {
  Clear();
  for (const auto& [place, lines] : waiting_) Print(out_, lines);
  waiting_.clear();
}

void Screen::Clear() {
  if (shown_) Print(out_, "\r\x1b[K");
  shown_ = false;
}

}  // namespace gpustage
