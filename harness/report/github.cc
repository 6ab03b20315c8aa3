#include "harness/report/github.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <utility>

#include "harness/base/files.h"
#include "harness/base/limits.h"

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
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Annotation {
  Place place;
  std::string kind;  // one annotation is of one kind
  std::string title;
  std::string message;
  std::vector<std::string> others;  // the first few runs that have the same
  size_t more = 0;                  // how many there are
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
  Annotation annotation = {
      {run.file, 1, 1}, kind, fmt::format("{} {}", run.Name(), HeadOf(run.verdict)),
      run.claim,        {},   0};
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

std::string Named(const Annotation& annotation) {
  if (annotation.more == 0) return "";
  return fmt::format("\nand {} more: {}{}", annotation.more, fmt::join(annotation.others, ", "),
                     annotation.more > annotation.others.size() ? ", …" : "");
}

std::string Cut(const std::string& text) {
  if (text.size() <= limits::kAnnotationBytes) return text;
  return text.substr(0, limits::kAnnotationBytes) +
         fmt::format("… (cut at {} bytes)", limits::kAnnotationBytes);
}

// Problems and what changed: they have no place.
std::vector<std::string> OfTheWhole(const Report& report) {
  std::vector<std::string> lines;
  for (const Problem& problem : report.problems)
    lines.push_back(fmt::format("::error title=gpustage::{}", Escaped(Cut(problem.text), false)));
  if (!report.baseline) return lines;
  for (const MovedDevice& moved : report.baseline->moved)
    lines.push_back(fmt::format(
        "::error title={}::{}", Escaped(moved.run + ": a device moved", true),
        Escaped(fmt::format("{}\nfrom {}\nto {}", moved.device, moved.from, moved.to), false)));
  for (const std::string& run : report.baseline->newly_silent)
    lines.push_back(fmt::format("::error title={}::a silent failure that was none in {}",
                                Escaped(run, true), Escaped(report.baseline->file, false)));
  return lines;
}

// Those of one level: as many as GitHub shows, the last of which says how many more there are.
class Annotations {
 public:
  explicit Annotations(const char* level) : level_(level) {}

  void Add(const ReportedRun& run) {
    constexpr size_t kNamed = 10;
    Annotation annotation = Annotated(run);
    const std::pair key = {annotation.place, annotation.kind};
    if (const auto same = by_place_.find(key); same != by_place_.end()) {
      Annotation& first = places_[same->second];
      if (++first.more <= kNamed) first.others.push_back(run.Name());
    } else if (places_.size() < limits::kAnnotations) {
      by_place_[key] = places_.size();
      places_.push_back(std::move(annotation));
    } else {
      ++further_;
    }
  }

  void WriteTo(const std::string& root, std::vector<std::string> lines, std::ostream& out) const {
    size_t more = further_;
    for (const Annotation& a : places_)
      lines.push_back(fmt::format("::{} file={},line={},col={},title={}::{}", level_,
                                  Escaped(Below(root, a.place.file), true), a.place.line,
                                  a.place.column, Escaped(a.title, true),
                                  Escaped(Cut(a.message) + Named(a), false)));
    if (lines.size() + (more > 0 ? 1 : 0) > limits::kAnnotations) {
      more += lines.size() - (limits::kAnnotations - 1);
      lines.resize(limits::kAnnotations - 1);
    }
    for (const std::string& line : lines) out << line << "\n";
    if (more > 0)
      out << fmt::format("::{} title=gpustage::and {} more, which the other reports have\n", level_,
                         more);
  }

 private:
  const char* const level_;
  std::vector<Annotation> places_;
  std::map<std::pair<Place, std::string>, size_t> by_place_;
  size_t further_ = 0;  // runs of other places
};

}  // namespace

Status WriteGithubAnnotations(const Report& report, const RunList& runs, const std::string& root,
                              std::ostream& out) {
  Annotations errors("error"), warnings("warning");
  std::set<std::string> old;  // what failed before the baseline was written does not fail the run
  if (report.baseline)
    old.insert(report.baseline->still_failing.begin(), report.baseline->still_failing.end());
  TRY(runs.EachBad([&](const ReportedRun& run) -> Status {
    (old.contains(run.Name()) ? warnings : errors).Add(run);
    return Ok();
  }));
  errors.WriteTo(root, OfTheWhole(report), out);
  warnings.WriteTo(root, {}, out);
  return Ok();
}

}  // namespace gpustage
