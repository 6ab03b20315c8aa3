// suspects: of a scenario, one entry for each value of an axis, and what they have in common.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "harness/scenario/fields.h"
#include "harness/scenario/fixtures.h"
#include "harness/scenario/readers.h"

namespace gpustage {
namespace {

const std::vector<std::string> kCommon = {"axis", "looks", "has", "report", "fixed"};

struct Look {
  std::string say;                // a command, or a part of the log
  std::vector<std::string> runs;  // that do it; none: nobody does it here
};

// What all suspects of a scenario share.
struct Common {
  std::map<std::string, Look> looks;
  std::string has;
  std::vector<Expectation> report;  // what each gives that no line rules out
  std::vector<Expectation> fixed;
};

// `runs` are those of all cases.
Result<Look> ReadLook(const YamlNode& node, const std::vector<std::string>& runs) {
  TRY(CheckKeys(node, "a look", {"say", "in"}));
  Look look;
  TRY(const YamlNode* say, Require(node, "a look", "say"));
  TRY(look.say, ReadNonEmpty(*say, "where one looks"));
  if (const YamlNode* in = node.Find("in")) {
    TRY(look.runs, ReadTexts(*in, "the runs that look there"));
    for (size_t i = 0; i < look.runs.size(); ++i)
      if (std::find(runs.begin(), runs.end(), look.runs[i]) == runs.end())
        return UnknownWord(in->IsText() ? *in : in->items[i], "run", runs);
  }
  return look;
}

// Without the version that a scanner was given in.
std::vector<std::string> RunNames(const std::vector<Case>& cases) {
  std::vector<std::string> names;
  for (const Case& c : cases)
    for (const RunSpec& run : c.runs)
      if (const std::string name = run.name.substr(0, run.name.find('@')); std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  return names;
}

// Expectations that are given to each suspect by itself: whether a run is there at all is looked at here.
Result<std::vector<Expectation>> ReadShared(const YamlNode& node, const std::vector<Axis>& axes, const std::vector<std::string>& runs) {
  TRY(const std::vector<Expectation> shared, ReadExpectations(node, axes));
  for (const Expectation& expectation : shared) {
    if (!expectation.run || std::find(runs.begin(), runs.end(), *expectation.run) != runs.end()) continue;
    YamlNode run;
    run.text = *expectation.run;
    run.pos = expectation.run_pos;
    return UnknownWord(run, "run", runs);
  }
  return shared;
}

Result<Common> ReadCommon(const YamlNode& node, const std::vector<Axis>& axes, const std::vector<Case>& cases) {
  Common common;
  const std::vector<std::string> runs = RunNames(cases);
  TRY(const YamlNode* looks, Require(node, "suspects", "looks"));
  if (!looks->IsMap()) return ErrorAt(*looks, fmt::format("expected a map of looks, got {}", Describe(*looks)));
  for (const YamlEntry& entry : looks->entries) {
    TRY(common.looks[entry.key], ReadLook(entry.value, runs));
  }
  if (const YamlNode* has = node.Find("has")) {
    TRY(common.has, ReadRegex(*has, "has"));
  }
  if (const YamlNode* report = node.Find("report")) {
    TRY(common.report, ReadShared(*report, axes, runs));
  }
  if (const YamlNode* fixed = node.Find("fixed")) {
    TRY(common.fixed, ReadShared(*fixed, axes, runs));
  }
  return common;
}

Result<Suspect> ReadSuspect(const YamlEntry& entry, const Common& common) {
  TRY(CheckKeys(entry.value, "a suspect", {"is", "look", "see", "missing", "extra", "has", "traced", "untraced", "fix"}));
  Suspect suspect;
  suspect.name = entry.key;
  TRY(const YamlNode* is, Require(entry.value, "a suspect", "is"));
  TRY(suspect.is, ReadNonEmpty(*is, "the cause in a sentence"));
  TRY(const YamlNode* look, Require(entry.value, "a suspect", "look"));
  std::vector<std::string> names;
  for (const auto& [name, known] : common.looks) names.push_back(name);
  if (!look->IsText() || !common.looks.contains(look->text)) return UnknownWord(*look, "look", names);
  suspect.look = common.looks.at(look->text).say;
  TRY(const YamlNode* see, Require(entry.value, "a suspect", "see"));
  TRY(suspect.see, ReadNonEmpty(*see, "what is seen there"));
  const std::pair<const char*, std::string*> lines[] = {{"missing", &suspect.missing},
                                                        {"extra", &suspect.extra},
                                                        {"has", &suspect.has},
                                                        {"traced", &suspect.traced},
                                                        {"untraced", &suspect.untraced}};
  for (const auto& [key, line] : lines)
    if (const YamlNode* node = entry.value.Find(key)) {
      TRY(*line, ReadRegex(*node, key));
    }
  if (suspect.has.empty() && suspect.missing.empty()) suspect.has = common.has;
  return suspect;
}

// At OLLAMA_DEBUG=2 and no other number: only then is the output of a child kept.
bool IsTraced(const Case& c, const RunSpec& run) {
  for (const auto* layer : {&run.env, &c.env})
    for (const EnvVar& variable : *layer)
      if (variable.name == "OLLAMA_DEBUG") return variable.value == "2";
  return false;
}

bool KeepsALog(const RunSpec& run) { return !run.fixed && run.scanner.log_format != LogFormat::kPlain; }

void Expect(const RunSpec& run, std::vector<Claim> claims, const SourcePos& pos, Case& c) {
  Expectation expectation;
  expectation.run = run.name;
  expectation.claims = std::move(claims);
  expectation.pos = pos;
  c.expect.push_back(std::move(expectation));
}

// A line that rules it out is a claim about the log of every run that keeps one; a hand test keeps none.
void ExpectLine(const std::string& line, bool present, bool traced, const SourcePos& pos, Case& c) {
  if (line.empty()) return;
  for (const RunSpec& run : c.runs)
    if (KeepsALog(run) && (!traced || IsTraced(c, run))) Expect(run, {{LogClaim{{line, true}, present}, false, pos}}, pos, c);
}

// What is seen is a claim about the runs that look there. A log at OLLAMA_DEBUG=2 that somebody has is held against it, too.
Status ExpectSeen(const YamlEntry& entry, const Common& common, Case& c) {
  const YamlNode& see = *entry.value.Find("see");
  const Look& look = common.looks.at(entry.value.Find("look")->text);
  for (const std::string& name : look.runs) {
    for (const RunSpec& run : c.runs) {
      if (run.fixed || !IsNamed(run, name)) continue;
      Expect(run, {{LogClaim{{see.text, false}, true}, false, see.pos}}, see.pos, c);
      if (c.suspect->traced.empty() && KeepsALog(run) && IsTraced(c, run)) c.suspect->traced = RE2::QuoteMeta(see.text);
    }
  }
  return Ok();
}

// A run that is there for one look alone is not made where one looks elsewhere.
void DropIdleLooks(const Common& common, Case& c) {
  const auto looks = [&](const RunSpec& run) {
    return std::any_of(common.looks.begin(), common.looks.end(), [&](const auto& look) {
      return std::any_of(look.second.runs.begin(), look.second.runs.end(), [&](const auto& name) { return IsNamed(run, name); });
    });
  };
  const auto is_idle = [&](const RunSpec& run) {
    return std::none_of(c.expect.begin(), c.expect.end(), [&](const Expectation& expectation) {
      return !expectation.run || IsNamed(run, *expectation.run);
    });
  };
  DropRuns(c.runs, [&](const RunSpec& run) { return looks(run) && is_idle(run); });
}

Status AddSuspect(const YamlEntry& entry, const Suspect& suspect, const Common& common, Fixtures& fixtures, Case& c) {
  c.suspect = suspect;
  ExpectLine(suspect.missing, false, false, entry.pos, c);
  ExpectLine(suspect.extra, true, false, entry.pos, c);
  ExpectLine(suspect.has, true, false, entry.pos, c);
  ExpectLine(suspect.traced, true, true, entry.pos, c);
  ExpectLine(suspect.untraced, false, true, entry.pos, c);
  TRY(ExpectSeen(entry, common, c));
  if (suspect.fits())
    for (const Expectation& expectation : common.report)
      if (Matches(expectation.when, c.axes)) c.expect.push_back(expectation);
  DropIdleLooks(common, c);
  if (common.fixed.empty()) return Ok();
  TRY(const YamlNode* fix, Require(entry.value, "a suspect", "fix"));
  return AddFix(*fix, common.fixed, fixtures, c);
}

}  // namespace

Status AddSuspects(const YamlNode& node, const std::vector<Axis>& axes, Fixtures& fixtures, std::vector<Case>& cases) {
  TRY(const YamlNode* named, Require(node, "suspects", "axis"));
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  const auto axis = std::find(names.begin(), names.end(), named->text);
  if (axis == names.end()) return UnknownWord(*named, "axis", names);
  TRY(const Common common, ReadCommon(node, axes, cases));
  const std::vector<std::string> labels = axes[static_cast<size_t>(axis - names.begin())].Labels();
  for (const YamlEntry& entry : node.entries) {
    if (std::find(kCommon.begin(), kCommon.end(), entry.key) != kCommon.end()) continue;
    if (std::find(labels.begin(), labels.end(), entry.key) == labels.end())
      return ErrorAt(entry, fmt::format("unknown value {}{}", Quote(entry.key), DidYouMean(entry.key, labels)));
    TRY(const Suspect suspect, ReadSuspect(entry, common));
    for (Case& c : cases)
      if (c.axes.at(named->text) == entry.key) TRY(AddSuspect(entry, suspect, common, fixtures, c));
  }
  for (const Case& c : cases)
    if (!c.suspect) return ErrorAt(node, fmt::format("nothing says what {} stands for", c.id));
  return Ok();
}

}  // namespace gpustage
