#include "harness/logs/knowledge.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/logs/facts_of_discovery.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

Result<LineKind> ReadKind(const YamlNode& node) {
  return ReadChoice<LineKind>(node, "kind",
                              {{"start", LineKind::kStart},
                               {"settings", LineKind::kSettings},
                               {"look", LineKind::kLook},
                               {"tried", LineKind::kTried},
                               {"device", LineKind::kDevice},
                               {"none", LineKind::kNone},
                               {"done", LineKind::kDone},
                               {"loss", LineKind::kLoss},
                               {"drop", LineKind::kDrop},
                               {"hint", LineKind::kHint},
                               {"use", LineKind::kUse},
                               {"note", LineKind::kNote},
                               {"noise", LineKind::kNoise}});
}

// ">=0.13 <0.30", each part as a scanner's version is written.
Result<VersionRange> ReadVersions(const YamlNode& node) {
  TRY(const std::string text, ReadNonEmpty(node, "versions"));
  VersionRange range;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const auto part = ParseVersions(text.substr(start, end - start));
    if (!part) return ErrorAt(node, "expected versions such as >=0.13 <0.30, got " + Quote(text));
    if (!part->from.empty()) range.from = part->from;
    if (!part->below.empty()) range.below = part->below;
    start = end + 1;
  }
  return range;
}

Result<std::string> ReadLevel(const YamlNode& node) {
  return ReadChoice<std::string>(node, "level",
                                 {{"INFO", "INFO"}, {"DEBUG", "DEBUG"}, {"TRACE", "TRACE"}});
}

Result<std::vector<std::string>> TextsOf(const YamlNode& map, std::string_view key) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return std::vector<std::string>{};
  return ReadTexts(*node, key);
}

Result<std::string> TextOf(const YamlNode& map, std::string_view key) {
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return std::string();
  return ReadNonEmpty(*node, key);
}

Result<VersionRange> VersionsOf(const YamlNode& map) {
  const YamlNode* node = map.Find("versions");
  if (node == nullptr) return VersionRange{};
  return ReadVersions(*node);
}

Result<std::string> LevelOf(const YamlNode& map) {
  const YamlNode* node = map.Find("level");
  if (node == nullptr) return std::string();
  return ReadLevel(*node);
}

Result<LineRule> ReadRule(const YamlNode& node, const std::string& program) {
  TRY(CheckKeys(node, "a line",
                {"id", "line", "kind", "versions", "level", "step", "vendor", "causes", "needs",
                 "fallback", "shared", "quote", "says", "source"}));
  LineRule rule;
  rule.pos = node.pos;
  rule.program = program;
  TRY(const YamlNode* id, Require(node, "a line", "id"));
  TRY(rule.id, ReadName(*id, "an id"));
  TRY(const YamlNode* line, Require(node, "a line", "line"));
  TRY(const std::string pattern, ReadRegex(*line, "line"));
  rule.line = std::make_shared<const RE2>(pattern, RE2::Quiet);
  TRY(const YamlNode* kind, Require(node, "a line", "kind"));
  TRY(rule.kind, ReadKind(*kind));
  TRY(const YamlNode* source, Require(node, "a line", "source"));
  TRY(rule.source, ReadNonEmpty(*source, "a source"));
  TRY(rule.versions, VersionsOf(node));
  TRY(rule.level, LevelOf(node));
  TRY(rule.step, TextOf(node, "step"));
  TRY(rule.vendor, TextOf(node, "vendor"));
  TRY(rule.causes, TextsOf(node, "causes"));
  TRY(rule.needs, TextsOf(node, "needs"));
  TRY(rule.says, TextOf(node, "says"));
  TRY(rule.quote, TextOf(node, "quote"));
  if (const YamlNode* shared = node.Find("shared")) {
    TRY(rule.shared, ReadBool(*shared, "shared"));
  }
  if (const YamlNode* fallback = node.Find("fallback")) {
    TRY(rule.fallback, ReadBool(*fallback, "fallback"));
  }
  return rule;
}

Result<SilentLoss> ReadSilent(const YamlNode& node, const std::string& program) {
  TRY(CheckKeys(node, "a silent loss", {"what", "level", "versions", "never", "linux"}));
  SilentLoss loss;
  loss.program = program;
  TRY(const YamlNode* what, Require(node, "a silent loss", "what"));
  TRY(loss.what, ReadNonEmpty(*what, "what"));
  TRY(loss.level, LevelOf(node));
  TRY(loss.versions, VersionsOf(node));
  TRY(loss.never, TextsOf(node, "never"));
  if (const YamlNode* alone = node.Find("linux")) {
    TRY(loss.linux_alone, ReadBool(*alone, "linux"));
  }
  return loss;
}

Result<Deeper> ReadDeeper(const YamlNode& node, const std::string& program) {
  TRY(CheckKeys(node, "a way to see more", {"say", "level", "platform", "versions"}));
  Deeper deeper;
  deeper.program = program;
  TRY(const YamlNode* say, Require(node, "a way to see more", "say"));
  TRY(deeper.say, ReadNonEmpty(*say, "say"));
  TRY(deeper.level, LevelOf(node));
  TRY(deeper.platform, TextOf(node, "platform"));
  TRY(deeper.versions, VersionsOf(node));
  return deeper;
}

Status ReadRules(const std::string& path, Knowledge& knowledge) {
  TRY(const YamlNode file, ReadYamlFile(path));
  TRY(CheckKeys(file, "a file of lines",
                {"program", "about", "marks", "silent", "deeper", "lines"}));
  TRY(const YamlNode* name, Require(file, "a file of lines", "program"));
  TRY(std::string program, ReadName(*name, "a program"));
  if (program == "any") program.clear();
  if (const YamlNode* marks = file.Find("marks"))
    for (const YamlNode& item : marks->items) {
      TRY(const std::string pattern, ReadRegex(item, "a mark"));
      knowledge.marks.push_back(
          {program, std::make_shared<const RE2>("(?m)" + pattern, RE2::Quiet)});
    }
  if (const YamlNode* silent = file.Find("silent"))
    for (const YamlNode& item : silent->items) {
      TRY(SilentLoss loss, ReadSilent(item, program));
      knowledge.silent.push_back(std::move(loss));
    }
  if (const YamlNode* deeper = file.Find("deeper"))
    for (const YamlNode& item : deeper->items) {
      TRY(Deeper way, ReadDeeper(item, program));
      knowledge.deeper.push_back(std::move(way));
    }
  TRY(const YamlNode* lines, Require(file, "a file of lines", "lines"));
  TRY(CheckList(*lines, "lines"));
  for (const YamlNode& item : lines->items) {
    TRY(LineRule rule, ReadRule(item, program));
    knowledge.rules.push_back(std::move(rule));
  }
  return Ok();
}

Result<WrittenLine> ReadTrace(const YamlNode& node) {
  TRY(CheckKeys(node, "a line that it writes", {"lines", "level", "versions"}));
  WrittenLine trace;
  TRY(trace.lines, TextsOf(node, "lines"));
  TRY(trace.level, LevelOf(node));
  TRY(trace.versions, VersionsOf(node));
  return trace;
}

Result<std::vector<WrittenLine>> TracesOf(const YamlNode& map) {
  std::vector<WrittenLine> traces;
  const YamlNode* writes = map.Find("writes");
  if (writes == nullptr) return traces;
  TRY(CheckList(*writes, "writes"));
  for (const YamlNode& item : writes->items) {
    TRY(WrittenLine trace, ReadTrace(item));
    traces.push_back(std::move(trace));
  }
  return traces;
}

Result<Way> ReadWay(const YamlNode& node) {
  TRY(CheckKeys(node, "a way", {"program", "versions", "writes", "never"}));
  Way way;
  TRY(way.program, TextOf(node, "program"));
  TRY(way.versions, VersionsOf(node));
  TRY(way.writes, TracesOf(node));
  TRY(way.never, TextsOf(node, "never"));
  return way;
}

Result<LogCause> ReadCause(const YamlEntry& entry, const std::map<std::string, Way>& ways) {
  const YamlNode& node = entry.value;
  TRY(CheckKeys(node, "a cause",
                {"is", "see", "mend", "look", "way", "program", "vendor", "versions", "writes",
                 "never", "candidate", "linux", "staged"}));
  LogCause cause;
  cause.id = entry.key;
  cause.pos = entry.pos;
  if (const YamlNode* way = node.Find("way")) {
    std::vector<std::string> names;
    for (const auto& [name, known] : ways) names.push_back(name);
    const auto known = ways.find(way->text);
    if (known == ways.end()) return UnknownWord(*way, "way", names);
    cause.program = known->second.program;
    cause.versions = known->second.versions;
    cause.writes = known->second.writes;
    cause.never = known->second.never;
  }
  TRY(const YamlNode* is, Require(node, "a cause", "is"));
  TRY(cause.is, ReadNonEmpty(*is, "is"));
  TRY(const YamlNode* mend, Require(node, "a cause", "mend"));
  TRY(cause.mend, ReadNonEmpty(*mend, "mend"));
  TRY(cause.see, TextOf(node, "see"));
  TRY(cause.look, TextOf(node, "look"));
  TRY(cause.vendor, TextOf(node, "vendor"));
  TRY(cause.staged, TextOf(node, "staged"));
  if (node.Find("program") != nullptr) {
    TRY(cause.program, TextOf(node, "program"));
  }
  if (node.Find("versions") != nullptr) {
    TRY(cause.versions, VersionsOf(node));
  }
  TRY(const std::vector<std::string> never, TextsOf(node, "never"));
  cause.never.insert(cause.never.end(), never.begin(), never.end());
  TRY(const std::vector<WrittenLine> writes, TracesOf(node));
  cause.writes.insert(cause.writes.end(), writes.begin(), writes.end());
  if (const YamlNode* linux_alone = node.Find("linux")) {
    TRY(cause.linux_alone, ReadBool(*linux_alone, "linux"));
  }
  if (const YamlNode* candidate = node.Find("candidate")) {
    TRY(cause.candidate, ReadBool(*candidate, "candidate"));
  }
  return cause;
}

Status ReadAsks(const YamlNode& file, Knowledge& knowledge) {
  const YamlNode* const asks = file.Find("asks");
  if (asks == nullptr) return Ok();
  TRY(CheckList(*asks, "asks"));
  for (const YamlNode& node : asks->items) {
    TRY(CheckKeys(node, "what is asked for", {"speaks", "program", "say"}));
    TRY(const YamlNode* speaks, Require(node, "what is asked for", "speaks"));
    AskedFor ask;
    TRY(const std::string pattern, ReadRegex(*speaks, "speaks"));
    ask.speaks = std::make_shared<const RE2>(pattern, RE2::Quiet);
    TRY(ask.program, TextOf(node, "program"));
    TRY(ask.say, TextOf(node, "say"));
    knowledge.asks.push_back(std::move(ask));
  }
  return Ok();
}

Status ReadCauses(const std::string& path, Knowledge& knowledge) {
  TRY(const YamlNode file, ReadYamlFile(path));
  TRY(CheckKeys(file, "a file of causes", {"about", "asks", "looks", "ways", "causes"}));
  TRY(ReadAsks(file, knowledge));
  TRY(const YamlNode* looks, Require(file, "a file of causes", "looks"));
  for (const YamlEntry& entry : looks->entries) {
    TRY(CheckKeys(entry.value, "a look", {"command", "any", "windows", "other", "llama.cpp"}));
    TRY(const YamlNode* command, Require(entry.value, "a look", "command"));
    Look look;
    TRY(look.command, ReadNonEmpty(*command, "a command"));
    TRY(look.any_command, TextOf(entry.value, "any"));
    TRY(look.windows, TextOf(entry.value, "windows"));
    TRY(look.other, TextOf(entry.value, "other"));
    TRY(look.llama, TextOf(entry.value, "llama.cpp"));
    knowledge.looks[entry.key] = look;
  }
  std::map<std::string, Way> ways;
  TRY(const YamlNode* kinds, Require(file, "a file of causes", "ways"));
  for (const YamlEntry& entry : kinds->entries) {
    TRY(ways[entry.key], ReadWay(entry.value));
  }
  TRY(const YamlNode* causes, Require(file, "a file of causes", "causes"));
  for (const YamlEntry& entry : causes->entries) {
    TRY(LogCause cause, ReadCause(entry, ways));
    if (!cause.look.empty() && knowledge.looks.count(cause.look) == 0)
      return ErrorAt(entry, fmt::format("{} has a look that is not in looks: {}", cause.id,
                                        Quote(cause.look)));
    knowledge.causes.push_back(std::move(cause));
  }
  return Ok();
}

// Ids that rules and causes name of each other, and each id once.
Status CheckNames(const Knowledge& knowledge) {
  std::vector<std::string> causes;
  for (const LogCause& cause : knowledge.causes) causes.push_back(cause.id);
  std::set<std::string> seen;
  for (const LineRule& rule : knowledge.rules) {
    if (!seen.insert(rule.id).second)
      return Error{"a line has this id already: " + Quote(rule.id), rule.pos};
    for (const std::string& cause : rule.causes)
      if (knowledge.Find(cause) == nullptr)
        return Error{"unknown cause " + Quote(cause) + DidYouMean(cause, causes), rule.pos};
  }
  const std::vector<std::string> lines(seen.begin(), seen.end());
  for (const LogCause& cause : knowledge.causes) {
    for (const std::string& fact : cause.never)
      if (seen.count(fact) == 0 && NamesOfDerivedFacts().count(fact) == 0)
        return Error{cause.id + " has an unknown line " + Quote(fact) + DidYouMean(fact, lines),
                     cause.pos};
    for (const WrittenLine& trace : cause.writes)
      for (const std::string& line : trace.lines)
        if (seen.count(line) == 0)
          return Error{cause.id + " has an unknown line " + Quote(line) + DidYouMean(line, lines),
                       cause.pos};
  }
  return Ok();
}

}  // namespace

const LogCause* Knowledge::Find(const std::string& cause) const {
  const auto found = std::find_if(causes.begin(), causes.end(),
                                  [&](const LogCause& known) { return known.id == cause; });
  return found == causes.end() ? nullptr : &*found;
}

Result<Knowledge> ReadKnowledge(const std::string& folder) {
  Knowledge knowledge;
  TRY(ReadCauses(folder + "/causes.yaml", knowledge));
  // Only the folder itself: below it are the excerpts of threads.
  TRY(const std::vector<std::string> files, FilesBelow(folder, ".yaml"));
  for (const std::string& file : files)
    if (ParentOf(file) == folder && BaseNameOf(file) != "causes.yaml") {
      TRY(ReadRules(file, knowledge));
    }
  TRY(CheckNames(knowledge));
  return knowledge;
}

}  // namespace gpustage
