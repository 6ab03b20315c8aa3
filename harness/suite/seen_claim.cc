#include "harness/suite/seen_claim.h"

#include <fmt/format.h>

#include <cstring>

#include "harness/base/files.h"
#include "harness/scenario/model/cause.h"
#include "harness/verdict/checks.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

using Changes = std::vector<ClaimChange>;

template <typename What>
bool Holds(const Evidence& evidence, const What& what) {
  return CheckClaim(evidence, {what, false, {}}).ok;
}

YamlNode Number(int64_t number) { return TextNode(fmt::format("{}", number)); }

YamlNode OutcomeNode(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kExited) return MapNode({{"exited", Number(outcome.code)}});
  if (outcome.kind == Outcome::Kind::kKilled)
    if (const char* const name = sigabbrev_np(outcome.code))
      return MapNode({{"killed", TextNode(fmt::format("SIG{}", name))}});
  return TextNode("timed_out");
}

// The number of what is counted: more and more are claimed until it is too many.
template <typename What>
std::optional<Changes> Count(const Evidence& evidence, What what) {
  const auto at_least = [&](int64_t n) {
    what.count = {n, std::nullopt};
    return Holds(evidence, what);
  };
  int64_t least = 0, beyond = 1;
  for (; at_least(beyond); beyond *= 2) least = beyond;
  while (beyond - least > 1) {
    const int64_t middle = least + (beyond - least) / 2;
    (at_least(middle) ? least : beyond) = middle;
  }
  return Changes{{"count", Number(least)}};
}

struct Instead {
  const Evidence& evidence;

  std::optional<Changes> operator()(const DevicesClaim&) const {
    if (!evidence.device_count) return std::nullopt;
    return Changes{{"", Number(*evidence.device_count)}};
  }
  std::optional<Changes> operator()(const DeviceClaim& claim) const {
    const auto index = static_cast<size_t>(claim.index);
    if (!evidence.devices || index >= evidence.devices->size()) return std::nullopt;
    Changes changes;
    for (const auto& [name, wanted] : claim.fields) {
      const auto& fields = (*evidence.devices)[index].fields;
      const auto seen = fields.find(name);
      if (seen == fields.end()) return std::nullopt;
      if (seen->second != wanted) changes.push_back({name, TextNode(seen->second)});
    }
    return changes;
  }
  std::optional<Changes> operator()(const OutcomeClaim&) const {
    if (evidence.outcome.kind == Outcome::Kind::kStopped) return std::nullopt;  // no claim says it
    return Changes{{"", OutcomeNode(evidence.outcome)}};
  }
  std::optional<Changes> operator()(const SilentClaim& claim) const {
    return Changes{{"", TextNode(claim.silent ? "false" : "true")}};
  }
  std::optional<Changes> operator()(const CallsClaim& c) const { return Count(evidence, c); }
  std::optional<Changes> operator()(const SearchesClaim& c) const { return Count(evidence, c); }
  std::optional<Changes> operator()(const DlsymClaim& c) const { return Count(evidence, c); }
  std::optional<Changes> operator()(const LacksClaim& c) const { return Count(evidence, c); }
  std::optional<Changes> operator()(const TakesClaim& c) const { return Count(evidence, c); }
  std::optional<Changes> operator()(const ProcessClaim& c) const { return Count(evidence, c); }
  std::optional<Changes> operator()(const FilesClaim& c) const { return Count(evidence, c); }

  std::optional<Changes> operator()(const LostClaim& claim) const {
    LostClaim seen = {claim.library, claim.at, std::nullopt};
    Changes changes;
    const auto step = StepOf(seen, seen.at);
    if (!step) return std::nullopt;
    seen.at = *step;
    if (seen.at != claim.at) changes.push_back({"at", TextNode(ToString(seen.at))});
    if (claim.cause && !Keeps(seen, seen.cause, *claim.cause)) {
      if (!FindWord(seen, seen.cause, CauseWords())) return std::nullopt;
      changes.push_back({"cause", TextNode(*seen.cause)});
    }
    if (claim.known && !Keeps(seen, seen.known, *claim.known)) {
      if (!FindWord(seen, seen.known, {"seen", "derived", "asked"})) return std::nullopt;
      changes.push_back({"known", TextNode(*seen.known)});
    }
    if (claim.because && !Keeps(seen, seen.because, *claim.because)) {
      std::vector<std::string> reasons;
      for (const FunnelRow& row : evidence.funnel)
        if (row.loss) reasons.push_back(ReasonText(row));
      if (!FindWord(seen, seen.because, reasons)) return std::nullopt;
      changes.push_back({"because", TextNode(*seen.because)});
    }
    return changes;
  }
  std::optional<Changes> operator()(const ReachedClaim& claim) const {
    ReachedClaim seen = {claim.library, claim.step};
    Changes changes;
    if (!Holds(evidence, seen)) {
      // Whoever got to a step got to those before it.
      std::optional<Step> last;
      for (int i = 0; i <= static_cast<int>(Step::kReported); ++i) {
        seen.step = static_cast<Step>(i);
        if (Holds(evidence, seen)) last = seen.step;
      }
      if (!last) return std::nullopt;
      seen.step = *last;
      changes.push_back({"step", TextNode(ToString(*last))});
    }
    if (claim.cause && !Keeps(seen, seen.cause, *claim.cause)) {
      if (!FindWord(seen, seen.cause, CauseWords())) return std::nullopt;
      changes.push_back({"cause", TextNode(*seen.cause)});
    }
    return changes;
  }
  std::optional<Changes> operator()(const LoadsClaim& claim) const {
    if (!claim.present) return std::nullopt;
    for (const Event& event : evidence.events) {
      if (event.kind != EventKind::kLoad) continue;
      LoadsClaim seen = claim;
      if (claim.from) seen.from = event.subject;
      if (claim.build_id) seen.build_id = event.detail;
      seen.by.reset();
      if (!Holds(evidence, seen)) continue;
      if (claim.by &&
          !FindWord(seen, seen.by, {"LD_LIBRARY_PATH", "RPATH", "RUNPATH", "cache", "default"}))
        continue;
      Changes changes;
      const auto changed = [&](const char* key, const auto& before, const auto& now) {
        if (before && *before != *now) changes.push_back({key, TextNode(*now)});
      };
      changed("from", claim.from, seen.from);
      changed("build_id", claim.build_id, seen.build_id);
      changed("by", claim.by, seen.by);
      return changes;
    }
    return std::nullopt;
  }
  // What a log says, and in what order, is text that people choose.
  template <typename Other>
  std::optional<Changes> operator()(const Other&) const {
    return std::nullopt;
  }

 private:
  std::optional<Step> StepOf(LostClaim claim, Step usual) const {
    for (int i = -1; i <= static_cast<int>(Step::kReported); ++i) {
      claim.at = i < 0 ? usual : static_cast<Step>(i);
      if (Holds(evidence, claim)) return claim.at;
    }
    return std::nullopt;
  }
  // `field` is a field of `claim`.
  template <typename What>
  bool Keeps(What& claim, std::optional<std::string>& field, const std::string& word) const {
    field = word;
    if (Holds(evidence, claim)) return true;
    field.reset();
    return false;
  }
  template <typename What>
  bool FindWord(What& claim, std::optional<std::string>& field,
                const std::vector<std::string>& words) const {
    for (const std::string& word : words)
      if (Keeps(claim, field, word)) return true;
    return false;
  }
};

}  // namespace

std::optional<std::vector<ClaimChange>> SeenInstead(const Evidence& evidence, const Claim& claim) {
  std::optional<Changes> changes = std::visit(Instead{evidence}, claim.what);
  if (!changes || changes->empty()) return std::nullopt;
  return changes;
}

YamlNode ClaimsOf(const Evidence& evidence) {
  std::vector<std::pair<std::string, YamlNode>> claims;
  if (evidence.device_count) claims.emplace_back("devices", Number(*evidence.device_count));
  if (const FunnelRow* const row = LostRow(evidence)) {
    LostClaim lost = {BaseNameOf(row->library), row->loss->at, std::nullopt};
    std::vector<std::pair<std::string, YamlNode>> node = {{"library", TextNode(lost.library)},
                                                          {"at", TextNode(ToString(lost.at))}};
    lost.cause = ToString(row->cause());
    if (Holds(evidence, lost)) node.emplace_back("cause", TextNode(*lost.cause));
    lost.cause.reset();
    if (Holds(evidence, lost)) claims.emplace_back("lost", MapNode(std::move(node)));
  }
  const Outcome& outcome = evidence.outcome;
  const bool usual = (outcome.kind == Outcome::Kind::kExited && outcome.code == 0) ||
                     outcome.kind == Outcome::Kind::kStopped;
  if (!usual || claims.empty()) claims.emplace_back("outcome", OutcomeNode(outcome));
  return MapNode(std::move(claims));
}

}  // namespace gpustage
