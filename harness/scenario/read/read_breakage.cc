// broken: of a library: a map of one way to be broken and what it takes.
#include <fmt/format.h>

#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

using Kind = Breakage::Kind;

constexpr uint64_t kLargest = uint64_t{64} << 20;
constexpr int kHourInMilliseconds = 3600000;
constexpr size_t kLongestName = 255;

// What stands behind the word.
enum class Value { kTrue, kContent, kBytes, kMilliseconds, kName, kNameOrNone, kNames, kWord };

struct Way {
  std::string_view word;
  Kind kind;
  Value value;
  std::string_view what;  // for messages; of kWord the only word that can be there
};
constexpr Way kWays[] = {
    {"empty", Kind::kEmpty, Value::kTrue, ""},
    {"truncated", Kind::kTruncated, Value::kBytes, "what is left"},
    {"text", Kind::kText, Value::kContent, "the text that stands there instead"},
    {"git_lfs", Kind::kGitLfs, Value::kTrue, ""},
    {"class", Kind::kWrongClass, Value::kWord, "32"},
    {"machine", Kind::kWrongMachine, Value::kWord, "arm64"},
    {"endian", Kind::kBigEndian, Value::kWord, "big"},
    {"soname", Kind::kSoname, Value::kNameOrNone, "a SONAME"},
    {"version_node", Kind::kVersionNode, Value::kNameOrNone, "the name of a version node"},
    {"version_node_lacks", Kind::kVersionNodeLacks, Value::kNames, "a symbol"},
    {"version_table", Kind::kVersionTable, Value::kWord, "none"},
    {"symbol_absent", Kind::kSymbolAbsent, Value::kNames, "a symbol"},
    {"undefined", Kind::kUndefined, Value::kName, "a symbol"},
    {"needs", Kind::kNeeds, Value::kName, "the name of a library"},
    {"needs_version", Kind::kNeedsVersion, Value::kName, "a version such as GLIBC_2.99"},
    {"rpath", Kind::kRpath, Value::kNameOrNone, "a path such as $ORIGIN"},
    {"runpath", Kind::kRunpath, Value::kNameOrNone, "a path such as $ORIGIN"},
    {"stack", Kind::kExecutableStack, Value::kWord, "executable"},
    {"static_tls", Kind::kStaticTls, Value::kBytes, "the size of its static TLS"},
    {"constructor_prints", Kind::kConstructorPrints, Value::kContent, "what it prints"},
    {"constructor_sleeps_ms", Kind::kConstructorSleeps, Value::kMilliseconds, ""},
    {"constructor_aborts", Kind::kConstructorAborts, Value::kTrue, ""},
    {"constructor_crashes", Kind::kConstructorCrashes, Value::kTrue, ""},
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
    case Value::kWord: {
      TRY(ReadChoice<int>(node, way.word, {{way.what, 0}}));
      return Ok();
    }
  }
  return Ok();
}

}  // namespace

std::vector<std::string> BreakageWords() {
  std::vector<std::string> words;
  for (const Way& way : kWays) words.emplace_back(way.word);
  return words;
}

Result<Breakage> ReadBreakage(const YamlNode& node) {
  TRY(CheckKeys(node, "a way to be broken", BreakageWords()));
  TRY(const YamlEntry* entry, RequireOneOf(node, "broken", BreakageWords()));
  Breakage broken;
  for (const Way& way : kWays) {
    if (way.word != entry->key) continue;
    broken.kind = way.kind;
    TRY(ReadValue(way, entry->value, broken));
  }
  return broken;
}

}  // namespace gpustage
