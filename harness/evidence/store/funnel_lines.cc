// Rows of the funnel, the facts below them and what is known of the machine, as kept evidence has
// them.
#include "harness/evidence/store/funnel_lines.h"

#include "harness/base/files.h"
#include "harness/evidence/store/kept_reason.inc"

namespace gpustage {
namespace {

using namespace kept;

constexpr const char* kStates[] = {"not observable", "seen", "derived", "did not happen",
                                   "not needed"};
constexpr const char* kFacts[] = {"reason",    "node",     "place",       "link",    "mask",
                                  "versions",  "nowhere",  "manifest",    "opened",  "also",
                                  "elsewhere", "sibling",  "refused",     "program", "vain",
                                  "named",     "copy",     "unversioned", "runpath", "other counts",
                                  "ignored",   "toolkit",  "advised",     "device",  "container",
                                  "answered",  "shadowed", "called",      "nothing"};
static_assert(std::size(kFacts) == static_cast<size_t>(Fact::Kind::kNothing) + 1);

// Of version 4: the reason of the library below was a sentence, a call one text, and its code's
// meaning another.
void ReadOldFact(Fact& fact) {
  if (fact.kind == Fact::Kind::kReason) {
    fact.reasons = {{.kind = Reason::Kind::kText, .text = std::move(fact.subject)}};
    fact.subject.clear();
  }
  if (fact.kind != Fact::Kind::kCalled) return;
  fact.other.clear();
  const size_t arguments = fact.subject.find('(');
  if (arguments == std::string::npos || !fact.subject.ends_with(')')) return;
  fact.names = {fact.subject.substr(arguments + 1, fact.subject.size() - arguments - 2)};
  fact.subject.resize(arguments);
}
// Of versions 4 to 6: what are two fields now was one text.
void ReadFactOfTwo(Fact& fact) {
  constexpr std::string_view kTo = " -> ", kSet = " is set", kThere = " is there";
  std::string& text = fact.subject;
  if (fact.kind == Fact::Kind::kOpened || fact.kind == Fact::Kind::kAlso) {
    fact.names = {std::exchange(text, "")};
  } else if (fact.kind == Fact::Kind::kAnswered && text.empty()) {
    fact.names = {std::exchange(fact.other, "")};
  } else if (const size_t to = fact.other.find(kTo);
             fact.kind == Fact::Kind::kAnswered && to != std::string::npos) {
    fact.names = {fact.other.substr(to + kTo.size())};
    fact.other.resize(to);
  } else if (fact.kind == Fact::Kind::kContainer) {
    fact.number = text.ends_with(kSet) ? 1 : 0;
    for (const std::string_view end : {kSet, kThere})
      if (text.ends_with(end)) text.resize(text.size() - end.size());
  }
}
std::vector<Fact> ReadFacts(const ordered_json& list, int version) {
  std::vector<Fact> facts;
  for (const ordered_json& line : list) {
    facts.push_back({static_cast<Fact::Kind>(IndexOf(kFacts, line.at("fact").get<std::string>())),
                     ReadText(line.at("subject")), ReadText(line.at("other")),
                     ReadText(line.at("rule")), line.at("number"), line.at("error"), line.at("uid"),
                     line.at("mode"), line.at("owner"), line.at("event")});
    if (version == 4) ReadOldFact(facts.back());
    ReadFactOfTwo(facts.back());
    if (line.contains("names")) facts.back().names = ReadTexts(line.at("names"));
    if (line.contains("reasons"))
      for (const ordered_json& reason : line.at("reasons"))
        facts.back().reasons.push_back(ReadReason(reason));
  }
  return facts;
}

Tried ReadTried(const ordered_json& line) { return {ReadText(line.at(0)), line.at(1)}; }

std::vector<Need> ReadNeeds(const ordered_json& list) {
  std::vector<Need> needs;
  for (const ordered_json& line : list) {
    Need need;
    need.name = ReadText(line.at("name"));
    need.requester = ReadText(line.at("for"));
    for (const ordered_json& one : line.at("tried")) need.tried.push_back(ReadTried(one));
    need.found = ReadText(line.at("found"));
    need.rule = line.at("rule");
    need.event = line.at("event");
    need.same_as = ReadText(line.at("same_as"));
    if (line.contains("opened")) need.opened = ReadTried(line.at("opened"));
    needs.push_back(std::move(need));
  }
  return needs;
}

Step ReadStep(const std::string& word) {
  if (const auto step = ParseStep(word)) return *step;
  throw std::invalid_argument(fmt::format("unknown step \"{}\"", word));
}
PathLoss ReadLoss(const ordered_json& line, Cause cause, int version) {
  PathLoss loss;
  loss.at = ReadStep(line.at("lost_at"));
  loss.cause = cause;
  const auto known = ParseKnown(line.at("known").get<std::string>());
  if (!known) throw std::invalid_argument("unknown way to know");
  loss.known = *known;
  loss.reason = ReadReason(line.at("reason"));
  loss.loader_says = ReadText(line.at("loader_says"));
  loss.code = line.value("code", int64_t{0});
  loss.failed = line.at("failed");
  loss.said = line.at("said");
  loss.because = ReadFacts(line.at("below"), version);
  return loss;
}
FunnelRow ReadRow(const ordered_json& line, int version) {
  FunnelRow row;
  row.library = ReadText(line.at("library"));
  row.pid = line.at("pid");
  row.role = ReadText(line.at("role"));
  for (const auto& [word, state] : line.at("steps").items())
    row.steps[ReadStep(word)].state =
        static_cast<StepState>(IndexOf(kStates, state.get<std::string>()));
  for (const auto& [word, event] : line.at("events").items())
    row.steps[ReadStep(word)].event = event;
  if (!line.at("reached").is_null()) row.reached = ReadStep(line.at("reached"));
  const auto cause = ParseCause(line.at("cause").get<std::string>());
  if (!cause) throw std::invalid_argument("unknown cause");
  if (line.at("lost_at").is_null())
    row.odd = *cause;
  else
    row.loss = ReadLoss(line, *cause, version);
  row.remark = ReadReason(line.at("remark"));
  row.event = line.at("event");
  row.family = FamilyOfLibrary(BaseNameOf(row.library));
  row.stack = StackOf(BaseNameOf(row.library));
  row.linked = line.at("linked");
  row.file = ReadText(line.at("file"));
  row.rule = line.at("rule");
  row.needs = ReadNeeds(line.at("needs"));
  for (int step = 0; step <= static_cast<int>(Step::kReported); ++step)
    if (!row.steps.contains(static_cast<Step>(step)))
      throw std::invalid_argument("a step of the funnel is missing");
  return row;
}

}  // namespace

void ReadFunnelLine(const std::string& record, const std::string& text, int version,
                    Evidence& evidence) {
  const ordered_json line = ordered_json::parse(text);
  if (record == "funnel") {
    evidence.funnel.push_back(ReadRow(line, version));
  } else if (record == "inner") {
    evidence.inner.push_back(ReadRow(line, version));
  } else {
    evidence.setting = {
        line.at("devices"),           line.at("any_device"),    line.value("own_device", false),
        line.value("amd", -1),        line.value("others", -1), ReadTexts(line.at("libraries")),
        ReadMap(line.at("versions")), line.at("kernel_driver")};
    evidence.missing = ReadFacts(line.at("missing"), version);
    if (!line.contains("bad_end")) return;
    const ordered_json& end = line.at("bad_end");
    evidence.bad_end = {end.at("pid"), end.at("before_main"), ReadText(end.at("object")),
                        end.at("said"), end.at("last")};
  }
}

}  // namespace gpustage
