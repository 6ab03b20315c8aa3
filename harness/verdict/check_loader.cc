// Claims about the loader.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/verdict/check_builder.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

// "LD_LIBRARY_PATH[2]" and "default directory" as a scenario calls them.
std::string RuleWord(const std::string& rule) {
  if (rule == "ld.so.cache") return "cache";
  if (rule == "default directory") return "default";
  return rule.substr(0, rule.find('['));
}

bool IsNamed(const std::string& path, const std::optional<std::string>& library) {
  return !library || Names(path, *library);
}

EventId OfTheLoss(const Evidence& evidence) {
  const FunnelRow* const row = LostRow(evidence);
  return row == nullptr ? evidence.outcome_event() : row->event;
}

// Counts, and keeps the last event that counts; or, while none does, one that is near.
struct Found {
  int64_t count = 0;
  const Event* shown = nullptr;
  void Take(const Event& event) {
    ++count;
    shown = &event;
  }
  void Near(const Event& event) {
    if (count == 0) shown = &event;
  }
};

// None is only said of what was watched.
Check Counted(const Evidence& evidence, const Within& within, const CountRange& wanted,
              const Found& found, std::string_view what) {
  if (found.count == 0)
    if (const std::string unseen = within.LoaderUnseen(); !unseen.empty())
      return Unobservable(fmt::format("{}: {}", what, unseen), evidence.outcome_event());
  std::string seen = fmt::format("{} {}", found.count, found.count == 1 ? "time" : "times");
  if (found.shown != nullptr) seen += ", " + ToString(*found.shown);
  return MakeCheck(wanted.Contains(found.count), seen,
                   found.shown == nullptr ? OfTheLoss(evidence) : found.shown->id);
}

// What the link that the loader opened in this process ended at; "" when it was none.
std::string EndOfLink(const Evidence& evidence, const Event& load) {
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kOpen && event.pid == load.pid && event.subject == load.subject &&
        !event.by.empty())
      return event.by;
  return "";
}

}  // namespace

Check CheckLoads(const Evidence& evidence, const LoadsClaim& claim) {
  const Within within(evidence, claim.in);
  const Event* other = nullptr;
  std::string rule;
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kLoad || !within.Has(event.pid)) continue;
    const std::string end = EndOfLink(evidence, event);
    const auto is_from = [&] { return event.subject == *claim.from || end == *claim.from; };
    if (!Names(event.subject, claim.library) && (end.empty() || !Names(end, claim.library)) &&
        !(claim.from && is_from()))
      continue;
    const std::string found_by = claim.by ? event.found_by : "";
    const bool here =
        (!claim.from || is_from()) && (!claim.build_id || event.detail == *claim.build_id);
    if (here && (!claim.by || RuleWord(found_by) == *claim.by))
      return MakeCheck(claim.present, ToString(event) + (claim.by ? " " + ByRule(found_by) : ""),
                       event.id);
    other = &event;
    rule = found_by;
  }
  if (const std::string unseen = within.LoaderUnseen(); !unseen.empty())
    return Unobservable("loads: " + unseen, evidence.outcome_event());
  if (other != nullptr)
    return MakeCheck(!claim.present, ToString(*other) + (rule.empty() ? "" : " " + ByRule(rule)),
                     other->id);
  return MakeCheck(!claim.present, fmt::format("no process loaded {}", claim.library),
                   OfTheLoss(evidence));
}

Check CheckSearches(const Evidence& evidence, const SearchesClaim& claim) {
  const Within within(evidence, claim.in);
  Found found;
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kSearch || event.subject != claim.path || !within.Has(event.pid))
      continue;
    if ((!claim.by || RuleWord(event.found_by) == *claim.by) && IsNamed(event.by, claim.requester))
      found.Take(event);
    else
      found.Near(event);
  }
  return Counted(evidence, within, claim.count, found, "searches");
}

Check CheckDlsym(const Evidence& evidence, const DlsymClaim& claim) {
  const Within within(evidence, claim.in);
  Found found;
  for (const Event& event : evidence.events) {
    const bool hit = event.kind == EventKind::kSymbol,
               miss = event.kind == EventKind::kSymbolMissing;
    // A miss says which version was asked for, too.
    if (!(hit || miss) || !within.Has(event.pid) ||
        event.subject.substr(0, event.subject.find('@')) != claim.symbol)
      continue;
    if ((!claim.answer || *claim.answer == (hit ? "found" : "missing")) &&
        (!claim.from || (hit && Names(event.detail, *claim.from))))
      found.Take(event);
    else
      found.Near(event);
  }
  if (found.count == 0 && claim.answer != "found")
    for (const UnseenMisses& unseen : evidence.linkage.unseen_misses)
      if (within.Has(unseen.pid))
        return Unobservable(
            fmt::format(
                "dlsym: {} calls it past its PLT, and what it asked for in vain is not seen",
                unseen.library.empty() ? "the program" : unseen.library),
            evidence.outcome_event());
  return Counted(evidence, within, claim.count, found, "dlsym");
}

Check CheckLacks(const Evidence& evidence, const LacksClaim& claim) {
  const Within within(evidence, std::nullopt);
  const auto has = [](const std::vector<std::string>& all,
                      const std::optional<std::string>& wanted) {
    return !wanted || std::any_of(all.begin(), all.end(), [&](const std::string& one) {
      return one == *wanted || one.starts_with(*wanted + "@");
    });
  };
  std::set<int> pids;
  std::string seen;
  for (const Gap& gap : evidence.linkage.gaps) {
    if (!Names(gap.requester, claim.library) || !IsNamed(gap.provider, claim.of)) continue;
    const bool it_is = has(gap.symbols, claim.symbol) && has(gap.versions, claim.version);
    if (it_is) pids.insert(gap.pid);
    if (it_is || seen.empty()) seen = GapText(gap);
  }
  const auto count = static_cast<int64_t>(pids.size());
  if (count == 0)
    if (const std::string unseen = within.LoaderUnseen(); !unseen.empty())
      return Unobservable("what libraries lack: " + unseen, evidence.outcome_event());
  return MakeCheck(claim.count.Contains(count),
                   seen.empty() ? fmt::format("{} lacks nothing", claim.library) : seen,
                   OfTheLoss(evidence));
}

Check CheckTakes(const Evidence& evidence, const TakesClaim& claim) {
  const Within within(evidence, claim.in);
  std::set<int> pids;
  const Interposer* shown = nullptr;
  for (const Interposer& interposer : evidence.linkage.interposers) {
    if (interposer.function != claim.function || !within.Has(interposer.pid)) continue;
    const bool it_is = IsNamed(interposer.library, claim.from);
    if (it_is) pids.insert(interposer.pid);
    if (it_is || shown == nullptr) shown = &interposer;
  }
  const auto count = static_cast<int64_t>(pids.size());
  if (count == 0)
    if (const std::string unseen = within.LoaderUnseen(); !unseen.empty())
      return Unobservable("who stands before libc: " + unseen, evidence.outcome_event());
  const std::string seen = shown == nullptr ? fmt::format("{} is libc's", claim.function)
                                            : fmt::format("pid {} takes {} from {}", shown->pid,
                                                          shown->function, shown->library);
  return MakeCheck(claim.count.Contains(count), seen,
                   shown == nullptr || shown->event == 0 ? evidence.outcome_event() : shown->event);
}

}  // namespace gpustage
