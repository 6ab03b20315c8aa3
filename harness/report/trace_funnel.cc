// The path of each candidate library through the steps of the funnel, as a reader wants it: who,
// how, by which rule.
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/report/trace.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

constexpr size_t kStepWidth = 11;  // of "entry point"

// What stands behind a step's word.
std::string Shown(const Event& event, EventId id) {
  switch (event.kind) {
    case EventKind::kSearch:
      return event.subject.find('/') != std::string::npos
                 ? fmt::format("by dlopen of its path (#{})", id)
                 : fmt::format("by its name, for {} (#{})",
                               event.by.empty() ? "the program" : BaseNameOf(event.by), id);
    case EventKind::kLoad: return fmt::format("(#{})", id);
    case EventKind::kSymbol: return fmt::format("{} (#{})", event.subject, id);
    case EventKind::kCall: return fmt::format("{} (#{})", CallText(event), id);
    default: return fmt::format("(#{})", id);
  }
}

// The events of a row's process, as the funnel took them for its steps.
class Path {
 public:
  Path(const Evidence& evidence, const FunnelRow& row, const TraceOptions& options)
      : evidence_(evidence),
        row_(row),
        options_(options),
        who_(row.pid == 0 ? "" : ProcessName(evidence, row.pid)) {}

  std::string Text() {
    Which();
    Steps();
    if (row_.loss) {
      const std::string known = row_.loss->known == Known::kAsked     ? " (asked after the run)"
                                : row_.loss->known == Known::kDerived ? " (derived)"
                                                                      : "";
      Line("lost",
           SentenceOf(row_.loss->reason) + known +
               (row_.event != 0 && row_.loss->known == Known::kSeen
                    ? fmt::format(" (#{})", row_.event)
                    : ""),
           true);
      if (!row_.loss->loader_says.empty()) Line("ld.so says", row_.loss->loader_says);
      for (const Fact& fact : row_.loss->because)
        Line(fact.kind == Fact::Kind::kAnswered                                 ? "which copy"
             : fact.kind == Fact::Kind::kShadowed                               ? "shadows"
             : fact.kind == Fact::Kind::kLink                                   ? "link"
             : fact.kind == Fact::Kind::kAlso                                   ? "likewise"
             : fact.kind == Fact::Kind::kContainer                              ? "container"
             : fact.kind == Fact::Kind::kOpened && fact.number != 0             ? "given"
             : fact.kind == Fact::Kind::kVersions && fact.subject == fact.other ? "versions"
                                                                                : "because",
             FactText(fact));
      const std::vector<std::string> tries = Suggestions(row_);
      for (const std::string& what : tries) Line("try", what + Proof(what));
      if (!options_.proven.empty() && !marked_)
        Line("try", options_.proven.front().words + "  (proven by gpustage why)");
    }
    if (!row_.remark.empty()) Line("note", SentenceOf(row_.remark));
    return text_;
  }

  // All in one line, for a library of which nothing was lost.
  std::string Brief() {
    std::string steps;
    for (const auto& [step, seen] : row_.steps)
      if (seen.state == StepState::kSeen || seen.state == StepState::kDerived)
        steps += fmt::format("{}{}{}", steps.empty() ? "" : ", ", ToString(step),
                             seen.state == StepState::kDerived ? "*" : "");
    if (who_.empty()) who_ = "no process";
    text_ += "    " + fmt::format("{:<{}}  ", who_, kStepWidth) +
             Wrapped(steps.empty() ? "not observed" : steps, 6 + std::max(kStepWidth, who_.size()),
                     options_.width) +
             "\n";
    if (!row_.remark.empty()) Line("note", SentenceOf(row_.remark));
    return text_;
  }

 private:
  // A suggestion is proven where `why` changed what it is about.
  std::string Proof(const std::string& what) {
    for (const ProvenTry& proven : options_.proven)
      if (what.find(proven.subject) != std::string::npos) {
        marked_ = true;
        return what == proven.words ? "  (proven by gpustage why)"
                                    : fmt::format("  (proven by gpustage why: {})", proven.words);
      }
    return "  (not proven)";
  }

  void Line(const std::string& word, const std::string& what, bool strong = false) {
    const std::string shown = fmt::format("{:<{}}", word, kStepWidth);
    text_ += "    " + (strong && options_.colour ? "\x1b[31m" + shown + "\x1b[0m" : shown) + "  " +
             Wrapped(what, 6 + kStepWidth, options_.width) + "\n";
  }

  void Steps() {
    std::string derived;
    bool needs_shown = false;
    for (const auto& [step, seen] : row_.steps) {
      if (row_.loss && step >= row_.loss->at) break;
      if (seen.state == StepState::kDerived && seen.event == 0) {
        derived += (derived.empty() ? "" : ", ") + ToString(step);
        continue;
      }
      if (seen.state != StepState::kSeen && seen.state != StepState::kDerived) continue;
      Derived(derived);
      // Whoever listed it may be another process than the one that opened it.
      if (seen.event == 0)
        Line(ToString(step), who_);
      else
        Line(ToString(step),
             fmt::format("{:<10}  {}", ProcessName(evidence_, evidence_.At(seen.event).pid),
                         Shown(evidence_.At(seen.event), seen.event)));
      if (step == Step::kLoaded) {
        Needs();
        needs_shown = true;
      }
    }
    Derived(derived);
    if (!needs_shown) Needs();
  }

  void Derived(std::string& steps) {
    if (!steps.empty()) Line(steps, "(derived: a later step happened)");
    steps.clear();
  }

  // Which file answered for the name, where that is not plain.
  void Which() {
    if (row_.pid == 0 || row_.reached < Step::kLoaded) return;
    const bool linked = !row_.file.empty() && row_.file != row_.library;
    if (row_.rule.empty()) return;
    Line("file", row_.library + (linked ? " -> " + row_.file : "") + "  " + ByRule(row_.rule));
    for (const std::string& other : evidence_.setting.libraries)
      if (BaseNameOf(other) == BaseNameOf(row_.library) && other != row_.library &&
          other != row_.file)
        Line("shadows", other);
  }

  // In another process of the same library mostly the same, which is not told twice.
  bool NeedsAreKnown(const std::vector<Need>& needs) {
    for (const FunnelRow& other : evidence_.funnel) {
      if (&other == &row_) return false;
      if (other.library != row_.library || !other.loss) continue;
      const std::vector<Need>& others = other.needs;
      const bool same =
          std::equal(needs.begin(), needs.end(), others.begin(), others.end(),
                     [](const Need& a, const Need& b) {
                       return a.name == b.name && a.found == b.found && a.rule == b.rule;
                     });
      if (!same || needs.empty()) continue;
      Line("needs", "the same as " + ProcessName(evidence_, other.pid));
      return true;
    }
    return false;
  }

  // What was opened for it and not mapped.
  static std::string Opened(const Need& need) {
    if (!need.opened) return "";
    const std::string rule = ByRule(need.opened->rule);
    if (need.same_as.empty())
      return fmt::format("{}  {}, was opened and refused", need.opened->path, rule);
    return fmt::format("in {}  {}, the same file as {}, which is loaded already",
                       ParentOf(need.opened->path), rule, BaseNameOf(need.same_as));
  }

  void Needs() {
    const std::vector<Need>& needs = row_.needs;
    if (NeedsAreKnown(needs)) return;
    size_t longest = 0;
    for (const Need& need : needs) longest = std::max(longest, need.name.size());
    for (const Need& need : needs) {
      const std::string name = fmt::format("{:<{}}  ", need.name, longest);
      const std::string for_whom =
          need.requester.empty() || LexicallyNormal(need.requester) == row_.library
              ? ""
              : ", for " + BaseNameOf(need.requester);
      const std::string where =
          BaseNameOf(need.found) == need.name ? "in " + ParentOf(need.found) : need.found;
      const std::string loaded = need.found.empty() ? Opened(need) : "";
      if (!loaded.empty())
        Line("needs", name + loaded + for_whom);
      else if (!need.found.empty())
        Line("needs",
             name + where + (need.rule.empty() ? "" : "  " + ByRule(need.rule)) + for_whom);
      else
        Line("needs",
             fmt::format("{}not found{}; {} {}: {}", name, for_whom, need.tried.size(),
                         need.tried.size() == 1 ? "place" : "places", CountByRule(PlacesOf(need))));
    }
  }

  const Evidence& evidence_;
  const FunnelRow& row_;
  const TraceOptions& options_;
  bool marked_ = false;  // a suggestion was
  std::string who_;
  std::string text_;
};

// It is that library, or needs it.
bool IsAbout(const FunnelRow& row, const std::string& library) {
  if (row.library.find(library) != std::string::npos) return true;
  const std::vector<Need>& needs = row.needs;
  return std::any_of(needs.begin(), needs.end(), [&](const Need& need) {
    return need.name.find(library) != std::string::npos ||
           need.found.find(library) != std::string::npos;
  });
}

// What a library of the funnel asked for and lost, where its own row does not say the same.
std::string InnerPaths(const Evidence& evidence, const TraceOptions& options) {
  std::string text;
  for (const FunnelRow& inner : evidence.inner) {
    // What ggml asks NVML for beside the device is no loss of one.
    // What came as far as the count, the row of its caller tells.
    if (!inner.loss || inner.family == Family::kManagement || inner.lost_at() == Step::kReported ||
        !IsAbout(inner, options.library))
      continue;
    const bool told =
        std::any_of(evidence.funnel.begin(), evidence.funnel.end(), [&](const FunnelRow& row) {
          return row.pid == inner.pid && row.loss &&
                 (row.event == inner.event || row.loss->at <= Step::kLoaded);
        });
    const bool shown =
        std::any_of(evidence.funnel.begin(), evidence.funnel.end(),
                    [&](const FunnelRow& row) { return row.pid == inner.pid && row.loss; });
    if (!told && shown)
      text += fmt::format("\n  {}\n", inner.library) + Path(evidence, inner, options).Text();
  }
  return text;
}

}  // namespace

std::string FunnelPaths(const KeptRun& run, const TraceOptions& options) {
  const Evidence& evidence = run.evidence;
  std::string text, library;
  for (const FunnelRow& row : evidence.funnel) {
    if (!IsAbout(row, options.library)) continue;
    if (row.library != library) text += fmt::format("\n  {}\n", row.library);
    library = row.library;
    Path path(evidence, row, options);
    text += row.loss ? path.Text() : path.Brief();
  }
  return text + InnerPaths(evidence, options);
}

}  // namespace gpustage
