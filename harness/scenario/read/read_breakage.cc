// broken: of a library: a map of ways to be broken and what each takes.
#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

using Kind = Breakage::Kind;

constexpr uint64_t kLargest = uint64_t{64} << 20;
constexpr int kHourInMilliseconds = 3600000;
constexpr size_t kLongestName = 255;

// What stands behind the word. kEach: one, or a list of which each is a way of its own.
enum class Value {
  kTrue,
  kContent,
  kBytes,
  kMilliseconds,
  kName,
  kNameOrNone,
  kNames,
  kEach,
  kWord
};

// Of each group but the last a library is broken in one way at most.
enum class Group { kContent, kPath, kVersions, kDeath, kFree };

struct Way {
  std::string_view word;
  Kind kind;
  Value value;
  std::string_view what;  // for messages; of kWord the only word that can be there
  Group group = Group::kFree;
};
constexpr Way kWays[] = {
    {"empty", Kind::kEmpty, Value::kTrue, "", Group::kContent},
    {"truncated", Kind::kTruncated, Value::kBytes, "what is left"},
    {"text", Kind::kText, Value::kContent, "the text that stands there instead", Group::kContent},
    {"git_lfs", Kind::kGitLfs, Value::kTrue, "", Group::kContent},
    {"class", Kind::kWrongClass, Value::kWord, "32"},
    {"machine", Kind::kWrongMachine, Value::kWord, "arm64"},
    {"endian", Kind::kBigEndian, Value::kWord, "big"},
    {"soname", Kind::kSoname, Value::kNameOrNone, "a SONAME"},
    {"version_node", Kind::kVersionNode, Value::kNameOrNone, "the name of a version node",
     Group::kVersions},
    {"version_node_lacks", Kind::kVersionNodeLacks, Value::kNames, "a symbol"},
    {"version_table", Kind::kVersionTable, Value::kWord, "none", Group::kVersions},
    {"symbol_absent", Kind::kSymbolAbsent, Value::kNames, "a symbol"},
    {"undefined", Kind::kUndefined, Value::kEach, "a symbol"},
    {"needs", Kind::kNeeds, Value::kEach, "the name of a library"},
    {"needs_version", Kind::kNeedsVersion, Value::kName, "a version such as GLIBC_2.99"},
    {"rpath", Kind::kRpath, Value::kNameOrNone, "a path such as $ORIGIN", Group::kPath},
    {"runpath", Kind::kRunpath, Value::kNameOrNone, "a path such as $ORIGIN", Group::kPath},
    {"stack", Kind::kExecutableStack, Value::kWord, "executable"},
    {"static_tls", Kind::kStaticTls, Value::kBytes, "the size of its static TLS"},
    {"constructor_prints", Kind::kConstructorPrints, Value::kContent, "what it prints"},
    {"constructor_sleeps_ms", Kind::kConstructorSleeps, Value::kMilliseconds, ""},
    {"constructor_aborts", Kind::kConstructorAborts, Value::kTrue, "", Group::kDeath},
    {"constructor_crashes", Kind::kConstructorCrashes, Value::kTrue, "", Group::kDeath},
};

Status ReadNames(const YamlNode& node, std::string_view what, std::vector<std::string>& names) {
  TRY(names, ReadTexts(node, what));
  if (names.empty()) return ErrorAt(node, fmt::format("expected {}, got an empty list", what));
  return Ok();
}

Status ReadValue(const Way& way, const YamlNode& node, Breakage& broken) {
  switch (way.value) {
    case Value::kTrue: {
      TRY(const bool on, ReadBool(node, way.word));
      if (!on) return ErrorAt(node, fmt::format("write {}: true, or leave broken out", way.word));
      return Ok();
    }
    case Value::kContent: {
      TRY(broken.text, ReadText(node, way.what));
      return Ok();
    }
    case Value::kBytes: {
      TRY(const uint64_t bytes, ReadBytes(node, way.what));
      if (bytes > kLargest)
        return ErrorAt(node, way.kind == Kind::kTruncated ? "at most 64 MiB can be left"
                                                          : "at most 64 MiB can be asked for");
      broken.bytes = static_cast<int64_t>(bytes);
      return Ok();
    }
    case Value::kMilliseconds: {
      TRY(broken.bytes, ReadInt(node, "milliseconds", 1, kHourInMilliseconds));
      return Ok();
    }
    case Value::kName:
    case Value::kNameOrNone: {
      TRY(broken.text, ReadCString(node, way.what, kLongestName));
      if (way.value == Value::kNameOrNone && broken.text == "none") broken.text.clear();
      return Ok();
    }
    case Value::kNames: return ReadNames(node, way.what, broken.names);
    case Value::kEach: return Ok();  // ReadWay
    case Value::kWord: {
      TRY(ReadChoice<int>(node, way.word, {{way.what, 0}}));
      return Ok();
    }
  }
  return Ok();
}

Status ReadWay(const Way& way, const YamlNode& node, std::vector<Breakage>& broken) {
  if (way.value != Value::kEach) {
    Breakage one{way.kind, 0, ""};
    TRY(ReadValue(way, node, one));
    broken.push_back(std::move(one));
    return Ok();
  }
  const std::vector<YamlNode> alone = {node};
  if (node.IsList() && node.items.empty())
    return ErrorAt(node, fmt::format("expected {}, got an empty list", way.what));
  for (const YamlNode& item : node.IsList() ? node.items : alone) {
    TRY(std::string name, ReadCString(item, way.what, kLongestName));
    broken.push_back({way.kind, 0, std::move(name)});
  }
  return Ok();
}

const Way& WayNamed(std::string_view word) {
  return *std::find_if(std::begin(kWays), std::end(kWays),
                       [&](const Way& way) { return way.word == word; });
}

// Ways of which one undoes the other.
Status CheckTogether(const YamlNode& node) {
  for (const YamlEntry& entry : node.entries)
    for (const YamlEntry& other : node.entries) {
      if (&entry == &other) break;
      const Way &a = WayNamed(other.key), &b = WayNamed(entry.key);
      if (a.group == Group::kContent || b.group == Group::kContent)
        return ErrorAt(entry, fmt::format("{} leaves nothing for {} to change",
                                          Quote(a.group == Group::kContent ? a.word : b.word),
                                          Quote(a.group == Group::kContent ? b.word : a.word)));
      if (a.group != Group::kFree && a.group == b.group)
        return ErrorAt(entry,
                       fmt::format("a library has one of {} and {}", Quote(a.word), Quote(b.word)));
    }
  return Ok();
}

}  // namespace

std::vector<std::string> BreakageWords() {
  std::vector<std::string> words;
  for (const Way& way : kWays) words.emplace_back(way.word);
  return words;
}

Result<std::vector<Breakage>> ReadBreakage(const YamlNode& node) {
  if (!node.IsMap())
    return ErrorAt(node, fmt::format("expected ways to be broken, a map such as {{empty: true}}, "
                                     "got {}{}",
                                     Describe(node), DidYouMean(node.text, BreakageWords())));
  TRY(CheckKeys(node, "ways to be broken", BreakageWords()));
  if (node.entries.empty())
    return ErrorAt(node, "broken names no way" + DidYouMean("", BreakageWords()));
  TRY(CheckTogether(node));
  std::vector<Breakage> broken;
  for (const Way& way : kWays)
    if (const YamlNode* value = node.Find(way.word)) TRY(ReadWay(way, *value, broken));
  return broken;
}

}  // namespace gpustage
