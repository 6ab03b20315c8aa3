// causes: of a scenario, one entry for each value of an axis.
#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/fields.h"
#include "harness/scenario/readers.h"

namespace gpustage {
namespace {

Result<Cause> ReadCause(const YamlEntry& entry) {
  TRY(CheckKeys(entry.value, "a cause", {"is", "tell", "missing", "extra", "out", "observed", "announced"}));
  Cause cause;
  cause.name = entry.key;
  TRY(const YamlNode* is, Require(entry.value, "a cause", "is"));
  TRY(cause.is, ReadNonEmpty(*is, "the cause in a sentence"));
  const std::pair<const char*, std::string*> texts[] = {
      {"tell", &cause.tell}, {"out", &cause.out}, {"observed", &cause.observed}, {"announced", &cause.announced}};
  for (const auto& [key, text] : texts)
    if (const YamlNode* node = entry.value.Find(key)) {
      TRY(*text, ReadNonEmpty(*node, "a sentence"));
    }
  const std::pair<const char*, std::string*> lines[] = {{"missing", &cause.missing},
                                                        {"extra", &cause.extra}};
  for (const auto& [key, line] : lines)
    if (const YamlNode* node = entry.value.Find(key)) {
      TRY(*line, ReadRegex(*node, key));
    }
  return cause;
}

// A line that rules it out is a claim about the log of every run that keeps one; a hand test keeps none.
void ExpectLine(const std::string& line, bool present, const SourcePos& pos, Case& c) {
  if (line.empty()) return;
  for (const RunSpec& run : c.runs) {
    if (run.fixed || run.scanner.log_format == LogFormat::kPlain) continue;
    Expectation expectation;
    expectation.run = run.name;
    expectation.claims.push_back({LogClaim{{line, true}, present}, false, pos});
    expectation.pos = pos;
    c.expect.push_back(std::move(expectation));
  }
}

}  // namespace

Status AddCauses(const YamlNode& node, const std::vector<Axis>& axes, std::vector<Case>& cases) {
  TRY(const YamlNode* named, Require(node, "causes", "axis"));
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
    TRY(const Cause cause, ReadCause(entry));
    for (Case& c : cases) {
      if (c.axes.at(named->text) != entry.key) continue;
      c.cause = cause;
      ExpectLine(cause.missing, false, entry.pos, c);
      ExpectLine(cause.extra, true, entry.pos, c);
    }
  }
  for (const Case& c : cases)
    if (!c.cause) return ErrorAt(node, fmt::format("nothing says what {} stands for", c.id));
  return Ok();
}

}  // namespace gpustage
