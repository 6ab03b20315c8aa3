// suspects: of a scenario, one entry for each value of an axis.
#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/fields.h"
#include "harness/scenario/readers.h"

namespace gpustage {
namespace {

Result<Suspect> ReadSuspect(const YamlEntry& entry) {
  TRY(CheckKeys(entry.value, "a suspect", {"is", "tell", "missing", "extra", "has", "traced"}));
  Suspect suspect;
  suspect.name = entry.key;
  TRY(const YamlNode* is, Require(entry.value, "a suspect", "is"));
  TRY(suspect.is, ReadNonEmpty(*is, "the cause in a sentence"));
  TRY(const YamlNode* tell, Require(entry.value, "a suspect", "tell"));
  TRY(suspect.tell, ReadNonEmpty(*tell, "an observation"));
  const std::pair<const char*, std::string*> lines[] = {{"missing", &suspect.missing},
                                                        {"extra", &suspect.extra},
                                                        {"has", &suspect.has},
                                                        {"traced", &suspect.traced}};
  for (const auto& [key, line] : lines)
    if (const YamlNode* node = entry.value.Find(key)) {
      TRY(*line, ReadRegex(*node, key));
    }
  return suspect;
}

// At OLLAMA_DEBUG=2 and no other number: only then is the output of a child kept.
bool IsTraced(const Case& c, const RunSpec& run) {
  for (const auto* layer : {&run.env, &c.env})
    for (const EnvVar& variable : *layer)
      if (variable.name == "OLLAMA_DEBUG") return variable.value == "2";
  return false;
}

// A line that rules it out is a claim about the log of every run that keeps one; a hand test keeps none.
void ExpectLine(const std::string& line, bool present, bool traced, const SourcePos& pos, Case& c) {
  if (line.empty()) return;
  for (const RunSpec& run : c.runs) {
    if (run.fixed || run.scanner.log_format == LogFormat::kPlain) continue;
    if (traced && !IsTraced(c, run)) continue;
    Expectation expectation;
    expectation.run = run.name;
    expectation.claims.push_back({LogClaim{{line, true}, present}, false, pos});
    expectation.pos = pos;
    c.expect.push_back(std::move(expectation));
  }
}

}  // namespace

Result<Suspects> ReadSuspects(const YamlNode& node, const std::vector<Axis>& axes) {
  TRY(const YamlNode* named, Require(node, "suspects", "axis"));
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  const auto axis = std::find(names.begin(), names.end(), named->text);
  if (axis == names.end()) return UnknownWord(*named, "axis", names);
  const std::vector<std::string> labels = axes[static_cast<size_t>(axis - names.begin())].Labels();
  Suspects suspects{named->text, {}, {}, node.pos};
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "axis") continue;
    if (std::find(labels.begin(), labels.end(), entry.key) == labels.end())
      return ErrorAt(entry, fmt::format("unknown value {}{}", Quote(entry.key),
                                        DidYouMean(entry.key, labels)));
    TRY(Suspect suspect, ReadSuspect(entry));
    suspects.of.emplace(entry.key, std::move(suspect));
    suspects.said.emplace(entry.key, entry.pos);
  }
  return suspects;
}

Status AddSuspect(const Suspects& suspects, Case& c) {
  const std::string& value = c.axes.at(suspects.axis);
  const auto suspect = suspects.of.find(value);
  if (suspect == suspects.of.end()) return Error{fmt::format("nothing says what {} stands for", c.id), suspects.pos};
  c.suspect = suspect->second;
  const SourcePos& pos = suspects.said.at(value);
  ExpectLine(c.suspect->missing, false, false, pos, c);
  ExpectLine(c.suspect->extra, true, false, pos, c);
  ExpectLine(c.suspect->has, true, false, pos, c);
  ExpectLine(c.suspect->traced, true, true, pos, c);
  return Ok();
}

}  // namespace gpustage
