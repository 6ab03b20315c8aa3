// expect: of a scenario.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <limits>

#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/catalog/functions.h"
#include "harness/scenario/model/cause.h"
#include "harness/scenario/read/claim_readers.h"
#include "harness/scenario/read/readers.h"

namespace gpustage {
namespace {
constexpr int64_t kMaxCount = std::numeric_limits<int64_t>::max();
}

Result<CountRange> ReadCount(const YamlNode& node, std::string_view what) {
  if (node.IsText()) {
    TRY(const int64_t exactly, ReadInteger(node, what, 0, kMaxCount));
    return CountRange{exactly, exactly};
  }
  TRY(CheckKeys(node, "a number of " + std::string(what), {"at_least", "at_most"}));
  if (node.entries.empty()) return ErrorAt(node, "expected a number, or at_least and at_most");
  CountRange range;
  if (const YamlNode* least = node.Find("at_least")) {
    TRY(range.at_least, ReadInteger(*least, "at_least", 0, kMaxCount));
  }
  if (const YamlNode* most = node.Find("at_most")) {
    TRY(range.at_most, ReadInteger(*most, "at_most", 0, kMaxCount));
    if (*range.at_most < range.at_least)
      return ErrorAt(*most, fmt::format("at_most {} is less than at_least {}", *range.at_most,
                                        range.at_least));
  }
  return range;
}

Status ReadTimes(const YamlNode& claim, std::string_view what, CountRange& count) {
  const YamlNode* node = claim.Find("count");
  if (node == nullptr) return Ok();
  TRY(count, ReadCount(*node, what));
  return Ok();
}

Status ReadInto(const YamlNode& claim, std::string_view key, std::string_view what,
                std::optional<std::string>& value) {
  const YamlNode* node = claim.Find(key);
  if (node == nullptr) return Ok();
  TRY(value, ReadNonEmpty(*node, what));
  return Ok();
}

namespace {

Result<LinePattern> ReadPattern(const YamlNode& node) {
  if (node.IsText()) {
    TRY(std::string text, ReadNonEmpty(node, "a part of a log line"));
    return LinePattern{std::move(text), false};
  }
  TRY(CheckKeys(node, "a pattern", {"re"}));
  TRY(const YamlNode* re, Require(node, "a pattern", "re"));
  TRY(std::string expression, ReadRegex(*re, "re"));
  return LinePattern{std::move(expression), true};
}

Result<Step> ReadStep(const YamlNode& node) {
  std::vector<std::string> words;
  for (int i = 0; i <= static_cast<int>(Step::kReported); ++i)
    words.push_back(ToString(static_cast<Step>(i)));
  if (const auto step = ParseStep(node.text); node.IsText() && step) return *step;
  return UnknownWord(node, "step", words);
}

// "SIGBUS", "BUS" is none of ours, or a number.
Result<int> ReadSignal(const YamlNode& node) {
  for (int number = 1; number < NSIG; ++number)
    if (const char* name = sigabbrev_np(number);
        name != nullptr && node.text == fmt::format("SIG{}", name))
      return number;
  if (node.IsText() && !node.text.starts_with("SIG"))
    return ReadInt(node, "a signal such as SIGBUS", 1, NSIG - 1);
  std::vector<std::string> names;
  for (int number = 1; number < NSIG; ++number)
    if (const char* name = sigabbrev_np(number)) names.push_back(fmt::format("SIG{}", name));
  return UnknownWord(node, "signal", names);
}

Result<std::string> ReadCause(const YamlNode& node) {
  const std::vector<std::string> words = CauseWords();
  if (node.IsText() && std::find(words.begin(), words.end(), node.text) != words.end())
    return node.text;
  return UnknownWord(node, "cause", words);
}

using What = decltype(Claim::what);
using Whats = std::vector<std::pair<What, SourcePos>>;

Status ReadDevicesClaim(const YamlEntry& entry, Whats& whats) {
  TRY(const CountRange count, ReadCount(entry.value, "devices"));
  whats.emplace_back(DevicesClaim{count}, entry.pos);
  return Ok();
}

Result<What> ReadDevice(const YamlNode& node) {
  TRY(CheckKeys(node, "a device",
                {"index", "name", "library", "library_path", "pci_id", "uuid", "memory_total"}));
  DeviceClaim claim;
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "index") {
      TRY(claim.index, ReadInt(entry.value, "the index of a device", 0, 1000));
    } else {
      TRY(claim.fields[entry.key], ReadText(entry.value, "text"));
    }
  }
  if (claim.fields.empty()) return ErrorAt(node, "a device needs a field, such as name");
  return What(std::move(claim));
}

Result<What> ReadCallsClaim(const YamlNode& node) {
  TRY(CheckKeys(node, "calls", {"function", "in", "count", "result", "device", "arguments"}));
  CallsClaim claim;
  TRY(const YamlNode* function, Require(node, "calls", "function"));
  TRY(claim.function, ReadNonEmpty(*function, "the name of a function"));
  TRY(ReadTimes(node, "calls", claim.count));
  if (const YamlNode* result = node.Find("result")) {
    TRY(claim.result, ReadCode(*result, "a result"));
  }
  if (const YamlNode* device = node.Find("device")) {
    TRY(claim.device, ReadInt(*device, "the ordinal of a device", 0, 1000));
  }
  TRY(ReadInto(node, "arguments", "a part of the arguments, as a trace shows them",
               claim.arguments));
  TRY(ReadInto(node, "in", kRole, claim.in));
  return What(std::move(claim));
}

Result<What> ReadLost(const YamlNode& node) {
  TRY(CheckKeys(node, "lost", {"library", "at", "because", "cause", "known"}));
  LostClaim claim;
  TRY(const YamlNode* library, Require(node, "lost", "library"));
  TRY(claim.library, ReadNonEmpty(*library, "a library"));
  TRY(const YamlNode* at, Require(node, "lost", "at"));
  TRY(claim.at, ReadStep(*at));
  TRY(ReadInto(node, "because", "a part of the reason", claim.because));
  if (const YamlNode* known = node.Find("known")) {
    TRY(claim.known,
        ReadChoice<std::string>(*known, "way to know",
                                {{"seen", "seen"}, {"derived", "derived"}, {"asked", "asked"}}));
  }
  if (const YamlNode* cause = node.Find("cause")) {
    TRY(claim.cause, ReadCause(*cause));
  }
  return What(std::move(claim));
}

Result<What> ReadReached(const YamlNode& node) {
  TRY(CheckKeys(node, "reached", {"library", "step", "cause"}));
  ReachedClaim claim;
  TRY(const YamlNode* library, Require(node, "reached", "library"));
  TRY(claim.library, ReadNonEmpty(*library, "a library"));
  TRY(const YamlNode* step, Require(node, "reached", "step"));
  TRY(claim.step, ReadStep(*step));
  if (const YamlNode* cause = node.Find("cause")) {
    TRY(claim.cause, ReadCause(*cause));
  }
  return What(std::move(claim));
}

Result<What> ReadSilent(const YamlNode& node) {
  TRY(const bool silent, ReadBool(node, "silent"));
  return What(SilentClaim{silent});
}

// {exited: 2} or {killed: SIGBUS}
Result<OutcomeClaim> ReadEnd(const YamlNode& node) {
  TRY(CheckKeys(node, "an outcome", {"exited", "killed"}));
  TRY(const YamlEntry* outcome, RequireOneOf(node, "an outcome", {"exited", "killed"}));
  TRY(const int code, outcome->key == "exited" ? ReadInt(outcome->value, "an exit status", 0, 255)
                                               : ReadSignal(outcome->value));
  return OutcomeClaim{outcome->key, code};
}

Result<What> ReadFiles(const YamlNode& node) {
  TRY(CheckKeys(node, "files", {"path", "how", "answer", "in", "count"}));
  FilesClaim claim;
  TRY(const YamlNode* path, Require(node, "files", "path"));
  TRY(claim.path, ReadTreePath(*path, "the path that is asked for"));
  if (const YamlNode* how = node.Find("how")) {
    TRY(claim.how, ReadChoice<std::string>(*how, "way to ask",
                                           {{"opened", "opened"},
                                            {"looked at", "looked at"},
                                            {"listed", "listed"},
                                            {"executed", "executed"}}));
  }
  if (const YamlNode* answer = node.Find("answer")) {
    TRY(claim.answer, ReadChoice<std::string>(
                          *answer, "answer",
                          {{"found", "found"}, {"missing", "missing"}, {"refused", "refused"}}));
  }
  TRY(ReadInto(node, "in", kRole, claim.in));
  TRY(ReadTimes(node, "times", claim.count));
  return What(std::move(claim));
}

Result<What> ReadUnheard(const YamlNode& node) {
  TRY(LinePattern pattern, ReadPattern(node));
  return What(UnheardClaim{std::move(pattern)});
}

Result<What> ReadProcess(const YamlNode& node) {
  TRY(CheckKeys(node, "a process", {"role", "count", "environment", "ended", "argv"}));
  ProcessClaim claim;
  TRY(const YamlNode* role, Require(node, "a process", "role"));
  TRY(claim.role, ReadNonEmpty(*role, kRole));
  TRY(ReadTimes(node, "processes", claim.count));
  if (const YamlNode* environment = node.Find("environment")) {
    TRY(claim.environment, ReadTexts(*environment, "NAME=value, or NAME"));
    for (const std::string& entry : claim.environment)
      if (entry.empty() || entry.front() == '=')
        return ErrorAt(*environment, "expected NAME=value, or NAME for any value");
  }
  TRY(ReadInto(node, "argv", "a part of its words", claim.argv));
  if (const YamlNode* ended = node.Find("ended")) {
    TRY(const OutcomeClaim end, ReadEnd(*ended));
    claim.ended = end.kind == "exited" ? fmt::format("exited {}", *end.code)
                                       : fmt::format("killed by SIG{}", sigabbrev_np(*end.code));
  }
  return What(std::move(claim));
}

Result<What> ReadOutcome(const YamlNode& node) {
  if (node.IsText() && node.text == "timed_out")
    return What(OutcomeClaim{"timed_out", std::nullopt});
  if (!node.IsMap())
    return ErrorAt(node,
                   fmt::format("expected timed_out, {{exited: 0}} or {{killed: SIGBUS}}, got {}",
                               Describe(node)));
  TRY(OutcomeClaim end, ReadEnd(node));
  return What(std::move(end));
}

Status ReadLogClaims(const YamlEntry& log, Whats& whats) {
  TRY(CheckKeys(log.value, "log", {"has", "lacks", "in_order"}));
  if (log.value.entries.empty())
    return ErrorAt(log.value, "log needs \"has\", \"lacks\" or \"in_order\"");
  for (const YamlEntry& entry : log.value.entries) {
    std::vector<YamlNode> one;
    if (!entry.value.IsList()) one.push_back(entry.value);
    const std::vector<YamlNode>& nodes = entry.value.IsList() ? entry.value.items : one;
    if (nodes.empty())
      return ErrorAt(entry.value, fmt::format("{} needs a pattern", Quote(entry.key)));
    LogOrderClaim order;
    for (const YamlNode& node : nodes) {
      TRY(LinePattern pattern, ReadPattern(node));
      if (entry.key == "in_order")
        order.patterns.push_back(std::move(pattern));
      else
        whats.emplace_back(LogClaim{std::move(pattern), entry.key == "has"}, node.pos);
    }
    if (entry.key == "in_order") whats.emplace_back(std::move(order), entry.pos);
  }
  return Ok();
}

// The reader of one kind of claim as one of any.
template <auto Read>
Result<What> As(const YamlNode& node) {
  TRY(auto claim, Read(node));
  return What(std::move(claim));
}

// One claim, or a list of them.
template <Result<What> (*Read)(const YamlNode&)>
Status ReadEach(const YamlEntry& entry, Whats& whats) {
  if (!entry.value.IsList()) {
    TRY(What what, Read(entry.value));
    whats.emplace_back(std::move(what), entry.pos);
    return Ok();
  }
  if (entry.value.items.empty())
    return ErrorAt(entry.value, fmt::format("{} is an empty list", Quote(entry.key)));
  for (const YamlNode& item : entry.value.items) {
    TRY(What what, Read(item));
    whats.emplace_back(std::move(what), item.pos);
  }
  return Ok();
}

struct ClaimKey {
  std::string_view name;
  Status (*read)(const YamlEntry& entry, Whats& whats);
};
constexpr ClaimKey kClaimKeys[] = {{"devices", ReadDevicesClaim},
                                   {"distribution", ReadEach<As<ReadDistribution>>},
                                   {"device", ReadEach<ReadDevice>},
                                   {"log", ReadLogClaims},
                                   {"outcome", ReadEach<ReadOutcome>},
                                   {"loads", ReadEach<As<ReadLoads>>},
                                   {"loads_not", ReadEach<As<ReadLoadsNot>>},
                                   {"searches", ReadEach<As<ReadSearches>>},
                                   {"dlsym", ReadEach<As<ReadDlsym>>},
                                   {"lacks", ReadEach<As<ReadLacks>>},
                                   {"takes", ReadEach<As<ReadTakes>>},
                                   {"calls", ReadEach<ReadCallsClaim>},
                                   {"lost", ReadEach<ReadLost>},
                                   {"reached", ReadEach<ReadReached>},
                                   {"silent", ReadEach<ReadSilent>},
                                   {"process", ReadEach<ReadProcess>},
                                   {"files", ReadEach<ReadFiles>},
                                   {"unheard", ReadEach<ReadUnheard>}};

// A call of a function that none of our fakes has is never seen.
Status CheckFunctions(const YamlNode& calls, Fixtures& fixtures) {
  const std::vector<YamlNode> alone = {calls};
  for (const YamlNode& claim : calls.IsList() ? calls.items : alone)
    if (const YamlNode* function = claim.Find("function")) TRY(fixtures.CheckFunction(*function));
  return Ok();
}

// One, or one for each of its runs.
Result<std::vector<Expectation>> ReadExpectation(const YamlNode& node,
                                                 const std::vector<Axis>& axes,
                                                 Fixtures& fixtures) {
  std::vector<std::string> keys = {"run", "when"};
  for (const ClaimKey& key : kClaimKeys) keys.emplace_back(key.name);
  TRY(CheckKeys(node, "an expectation", keys));
  Expectation expectation;
  expectation.pos = node.pos;
  if (const YamlNode* when = node.Find("when")) {
    TRY(expectation.when, ReadCellFilter(*when, axes));
  }
  Whats whats;
  for (const YamlEntry& entry : node.entries)
    for (const ClaimKey& key : kClaimKeys)
      if (key.name == entry.key) TRY(key.read(entry, whats));
  if (const YamlNode* calls = node.Find("calls")) TRY(CheckFunctions(*calls, fixtures));
  if (whats.empty()) return ErrorAt(node, "this expects nothing; say devices, log, outcome, …");
  for (auto& [what, pos] : whats)
    expectation.claims.push_back({std::move(what), false, std::move(pos)});
  const YamlNode* runs = node.Find("run");
  if (runs == nullptr) return std::vector<Expectation>{expectation};
  if (runs->IsList() && runs->items.empty()) return ErrorAt(*runs, "\"run\" is an empty list");
  std::vector<Expectation> each;
  for (const YamlNode& run : runs->IsList() ? runs->items : std::vector<YamlNode>{*runs}) {
    TRY(expectation.run, ReadNonEmpty(run, "a run"));
    if (const size_t at = run.text.find('@');
        at != std::string::npos && !ParseVersions(run.text.substr(at + 1)))
      return NoVersion(run);
    expectation.run_pos = run.pos;
    each.push_back(expectation);
  }
  return each;
}

}  // namespace

Result<std::vector<Expectation>> ReadExpectations(const YamlNode& node,
                                                  const std::vector<Axis>& axes,
                                                  Fixtures& fixtures) {
  TRY(CheckList(node, "expect"));
  std::vector<Expectation> expectations;
  for (const YamlNode& item : node.items) {
    TRY(const std::vector<Expectation> each, ReadExpectation(item, axes, fixtures));
    expectations.insert(expectations.end(), each.begin(), each.end());
  }
  return expectations;
}

}  // namespace gpustage
