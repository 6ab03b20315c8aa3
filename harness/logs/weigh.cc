#include "harness/logs/weigh.h"

#include <algorithm>
#include <set>

#include "harness/base/text.h"
#include "harness/logs/facts_of_discovery.h"

namespace gpustage {
namespace {

// The same line may stand in a log many times; it is told once.
void AddOnce(const LineFact* fact, std::vector<const LineFact*>& facts) {
  for (const LineFact* known : facts)
    if (known->rule == fact->rule && known->fields == fact->fields) return;
  facts.push_back(fact);
}

}  // namespace

bool MayBeOf(const VersionRange& versions, const LogReading& log) {
  const bool any = versions.from.empty() && versions.below.empty();
  if (any || log.program != "ollama") return true;
  if (!log.version.empty()) return Holds(versions, log.version);
  // No version: all that the lines leave open.
  const auto& [from, below] = log.dated;
  const bool too_late =
      !from.empty() && !versions.below.empty() && Holds({versions.below, ""}, from);
  const bool too_early =
      !below.empty() && !versions.from.empty() && Holds({below, ""}, versions.from);
  return !too_late && !too_early;
}

namespace {

// Whether a line that names the cause may stand in the part that was cut out.
bool MayBeInWhatIsMissing(const Knowledge& knowledge, const LogCause& cause,
                          const LogReading& log) {
  if (log.whole()) return false;
  return std::any_of(knowledge.rules.begin(), knowledge.rules.end(), [&](const LineRule& rule) {
    const bool written =
        rule.level.empty() || log.level.empty() || Rank(log.level) >= Rank(rule.level);
    const bool tells =
        rule.kind == LineKind::kLoss || rule.kind == LineKind::kDrop || rule.kind == LineKind::kUse;
    return tells && (rule.program.empty() || rule.program == log.program) && written &&
           Contains(rule.causes, cause.id) && MayBeOf(rule.versions, log) &&
           (!rule.program.empty() || MayBeOf(cause.versions, log));
  });
}

// Whether this log may have the cause at all, before any line is looked at.
bool IsThoughtOf(const Knowledge& knowledge, const LogCause& cause, const LogReading& log,
                 const std::set<std::string>& vendors) {
  if (cause.linux_alone && (log.platform == "Windows" || log.platform == "macOS")) return false;
  if (!cause.vendor.empty() && !vendors.empty() && vendors.count(cause.vendor) == 0) return false;
  const bool of_program = cause.program.empty() || cause.program == log.program;
  if (of_program && cause.candidate && MayBeOf(cause.versions, log)) return true;
  return MayBeInWhatIsMissing(knowledge, cause, log);
}

// Whose GPU it is, where the log says so.
std::set<std::string> VendorsOf(const LogReading& log) {
  std::set<std::string> vendors;
  for (const LineFact& fact : log.facts)
    if (!fact.rule->vendor.empty()) vendors.insert(fact.rule->vendor);
  const std::string wanted = WantedLibrary(log);
  if (wanted.starts_with("cuda")) vendors.insert("nvidia");
  if (wanted.starts_with("rocm")) vendors.insert("amd");
  for (const auto& [name, vendor] :
       {std::pair("CUDA_VISIBLE_DEVICES", "nvidia"), std::pair("HSA_OVERRIDE_GFX_VERSION", "amd"),
        std::pair("ROCR_VISIBLE_DEVICES", "amd")})
    if (const auto set = log.settings.find(name); set != log.settings.end() && !set->second.empty())
      vendors.insert(vendor);
  return vendors;
}

// A line that is there, or what several lines say, and a log with the cause does not have.
bool IsAgainst(const LogReading& log, const std::set<std::string>& derived, WeighedCause& weighed) {
  for (const std::string& id : weighed.cause->never) {
    if (const LineFact* fact = log.Find(id); fact != nullptr && !fact->taken_back) {
      weighed.by = fact;
      return true;
    }
    if (derived.count(id) != 0) {
      weighed.missing = {};
      weighed.level = id;
      return true;
    }
  }
  return false;
}

// A line that is missing, and that this version at this level writes in a part that is whole.
bool IsMissing(const LogReading& log, WeighedCause& weighed) {
  if (!log.whole()) return false;
  for (const WrittenLine& trace : weighed.cause->writes) {
    const bool there = std::any_of(trace.lines.begin(), trace.lines.end(),
                                   [&](const auto& id) { return log.Find(id) != nullptr; });
    if (there || !MayWrite(log, trace.versions, trace.level)) continue;
    weighed.missing = trace.lines;
    weighed.level = trace.level;
    return true;
  }
  return false;
}

// The causes of several lines: what all of them name, or else what any of them does.
void Name(const Knowledge& knowledge, const std::vector<const LineFact*>& facts,
          std::vector<WeighedCause>& named) {
  std::vector<std::string> common;
  bool first = true, agree = true;
  for (const LineFact* fact : facts) {
    if (fact->rule->causes.empty()) continue;
    std::vector<std::string> both;
    for (const std::string& cause : fact->rule->causes)
      if (first || Contains(common, cause)) both.push_back(cause);
    if (both.empty()) agree = false;
    if (agree) common = both;
    first = false;
  }
  for (const LineFact* fact : facts)
    for (const std::string& id : fact->rule->causes) {
      if (agree && !Contains(common, id)) continue;
      const LogCause* cause = knowledge.Find(id);
      const auto known = std::find_if(named.begin(), named.end(),
                                      [&](const WeighedCause& w) { return w.cause == cause; });
      // The line that names fewest is the one to quote.
      if (known == named.end())
        named.push_back({cause, fact, {}, ""});
      else if (fact->rule->causes.size() < known->by->rule->causes.size())
        known->by = fact;
    }
}

// What a hint points at comes first; of several named causes it leaves those alone.
void Heed(const LogReading& log, std::vector<WeighedCause>& causes, bool only) {
  std::vector<const LineFact*> hints = log.All(LineKind::kHint);
  const auto hint_of = [&](const WeighedCause& weighed) {
    for (const LineFact* hint : hints)
      if (Contains(hint->rule->causes, weighed.cause->id)) return hint;
    return static_cast<const LineFact*>(nullptr);
  };
  std::stable_partition(causes.begin(), causes.end(),
                        [&](const WeighedCause& w) { return hint_of(w) != nullptr; });
  const bool any = !causes.empty() && hint_of(causes.front()) != nullptr;
  if (any && only)
    std::erase_if(causes, [&](const WeighedCause& w) { return hint_of(w) == nullptr; });
  for (WeighedCause& weighed : causes)
    if (const LineFact* hint = hint_of(weighed); hint != nullptr && weighed.by == nullptr)
      weighed.by = hint;
}

LogOutcome OutcomeOf(const LogReading& log, const Explanation& e) {
  if (!e.devices.empty()) return e.says.empty() ? LogOutcome::kHealthy : LogOutcome::kUse;
  if (!log.All(LineKind::kNone).empty()) return LogOutcome::kNone;
  if (!e.says.empty()) return LogOutcome::kFailed;
  // What whoever writes, and what says nothing, is no log of a GPU's.
  const bool any = std::any_of(log.facts.begin(), log.facts.end(), [&](const LineFact& fact) {
    return !log.program.empty() ||
           (fact.rule->kind != LineKind::kNote && fact.rule->kind != LineKind::kNoise);
  });
  return log.begins || log.starts > 0 || any ? LogOutcome::kUnfinished : LogOutcome::kNothing;
}

}  // namespace

Explanation Weigh(const Knowledge& knowledge, const LogReading& log) {
  Explanation e;
  for (const LineFact* fact : log.All(LineKind::kDevice)) AddOnce(fact, e.devices);
  // With a device at the end, what failed before it is of another directory.
  const int last = e.devices.empty() ? 0 : e.devices.back()->line.number;
  for (const LineFact& fact : log.facts) {
    const LineKind kind = fact.rule->kind;
    if (fact.taken_back) continue;
    if (kind == LineKind::kDrop && !e.devices.empty()) AddOnce(&fact, e.drops);
    if ((kind == LineKind::kLoss || kind == LineKind::kDrop) && e.devices.empty())
      AddOnce(&fact, e.says);
    if (kind == LineKind::kLoss && last > 0 && fact.line.number > last) AddOnce(&fact, e.says);
    if (kind == LineKind::kUse) AddOnce(&fact, e.says);
  }
  e.outcome = OutcomeOf(log, e);
  Name(knowledge, e.says, e.named);
  const std::set<std::string> derived = DerivedFacts(log);
  std::vector<WeighedCause> kept;
  for (WeighedCause named : e.named)
    if (WeighedCause tried = named; !IsAgainst(log, derived, tried)) kept.push_back(named);
  e.named = kept;
  // Where a whole discovery is told, as many children load what lies in both folders.
  const LineFact* const twice = BackendTwice(log);
  if (twice != nullptr && log.Of("backend-loaded").size() == log.facts.size())
    e.named.push_back({knowledge.Find("loader-of-other-release"), twice, {}, ""});
  Heed(log, e.named, true);
  if (!e.named.empty() || e.outcome == LogOutcome::kHealthy || e.outcome == LogOutcome::kNothing)
    return e;
  const std::set<std::string> vendors = VendorsOf(log);
  for (const LogCause& cause : knowledge.causes) {
    if (!IsThoughtOf(knowledge, cause, log, vendors)) continue;
    WeighedCause weighed{&cause, nullptr, {}, ""};
    const bool out = IsAgainst(log, derived, weighed) || IsMissing(log, weighed);
    (out ? e.ruled_out : e.left).push_back(weighed);
  }
  Heed(log, e.left, false);
  return e;
}

}  // namespace gpustage
