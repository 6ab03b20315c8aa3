// suspects: of a scenario, one entry for each value of an axis, and what they have in common.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/suspects.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

const std::vector<std::string> kCommon = {"axis", "looks", "has", "report", "fixed"};

using Look = Suspects::Look;

Result<Look> ReadLook(const YamlNode& node) {
  TRY(CheckKeys(node, "a look", {"say", "in"}));
  Look look;
  TRY(const YamlNode* say, Require(node, "a look", "say"));
  TRY(look.say, ReadNonEmpty(*say, "where one looks"));
  if (const YamlNode* in = node.Find("in")) {
    TRY(look.runs, ReadTexts(*in, "the runs that look there"));
    look.in = *in;
  }
  return look;
}

// What all of them share.
Result<Suspects> ReadCommon(const YamlNode& node, const std::vector<Axis>& axes,
                            Fixtures& fixtures) {
  Suspects common;
  TRY(const YamlNode* looks, Require(node, "suspects", "looks"));
  if (!looks->IsMap())
    return ErrorAt(*looks, fmt::format("expected a map of looks, got {}", Describe(*looks)));
  for (const YamlEntry& entry : looks->entries) {
    TRY(common.looks[entry.key], ReadLook(entry.value));
  }
  if (const YamlNode* report = node.Find("report")) {
    TRY(common.report, ReadExpectations(*report, axes, fixtures));
  }
  if (const YamlNode* fixed = node.Find("fixed")) {
    TRY(common.fixed, ReadExpectations(*fixed, axes, fixtures));
  }
  return common;
}

Result<Suspects::One> ReadSuspect(const YamlEntry& entry, const Suspects& common,
                                  const std::string& has, Fixtures& fixtures) {
  TRY(CheckKeys(entry.value, "a suspect",
                {"is", "look", "see", "missing", "extra", "has", "traced", "untraced", "fix"}));
  Suspects::One one;
  one.pos = entry.pos;
  Suspect& suspect = one.suspect;
  suspect.name = entry.key;
  TRY(const YamlNode* is, Require(entry.value, "a suspect", "is"));
  TRY(suspect.is, ReadNonEmpty(*is, "the cause in a sentence"));
  TRY(const YamlNode* look, Require(entry.value, "a suspect", "look"));
  std::vector<std::string> names;
  for (const auto& [name, known] : common.looks) names.push_back(name);
  if (!look->IsText() || !common.looks.contains(look->text))
    return UnknownWord(*look, "look", names);
  one.look = look->text;
  suspect.look = common.looks.at(look->text).say;
  TRY(const YamlNode* see, Require(entry.value, "a suspect", "see"));
  TRY(suspect.see, ReadNonEmpty(*see, "what is seen there"));
  one.see = see->text;
  one.see_pos = see->pos;
  const std::pair<const char*, std::string*> lines[] = {{"missing", &suspect.missing},
                                                        {"extra", &suspect.extra},
                                                        {"has", &suspect.has},
                                                        {"traced", &suspect.traced},
                                                        {"untraced", &suspect.untraced}};
  for (const auto& [key, line] : lines)
    if (const YamlNode* node = entry.value.Find(key)) {
      TRY(*line, ReadRegex(*node, key));
    }
  if (suspect.has.empty() && suspect.missing.empty()) suspect.has = has;
  if (common.fixed.empty()) return one;
  TRY(const YamlNode* fix, Require(entry.value, "a suspect", "fix"));
  TRY(one.fix, ReadSuspectsFix(*fix, common.fixed, fixtures));
  suspect.mend = one.fix->none.empty() ? one.fix->what : one.fix->none;
  return one;
}

// At OLLAMA_DEBUG=2 and no other number: only then is the output of a child kept.
bool IsTraced(const Case& c, const RunSpec& run) {
  for (const auto* layer : {&run.env, &c.env})
    for (const EnvVar& variable : *layer)
      if (variable.name == "OLLAMA_DEBUG") return variable.value == "2";
  return false;
}

bool KeepsALog(const RunSpec& run) {
  return !run.fixed && run.scanner.log_format != LogFormat::kPlain;
}

void Expect(const RunSpec& run, std::vector<Claim> claims, const SourcePos& pos, Case& c) {
  Expectation expectation;
  expectation.run = run.name;
  expectation.claims = std::move(claims);
  expectation.pos = pos;
  c.expect.push_back(std::move(expectation));
}

// A line that rules it out is a claim about the log of every run that keeps one; a hand test keeps
// none.
void ExpectLine(const std::string& line, bool present, bool traced, const SourcePos& pos, Case& c) {
  if (line.empty()) return;
  for (const RunSpec& run : c.runs)
    if (KeepsALog(run) && (!traced || IsTraced(c, run)))
      Expect(run, {{LogClaim{{line, true}, present}, false, pos}}, pos, c);
}

// What is seen is a claim about the runs that look there. A log at OLLAMA_DEBUG=2 that somebody has
// is held against it, too.
void ExpectSeen(const Suspects::One& one, const Look& look, Case& c) {
  for (const std::string& name : look.runs) {
    for (const RunSpec& run : c.runs) {
      if (run.fixed || !IsNamed(run, name)) continue;
      Expect(run, {{LogClaim{{one.see, false}, true}, false, one.see_pos}}, one.see_pos, c);
      if (c.suspect->traced.empty() && KeepsALog(run) && IsTraced(c, run))
        c.suspect->traced = RE2::QuoteMeta(one.see);
    }
  }
}

// A run that is there for one look alone is not made where one looks elsewhere.
void DropIdleLooks(const Suspects& common, Case& c) {
  const auto looks = [&](const RunSpec& run) {
    return std::any_of(common.looks.begin(), common.looks.end(), [&](const auto& look) {
      return std::any_of(look.second.runs.begin(), look.second.runs.end(),
                         [&](const auto& name) { return IsNamed(run, name); });
    });
  };
  const auto is_idle = [&](const RunSpec& run) {
    return std::none_of(c.expect.begin(), c.expect.end(), [&](const Expectation& expectation) {
      return !expectation.run || IsNamed(run, *expectation.run);
    });
  };
  DropRuns(c.runs, [&](const RunSpec& run) { return looks(run) && is_idle(run); });
}

// Without the version that a scanner was given in.
std::vector<std::string> Bare(const std::vector<std::string>& runs) {
  std::vector<std::string> names;
  for (const std::string& run : runs)
    if (const std::string name = run.substr(0, run.find('@'));
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  return names;
}

}  // namespace

Result<Suspects> ReadSuspects(const YamlNode& node, const std::vector<Axis>& axes,
                              Fixtures& fixtures) {
  TRY(const YamlNode* named, Require(node, "suspects", "axis"));
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  const auto axis = std::find(names.begin(), names.end(), named->text);
  if (axis == names.end()) return UnknownWord(*named, "axis", names);
  TRY(Suspects suspects, ReadCommon(node, axes, fixtures));
  suspects.axis = named->text;
  suspects.pos = node.pos;
  std::string has;
  if (const YamlNode* line = node.Find("has")) {
    TRY(has, ReadRegex(*line, "has"));
  }
  const std::vector<std::string> labels = axes[static_cast<size_t>(axis - names.begin())].Labels();
  for (const YamlEntry& entry : node.entries) {
    if (std::find(kCommon.begin(), kCommon.end(), entry.key) != kCommon.end()) continue;
    if (std::find(labels.begin(), labels.end(), entry.key) == labels.end())
      return ErrorAt(entry, fmt::format("unknown value {}{}", Quote(entry.key),
                                        DidYouMean(entry.key, labels)));
    TRY(Suspects::One one, ReadSuspect(entry, suspects, has, fixtures));
    suspects.of.emplace(entry.key, std::move(one));
  }
  return suspects;
}

Status CheckRuns(const Suspects& suspects, const std::vector<std::string>& runs) {
  const std::vector<std::string> names = Bare(runs);
  const auto unknown = [&](const std::string& run) {
    return std::find(names.begin(), names.end(), run) == names.end();
  };
  for (const auto& [name, look] : suspects.looks)
    for (size_t i = 0; i < look.runs.size(); ++i)
      if (unknown(look.runs[i]))
        return UnknownWord(look.in.IsText() ? look.in : look.in.items[i], "run", names);
  for (const auto* shared : {&suspects.report, &suspects.fixed})
    for (const Expectation& expectation : *shared) {
      if (!expectation.run || !unknown(*expectation.run)) continue;
      YamlNode run;
      run.text = *expectation.run;
      run.pos = expectation.run_pos;
      return UnknownWord(run, "run", names);
    }
  return Ok();
}

Status AddSuspect(const Suspects& suspects, Case& c) {
  const auto found = suspects.of.find(c.axes.at(suspects.axis));
  if (found == suspects.of.end())
    return Error{fmt::format("nothing says what {} stands for", c.id), suspects.pos};
  const Suspects::One& one = found->second;
  c.suspect = one.suspect;
  ExpectLine(one.suspect.missing, false, false, one.pos, c);
  ExpectLine(one.suspect.extra, true, false, one.pos, c);
  ExpectLine(one.suspect.has, true, false, one.pos, c);
  ExpectLine(one.suspect.traced, true, true, one.pos, c);
  ExpectLine(one.suspect.untraced, false, true, one.pos, c);
  ExpectSeen(one, suspects.looks.at(one.look), c);
  if (one.suspect.fits())
    for (const Expectation& expectation : suspects.report)
      if (Matches(expectation.when, c.axes)) c.expect.push_back(expectation);
  DropIdleLooks(suspects, c);
  if (!one.fix || !one.fix->none.empty()) return Ok();
  TRY(const bool applies, AddFix(*one.fix, c));
  if (!applies)
    return Error{fmt::format("this fix never applies: {} has none of the runs in \"fixed\"", c.id),
                 one.fix->pos};
  return Ok();
}

}  // namespace gpustage
