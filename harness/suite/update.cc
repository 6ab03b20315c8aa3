#include "harness/suite/update.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/verdict/checks.h"

namespace gpustage {
namespace {

constexpr char kRun[] = "run";

// "devices" of "devices: 2".
std::string KeyOf(const std::string& claim) { return claim.substr(0, claim.find(':')); }

YamlNode LabelsNode(const std::vector<std::string>& labels) {
  if (labels.size() == 1) return TextNode(labels.front());
  std::vector<YamlNode> items;
  for (const std::string& label : labels) items.push_back(TextNode(label));
  return ListNode(std::move(items));
}

void SetKey(YamlNode& map, const std::string& key, YamlNode value) {
  for (YamlEntry& entry : map.entries)
    if (entry.key == key) {
      entry.value = std::move(value);
      return;
    }
  map.entries.push_back({key, {}, std::move(value)});
}

void Restrict(YamlNode& expectation, const std::string& by,
              const std::vector<std::string>& labels) {
  if (by == kRun) return SetKey(expectation, kRun, LabelsNode(labels));
  const YamlNode* const old = expectation.Find("when");
  YamlNode when = old != nullptr ? *old : MapNode({});
  SetKey(when, by, LabelsNode(labels));
  SetKey(expectation, "when", std::move(when));
}

YamlNode Changed(YamlNode value, const std::vector<ClaimChange>& changes) {
  for (const ClaimChange& change : changes) {
    if (change.key.empty())
      value = change.value;
    else
      SetKey(value, change.key, change.value);
  }
  return value;
}

// A text that is changed step by step, each of them parsed.
class Change {
 public:
  Change(std::string text, std::string file) : text_(std::move(text)), file_(std::move(file)) {}

  Result<YamlNode> Root() const { return ParseYaml(text_, file_); }
  Status Do(YamlEdit edit) {
    TRY(text_, Edited(text_, file_, edit));
    return Ok();
  }
  // The key of the map there: set, or added at its end.
  Status Put(const YamlPlace& map, const std::string& key, YamlNode value) {
    TRY(const YamlNode root, Root());
    const YamlNode& node = NodeAt(root, map);
    YamlEdit edit = {YamlEdit::Kind::kAdd, map, key, std::move(value)};
    for (size_t i = 0; i < node.entries.size(); ++i)
      if (node.entries[i].key == key) {
        edit.kind = YamlEdit::Kind::kSet;
        edit.place.push_back(i);
      }
    return Do(std::move(edit));
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_, file_;
};

Status ChangeInPlace(Change& text, const YamlPlace& place,
                     const std::vector<ClaimChange>& changes) {
  for (const ClaimChange& change : changes) {
    if (change.key.empty())
      TRY(text.Do({YamlEdit::Kind::kSet, place, "", change.value}));
    else
      TRY(text.Put(place, change.key, change.value));
  }
  return Ok();
}

YamlPlace Above(YamlPlace place) {
  place.pop_back();
  return place;
}

// The claim leaves its expectation, or, where it is all that is expected there, that becomes the
// first variant; the others are further down.
Status Split(Change& text, const YamlPlace& place, const Proposal& proposal) {
  TRY(const YamlNode root, text.Root());
  const YamlPlace item_place = Above(place);
  const YamlNode& item = NodeAt(root, item_place);
  const YamlEntry& claim = item.entries[place.back()];
  std::vector<std::pair<std::string, YamlNode>> choice;
  for (const char* key : {kRun, "when"})
    if (const YamlNode* const node = item.Find(key)) choice.emplace_back(key, *node);
  const bool alone = item.entries.size() == choice.size() + 1;
  for (size_t i = alone ? 1 : 0; i < proposal.variants.size(); ++i) {
    const Proposal::Variant& variant = proposal.variants[i];
    YamlNode more = MapNode(choice);
    Restrict(more, proposal.by, variant.labels);
    more.entries.push_back(
        {claim.key, {}, variant.changes ? Changed(claim.value, *variant.changes) : claim.value});
    TRY(text.Do({YamlEdit::Kind::kAdd, Above(item_place), "", std::move(more)}));
  }
  if (!alone) return text.Do({YamlEdit::Kind::kRemove, place, "", {}});
  const Proposal::Variant& first = proposal.variants.front();
  if (first.changes) TRY(ChangeInPlace(text, place, *first.changes));
  YamlNode restricted = item;
  Restrict(restricted, proposal.by, first.labels);
  const std::string key = proposal.by == kRun ? kRun : "when";
  return text.Put(item_place, key, *restricted.Find(key));
}

Status AddExpectations(Change& text, const Proposal& proposal) {
  std::vector<YamlNode> items;
  for (const Proposal::Variant& variant : proposal.variants) {
    YamlNode item = MapNode({});
    if (!proposal.run.empty()) SetKey(item, kRun, TextNode(proposal.run));
    if (!proposal.by.empty()) Restrict(item, proposal.by, variant.labels);
    for (const YamlEntry& claim : variant.claims.entries) item.entries.push_back(claim);
    items.push_back(std::move(item));
  }
  TRY(const YamlNode root, text.Root());
  for (size_t i = 0; i < root.entries.size(); ++i) {
    if (root.entries[i].key != "expect") continue;
    for (YamlNode& item : items) TRY(text.Do({YamlEdit::Kind::kAdd, {i}, "", std::move(item)}));
    return Ok();
  }
  return text.Do({YamlEdit::Kind::kAdd, {}, "expect", ListNode(std::move(items))});
}

std::string CodeOf(const std::optional<std::vector<ClaimChange>>& changes, const YamlNode& claims) {
  std::string code = FlowText(claims);
  if (changes)
    for (const ClaimChange& change : *changes) code += change.key + "=" + FlowText(change.value);
  return code;
}

}  // namespace

Result<std::string> WithProposal(const std::string& text, const Proposal& proposal) {
  if (!proposal.by_hand.empty()) return Error{proposal.by_hand, proposal.pos};
  Change change(text, proposal.file);
  if (proposal.is_new) {
    TRY(AddExpectations(change, proposal));
    return std::move(change).text();
  }
  TRY(const YamlNode root, change.Root());
  const auto place = PlaceOf(root, KeyOf(proposal.expected), proposal.pos);
  if (!place) return Error{"it stands here no more: the file has changed", proposal.pos};
  if (proposal.by.empty()) {
    TRY(ChangeInPlace(change, *place, *proposal.variants.front().changes));
    return std::move(change).text();
  }
  if (NodeAt(root, Above(*place)).IsList())
    return Error{"runs differ in it, and it is one of several; change it by hand", proposal.pos};
  TRY(Split(change, *place, proposal));
  return std::move(change).text();
}

void Showings::Saw(const CaseReport& report) {
  if (report.c.xfail) return;
  for (const RunReport& run : report.runs) {
    const Evidence& evidence = run.evidence;
    if (run.verdict.skip != SkipKind::kNone || evidence.events.empty() ||
        evidence.outcome.kind == Outcome::Kind::kNotStarted)
      continue;
    const auto showing = [&] {
      Showing shown;
      shown.id = report.c.id;
      shown.run = run.spec.name;
      if (run.spec.fixed && shown.run.ends_with(kFixedSuffix))
        shown.run.resize(shown.run.size() - (sizeof kFixedSuffix - 1));
      shown.axes = report.c.axes;
      return shown;
    };
    for (const Expectation* expectation : ExpectationsFor(report.c, run.spec))
      for (const Claim& claim : expectation->claims) {
        const Check check = CheckClaim(evidence, claim);
        if (check.unknown || claim.pos.file != report.c.file) continue;
        Showing shown = showing();
        shown.holds = check.ok;
        shown.seen = check.seen;
        if (!check.ok) shown.changes = SeenInstead(evidence, claim);
        Claimed& claimed = claims_[fmt::format("{} {:08} {:08} {}", claim.pos.file, claim.pos.line,
                                               claim.pos.column, check.expected)];
        claimed.pos = claim.pos;
        claimed.expected = check.expected;
        claimed.showings.push_back(std::move(shown));
      }
    if (!run.verdict.checks.empty() || run.verdict.unjudged != 0 || run.spec.fixed ||
        run.verdict.kind == VerdictKind::kSkip)
      continue;
    Showing shown = showing();
    shown.holds = false;
    shown.claims = ClaimsOf(evidence);
    shown.seen = DevicesSeen(evidence);
    Claimed& claimed = claims_[fmt::format("{} ~ {}", report.c.file, shown.run)];
    claimed.pos = {report.c.file, 1, 1};
    claimed.is_new = true;
    claimed.alone = report.runs.size() == 1;
    claimed.showings.push_back(std::move(shown));
  }
}

Proposal Showings::ProposalOf(const Claimed& claimed) {
  Proposal proposal;
  proposal.file = claimed.pos.file;
  proposal.pos = claimed.pos;
  proposal.expected = claimed.expected;
  proposal.is_new = claimed.is_new;
  if (claimed.is_new && !claimed.alone) proposal.run = claimed.showings.front().run;
  std::map<std::string, std::set<std::string>> labels;  // of the run and of each axis
  bool can = true;
  for (const Showing& shown : claimed.showings) {
    labels[kRun].insert(shown.run);
    for (const auto& [axis, label] : shown.axes) labels[axis].insert(label);
    if (shown.holds) continue;
    ++proposal.runs;
    if (proposal.seen.empty()) proposal.seen = shown.seen;
    if (std::find(proposal.cases.begin(), proposal.cases.end(), shown.id) == proposal.cases.end())
      proposal.cases.push_back(shown.id);
    can = can && (claimed.is_new || shown.changes);
  }
  if (!can) {
    proposal.by_hand = "no value makes it true: say something else, or mend the program";
    return proposal;
  }
  const auto variants_by = [&](const std::string& by) {
    std::map<std::string, std::string> code_of;  // by label
    std::map<std::string, Proposal::Variant> variants;
    bool tells = true;
    for (const Showing& shown : claimed.showings) {
      const std::string label = by.empty() ? "" : by == kRun ? shown.run : shown.axes.at(by);
      const std::string code = shown.holds ? "" : CodeOf(shown.changes, shown.claims);
      const auto [known, is_new] = code_of.emplace(label, code);
      tells = tells && known->second == code;
      Proposal::Variant& variant = variants[code];
      if (is_new) variant.labels.push_back(label);
      variant.changes = shown.changes;
      variant.claims = shown.claims;
    }
    std::vector<Proposal::Variant> all;
    for (auto& [code, variant] : variants) all.push_back(std::move(variant));
    return tells ? all : std::vector<Proposal::Variant>();
  };
  proposal.variants = variants_by("");
  if (!proposal.variants.empty()) return proposal;
  size_t fewest = SIZE_MAX;
  for (const auto& [by, its] : labels) {
    if (its.size() < 2 || its.size() >= fewest) continue;
    std::vector<Proposal::Variant> variants = variants_by(by);
    if (variants.empty()) continue;
    fewest = its.size();
    proposal.by = by;
    proposal.variants = std::move(variants);
  }
  if (proposal.by.empty())
    proposal.by_hand = "its runs differ, and no axis alone says which: divide it by hand";
  return proposal;
}

std::vector<Proposal> Showings::Proposals() const {
  std::vector<Proposal> proposals;
  for (const auto& [key, claimed] : claims_)
    if (std::any_of(claimed.showings.begin(), claimed.showings.end(),
                    [](const Showing& shown) { return !shown.holds; }))
      proposals.push_back(ProposalOf(claimed));
  std::stable_sort(proposals.begin(), proposals.end(), [](const Proposal& a, const Proposal& b) {
    if (a.file != b.file) return a.file < b.file;
    return std::pair(a.pos.line, a.pos.column) > std::pair(b.pos.line, b.pos.column);
  });
  return proposals;
}

}  // namespace gpustage
