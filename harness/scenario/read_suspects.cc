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

Status AddSuspects(const YamlNode& node, const std::vector<Axis>& axes, std::vector<Case>& cases) {
  TRY(const YamlNode* named, Require(node, "suspects", "axis"));
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  const auto axis = std::find(names.begin(), names.end(), named->text);
  if (axis == names.end()) return UnknownWord(*named, "axis", names);
  const std::vector<std::string> labels = axes[static_cast<size_t>(axis - names.begin())].Labels();
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "axis") continue;
    if (std::find(labels.begin(), labels.end(), entry.key) == labels.end())
      return ErrorAt(entry, fmt::format("unknown value {}{}", Quote(entry.key),
                                        DidYouMean(entry.key, labels)));
    TRY(const Suspect suspect, ReadSuspect(entry));
    for (Case& c : cases) {
      if (c.axes.at(named->text) != entry.key) continue;
      c.suspect = suspect;
      ExpectLine(suspect.missing, false, false, entry.pos, c);
      ExpectLine(suspect.extra, true, false, entry.pos, c);
      ExpectLine(suspect.has, true, false, entry.pos, c);
      ExpectLine(suspect.traced, true, true, entry.pos, c);
    }
  }
  for (const Case& c : cases)
    if (!c.suspect) return ErrorAt(node, fmt::format("nothing says what {} stands for", c.id));
  return Ok();
}

}  // namespace gpustage
