#include "harness/cli/screen.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "harness/cli/commands.h"

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

TextStyle StyleFor(std::FILE* out, const std::vector<std::string>& ids, const std::string& color) {
  winsize size = {};
  const bool known =
      isatty(fileno(out)) != 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  TextStyle style = known ? FittedStyle(ids, size.ws_col, false) : PlainStyle(ids);
  style.colour = WantsColour(out, color);
  style.program = CalledAs();
  return style;
}

void PrintOutcome(const Report& report, const TextStyle& style, std::FILE* out) {
  for (const ReportedRun& run : report.runs)
    if (const std::string block = FailureBlock(run, style); !block.empty())
      fmt::print(out, "\n{}", block);
  fmt::print(out, "\n{}{}", TotalsText(report), BaselineText(report));
}

Screen::Screen(std::FILE* out, TextStyle style, size_t all)
    : out_(out), style_(style), terminal_(IsTerminal(out)) {
  progress_.all = all;
}

void Screen::Ended(const std::vector<ReportedRun>& runs) {
  Clear();
  ++progress_.done;
  for (const ReportedRun& run : runs) {
    progress_.totals.Add(run.verdict);
    fmt::print(out_, "{}\n", ProgressLine(run, style_));
  }
  progress_.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  shown_ = terminal_ && progress_.done < progress_.all;
  if (shown_) fmt::print(out_, "{}", StatusLine(progress_, static_cast<size_t>(style_.width)));
  std::fflush(out_);
}

void Screen::Clear() {
  if (shown_) fmt::print(out_, "\r\x1b[K");
  shown_ = false;
}

}  // namespace gpustage
