#include "harness/report/github.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "harness/base/files.h"

namespace gpustage {
namespace {

// As the toolkit of GitHub's actions escapes: these would end a line, and in a property the
// property.
std::string Escaped(const std::string& text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool ends = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    out += ends ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::string Below(const std::string& root, const std::string& file) {
  const std::string path = LexicallyNormal(file);
  return !root.empty() && path.starts_with(root + "/") ? path.substr(root.size() + 1) : path;
}

struct Place {
  std::string file;
  int line = 1;
  int column = 1;
  friend bool operator==(const Place&, const Place&) = default;
};

struct Annotation {
  Place place;
  std::string kind;   // one annotation is of one kind
  std::string level;  // of GitHub: "error", "warning"
  std::string title;
  std::string message;
  std::vector<std::string> others;
};

const char* HeadOf(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kXpass: return "passes unexpectedly";
    case VerdictKind::kError: return "cannot be told";
    case VerdictKind::kFlaky: return "is flaky";
    default: return "fails";
  }
}

Annotation Annotated(const ReportedRun& run) {
  const std::string kind = ToString(run.verdict) + (run.unmet.empty() ? run.because : "");
  Annotation annotation = {{run.file, 1, 1}, kind,
                           "error",          fmt::format("{} {}", run.Name(), HeadOf(run.verdict)),
                           run.claim,        {}};
  const auto say = [&](const std::string& text) { annotation.message += "\n" + text; };
  const auto placed = std::find_if(run.unmet.begin(), run.unmet.end(),
                                   [](const UnmetClaim& unmet) { return !unmet.file.empty(); });
  if (placed != run.unmet.end()) annotation.place = {placed->file, placed->line, placed->column};
  if (run.unmet.empty() || run.verdict == VerdictKind::kFlaky) say(run.because);
  for (const UnmetClaim& unmet : run.unmet) {
    say("expected: " + unmet.expected);
    say((unmet.unknown ? "unknown: " : "seen: ") + unmet.seen);
    if (!unmet.because.empty()) say("because: " + unmet.because);
  }
  say("look: " + run.TraceCommand());
  return annotation;
}

// What failed before the baseline was written does not fail the run.
bool IsOld(const Report& report, const ReportedRun& run) {
  if (!report.baseline) return false;
  const std::vector<std::string>& old = report.baseline->still_failing;
  return std::find(old.begin(), old.end(), run.Name()) != old.end();
}

std::string Named(const std::vector<std::string>& others) {
  constexpr size_t kShown = 10;
  std::string text = fmt::format("\nand {} more: ", others.size());
  for (size_t i = 0; i < std::min(kShown, others.size()); ++i)
    text += (i == 0 ? "" : ", ") + others[i];
  return text + (others.size() > kShown ? ", …" : "");
}

}  // namespace

std::string GithubAnnotations(const Report& report, const std::string& root) {
  std::vector<Annotation> annotations;
  for (const ReportedRun& run : report.runs) {
    if (!IsBad(run.verdict)) continue;
    Annotation annotation = Annotated(run);
    if (IsOld(report, run)) annotation.level = "warning";
    const auto same =
        std::find_if(annotations.begin(), annotations.end(), [&](const Annotation& a) {
          return a.place == annotation.place && a.kind == annotation.kind &&
                 a.level == annotation.level;
        });
    if (same == annotations.end())
      annotations.push_back(std::move(annotation));
    else
      same->others.push_back(run.Name());
  }
  std::string text;
  for (const Annotation& a : annotations)
    text += fmt::format("::{} file={},line={},col={},title={}::{}\n", a.level,
                        Escaped(Below(root, a.place.file), true), a.place.line, a.place.column,
                        Escaped(a.title, true),
                        Escaped(a.message + (a.others.empty() ? "" : Named(a.others)), false));
  for (const Problem& problem : report.problems)
    text += fmt::format("::error title=gpustage::{}\n", Escaped(problem.text, false));
  if (!report.baseline) return text;
  for (const MovedDevice& moved : report.baseline->moved)
    text += fmt::format(
        "::error title={}::{}\n", Escaped(moved.run + ": a device moved", true),
        Escaped(fmt::format("{}\nfrom {}\nto {}", moved.device, moved.from, moved.to), false));
  for (const std::string& run : report.baseline->newly_silent)
    text += fmt::format("::error title={}::a silent failure that was none in {}\n",
                        Escaped(run, true), Escaped(report.baseline->file, false));
  return text;
}

}  // namespace gpustage
