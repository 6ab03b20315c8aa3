#include "harness/verdict/checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/verdict/check_builder.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

const LogLine* FirstMatch(const Evidence& evidence, const LinePattern& pattern, EventId after) {
  for (const LogLine& line : evidence.log)
    if (line.event > after && Matches(pattern, line.text)) return &line;
  return nullptr;
}

// The row that says most of a library: the one that got furthest. What a library of the funnel
// asked for in turn is known too, where no process asked for it by itself.
const FunnelRow* FurthestRow(const Evidence& evidence, const std::string& library) {
  const FunnelRow* best = nullptr;
  for (const auto* rows : {&evidence.funnel, &evidence.inner}) {
    for (const FunnelRow& row : *rows)
      if ((Names(row.library, library) || Names(row.file, library)) &&
          (best == nullptr || row.reached > best->reached))
        best = &row;
    if (best != nullptr) break;
  }
  return best;
}

EventId FunnelEvent(const Evidence& evidence) {
  const FunnelRow* const row = LostRow(evidence);
  return row == nullptr ? evidence.outcome_event() : row->event;
}

std::string DeviceText(const SeenDevice& device) {
  const auto field = [&](const char* name) {
    const auto found = device.fields.find(name);
    return found == device.fields.end() ? std::string() : found->second;
  };
  std::string text = field("name");
  const std::string through =
      field("library_path").empty() ? field("library") : field("library_path");
  return through.empty() ? text : text + (text.empty() ? "through " : " through ") + through;
}

}  // namespace

std::string DevicesSeen(const Evidence& evidence) {
  if (!evidence.device_count) return SentenceOf(evidence.devices_unreadable);
  std::string text =
      fmt::format("{} device{}", *evidence.device_count, *evidence.device_count == 1 ? "" : "s");
  if (evidence.devices && !evidence.devices->empty()) {
    std::string names;
    for (const SeenDevice& device : *evidence.devices)
      if (const std::string name = DeviceText(device); !name.empty())
        names += (names.empty() ? ": " : ", ") + name;
    return text + names;
  }
  const FunnelRow* const row = *evidence.device_count == 0 ? LostRow(evidence) : nullptr;
  if (row == nullptr) return text;
  return text + fmt::format(", {} lost at \"{}\": {}", BaseNameOf(row->library),
                            ToString(row->loss->at), ReasonText(*row));
}

namespace {

// Of a scanner that did not come to its end.
Check DevicesUnknown(const Evidence& evidence) {
  const EventId event = evidence.outcome_event();
  Check check = Unobservable(SentenceOf(evidence.devices_unreadable), event);
  if (const std::string end = EndText(evidence); !end.empty() && event != 0)
    check.because = fmt::format("{}. {}", ToString(evidence.At(event)), end);
  return check;
}

}  // namespace

Check CheckDevices(const Evidence& evidence, const DevicesClaim& claim) {
  if (!evidence.device_count) return DevicesUnknown(evidence);
  EventId event = FunnelEvent(evidence);
  if (evidence.devices && !evidence.devices->empty()) event = evidence.devices->back().event;
  Check check =
      MakeCheck(claim.count.Contains(*evidence.device_count), DevicesSeen(evidence), event);
  if (!check.ok) check.because = MissingText(evidence);
  return check;
}

Check CheckCountIsStated(const Evidence& evidence, const DistributionClaim& claim) {
  Check check = CheckDevices(evidence, {});
  if (!check.unknown) check.ok = claim.shares.contains(*evidence.device_count);
  return check;
}

Check CheckDevice(const Evidence& evidence, const DeviceClaim& claim) {
  if (!evidence.devices)
    return evidence.device_count ? Unobservable("the scanner counts devices and does not name them",
                                                evidence.outcome_event())
                                 : DevicesUnknown(evidence);
  const size_t index = static_cast<size_t>(claim.index);
  if (index >= evidence.devices->size()) {
    Check check = MakeCheck(false, fmt::format("no device {}: {}", index, DevicesSeen(evidence)),
                            FunnelEvent(evidence));
    check.because = MissingText(evidence);
    return check;
  }
  const SeenDevice& device = (*evidence.devices)[index];
  for (const auto& [name, wanted] : claim.fields) {
    const auto found = device.fields.find(name);
    if (found == device.fields.end())
      return Unobservable(fmt::format("the scanner does not say a device's {}", name),
                          device.event);
    if (found->second != wanted)
      return MakeCheck(false, fmt::format("{}: {}", name, found->second), device.event);
  }
  return MakeCheck(true, DeviceText(device), device.event);
}

namespace {

Check WasCut(const Evidence& evidence) {
  return Unobservable(fmt::format("{} lines of the log are cut", evidence.cut_lines),
                      evidence.outcome_event());
}

}  // namespace

Check CheckLog(const Evidence& evidence, const LogClaim& claim) {
  const LogLine* line = FirstMatch(evidence, claim.pattern, 0);
  if (line != nullptr) return MakeCheck(claim.present, line->text, line->event);
  if (evidence.cut_lines > 0) return WasCut(evidence);
  return MakeCheck(!claim.present, fmt::format("no such line among {}", evidence.log.size()),
                   evidence.outcome_event());
}

Check CheckLogOrder(const Evidence& evidence, const LogOrderClaim& claim) {
  EventId after = 0;
  for (const LinePattern& pattern : claim.patterns) {
    const LogLine* line = FirstMatch(evidence, pattern, after);
    if (line == nullptr && evidence.cut_lines > 0) return WasCut(evidence);
    if (line == nullptr)
      return MakeCheck(false,
                       fmt::format("no line with \"{}\" {}", pattern.text,
                                   after == 0 ? "at all" : "after the one before it"),
                       after == 0 ? evidence.outcome_event() : after);
    after = line->event;
  }
  return MakeCheck(true, "all of them, in order", after == 0 ? evidence.outcome_event() : after);
}

Check CheckOutcome(const Evidence& evidence, const OutcomeClaim& claim) {
  const Outcome& outcome = evidence.outcome;
  const bool kind = (claim.kind == "exited" && outcome.kind == Outcome::Kind::kExited) ||
                    (claim.kind == "killed" && outcome.kind == Outcome::Kind::kKilled) ||
                    (claim.kind == "timed_out" && outcome.kind == Outcome::Kind::kTimedOut);
  return MakeCheck(kind && (!claim.code || *claim.code == outcome.code), ToString(outcome),
                   evidence.outcome_event());
}

Check CheckCalls(const Evidence& evidence, const CallsClaim& claim) {
  if (!evidence.journal_complete)
    return Unobservable("the journal of calls is not complete", evidence.outcome_event());
  const Within within(evidence, claim.in);
  const auto is_meant = [&](const Event& call) {
    return (!claim.result || call.value == *claim.result) &&
           (!claim.device || call.device == *claim.device) &&
           (!claim.arguments || call.detail.find(*claim.arguments) != std::string::npos);
  };
  int64_t count = 0;
  const Event* last = nullptr;
  const Event* other = nullptr;  // of the function, and not meant
  for (const Event& call : evidence.events) {
    if (call.kind != EventKind::kCall || call.subject != claim.function || !within.Has(call.pid))
      continue;
    (is_meant(call) ? last : other) = &call;
    count += is_meant(call) ? 1 : 0;
  }
  // None is only said of what could be watched.
  if (count == 0)
    if (const std::string unseen = within.LoaderUnseen(); !unseen.empty())
      return Unobservable(fmt::format("calls of {}: {}", claim.function, unseen),
                          evidence.outcome_event());
  std::string seen = fmt::format("{} {}", count, count == 1 ? "call" : "calls");
  if (claim.in)
    seen += fmt::format(" in {} {}", within.size(), within.size() == 1 ? "process" : "processes");
  const Event* const shown = last != nullptr ? last : other;
  return MakeCheck(claim.count.Contains(count), seen,
                   shown == nullptr ? FunnelEvent(evidence) : shown->id);
}

Check CheckProcess(const Evidence& evidence, const ProcessClaim& claim) {
  if (claim.ended && !evidence.files_observed) return FilesUnseen(evidence);
  int64_t count = 0;
  EventId event = 0;
  for (const Process* process : ProcessesOf(evidence, claim.role)) {
    const bool has = std::all_of(
        claim.environment.begin(), claim.environment.end(), [&](const std::string& wanted) {
          return std::any_of(process->environment.begin(), process->environment.end(),
                             [&](const std::string& entry) {
                               return wanted.find('=') == std::string::npos
                                          ? entry.starts_with(wanted + "=")
                                          : entry == wanted;
                             });
        });
    if (!has || (claim.ended && process->end != *claim.ended)) continue;
    if (claim.argv &&
        fmt::format("{}", fmt::join(process->argv, " ")).find(*claim.argv) == std::string::npos)
      continue;
    ++count;
    event = claim.ended ? process->end_event : process->event;
  }
  if (count == 0 && !evidence.loader_observed && !evidence.files_observed)
    return Unobservable("processes: " + Within(evidence, std::nullopt).LoaderUnseen(),
                        evidence.outcome_event());
  return MakeCheck(claim.count.Contains(count),
                   fmt::format("{} such {}", count, count == 1 ? "process" : "processes"),
                   event == 0 ? evidence.outcome_event() : event);
}

Check CheckSilent(const Evidence& evidence, const SilentClaim& claim) {
  if (!evidence.silent_failure)
    return Unobservable(SentenceOf(evidence.silent_because), evidence.outcome_event());
  EventId event = evidence.outcome_event();
  for (const FunnelRow& row : evidence.funnel)
    if (row.failed()) event = row.loss->said != 0 ? row.loss->said : row.event;
  return MakeCheck(*evidence.silent_failure == claim.silent,
                   fmt::format("{}: {}", *evidence.silent_failure ? "silent" : "not silent",
                               SentenceOf(evidence.silent_because)),
                   event);
}

Check CheckLost(const Evidence& evidence, const LostClaim& claim) {
  const FunnelRow* row = FurthestRow(evidence, claim.library);
  if (row == nullptr)
    return Unobservable(fmt::format("{} is no candidate in this tree", claim.library),
                        evidence.outcome_event());
  if (!row->loss)
    return MakeCheck(false,
                     row->reached ? fmt::format("it got as far as \"{}\"", ToString(*row->reached))
                                  : "nothing was seen of it",
                     row->event);
  const std::string reason = ReasonText(*row);
  const bool why = !claim.because || reason.find(*claim.because) != std::string::npos;
  const bool word = !claim.cause || ToString(row->cause()) == *claim.cause;
  const bool known = !claim.known || ToString(row->loss->known) == *claim.known;
  const std::string cause = word ? known ? "" : fmt::format(" ({})", ToString(row->loss->known))
                                 : fmt::format(" ({})", ToString(row->cause()));
  return MakeCheck(row->loss->at == claim.at && why && word && known,
                   fmt::format("lost at \"{}\"{}: {}", ToString(row->loss->at), cause, reason),
                   row->event);
}

Check CheckReached(const Evidence& evidence, const ReachedClaim& claim) {
  const FunnelRow* row = FurthestRow(evidence, claim.library);
  if (row == nullptr)
    return Unobservable(fmt::format("{} is no candidate in this tree", claim.library),
                        evidence.outcome_event());
  const auto step = row->steps.find(claim.step);
  const StepState state = step == row->steps.end() ? StepState::kNotObservable : step->second.state;
  if (state == StepState::kNotObservable && (!row->loss || claim.step < row->loss->at))
    return Unobservable(
        fmt::format("whether it was {} could not be observed", ToString(claim.step)), row->event);
  const bool word = !claim.cause || ToString(row->cause()) == *claim.cause;
  std::string seen = row->reached ? fmt::format("it got as far as \"{}\"", ToString(*row->reached))
                                  : "nothing was seen of it";
  if (claim.cause)
    seen += row->remark.empty()
                ? ", and nothing is odd about it"
                : fmt::format(" ({}): {}", ToString(row->cause()), SentenceOf(row->remark));
  return MakeCheck(row->reached && *row->reached >= claim.step && word, seen, row->event);
}

bool CanJudge(EvidenceLevel level, const Claim& claim) {
  struct Visitor {
    EvidenceLevel level;
    bool operator()(const DevicesClaim&) const { return true; }
    bool operator()(const DistributionClaim&) const { return true; }
    bool operator()(const DeviceClaim&) const { return true; }
    bool operator()(const LogClaim&) const { return true; }
    bool operator()(const LogOrderClaim&) const { return true; }
    bool operator()(const OutcomeClaim&) const { return true; }
    bool operator()(const LoadsClaim&) const { return WatchesLoader(level); }
    bool operator()(const SearchesClaim&) const { return WatchesLoader(level); }
    bool operator()(const DlsymClaim&) const { return WatchesLoader(level); }
    bool operator()(const LacksClaim&) const { return WatchesLoader(level); }
    bool operator()(const TakesClaim&) const { return WatchesLoader(level); }
    bool operator()(const CallsClaim&) const { return WatchesLoader(level); }
    bool operator()(const LostClaim&) const { return WatchesLoader(level); }
    bool operator()(const ReachedClaim&) const { return WatchesLoader(level); }
    bool operator()(const SilentClaim&) const { return WatchesLoader(level); }
    bool operator()(const ProcessClaim& c) const {
      return WatchesFiles(level) || (WatchesLoader(level) && !c.ended);
    }
    bool operator()(const FilesClaim&) const { return WatchesFiles(level); }
    bool operator()(const UnheardClaim&) const { return WatchesFiles(level); }
  };
  return std::visit(Visitor{level}, claim.what);
}

Check CheckClaim(const Evidence& evidence, const Claim& claim) {
  struct Visitor {
    const Evidence& evidence;
    Check operator()(const DevicesClaim& c) const { return CheckDevices(evidence, c); }
    Check operator()(const DistributionClaim& c) const { return CheckCountIsStated(evidence, c); }
    Check operator()(const DeviceClaim& c) const { return CheckDevice(evidence, c); }
    Check operator()(const LogClaim& c) const { return CheckLog(evidence, c); }
    Check operator()(const LogOrderClaim& c) const { return CheckLogOrder(evidence, c); }
    Check operator()(const OutcomeClaim& c) const { return CheckOutcome(evidence, c); }
    Check operator()(const LoadsClaim& c) const { return CheckLoads(evidence, c); }
    Check operator()(const SearchesClaim& c) const { return CheckSearches(evidence, c); }
    Check operator()(const DlsymClaim& c) const { return CheckDlsym(evidence, c); }
    Check operator()(const LacksClaim& c) const { return CheckLacks(evidence, c); }
    Check operator()(const TakesClaim& c) const { return CheckTakes(evidence, c); }
    Check operator()(const CallsClaim& c) const { return CheckCalls(evidence, c); }
    Check operator()(const LostClaim& c) const { return CheckLost(evidence, c); }
    Check operator()(const SilentClaim& c) const { return CheckSilent(evidence, c); }
    Check operator()(const ProcessClaim& c) const { return CheckProcess(evidence, c); }
    Check operator()(const FilesClaim& c) const { return CheckFiles(evidence, c); }
    Check operator()(const UnheardClaim& c) const { return CheckUnheard(evidence, c); }
    Check operator()(const ReachedClaim& c) const { return CheckReached(evidence, c); }
  };
  Check check = std::visit(Visitor{evidence}, claim.what);
  check.expected = ToString(claim);
  check.pos = claim.pos;
  if (claim.inverted && !check.unknown) check.ok = !check.ok;
  return check;
}

}  // namespace gpustage
