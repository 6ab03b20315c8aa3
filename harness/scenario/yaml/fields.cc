#include "harness/scenario/yaml/fields.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "harness/base/files.h"
#include "harness/scenario/model/users.h"

namespace gpustage {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

std::vector<std::string> Quoted(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(Quote(word));
  return quoted;
}

}  // namespace

std::string Describe(const YamlNode& node) {
  if (node.IsList()) return "a list";
  if (node.IsMap()) return "a map";
  return Quote(node.text);
}

Status CheckKeys(const YamlNode& map, std::string_view what, const std::vector<std::string>& keys) {
  if (!map.IsMap())
    return ErrorAt(map, fmt::format("expected {}, a map, got {}", what, Describe(map)));
  // All of them: whoever mends one should not have to come back for the next.
  std::optional<Error> first;
  for (const YamlEntry& entry : map.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    if (!first)
      first = ErrorAt(
          entry, fmt::format("unknown key {}{}", Quote(entry.key), DidYouMean(entry.key, keys)));
    else
      first->message += fmt::format("; line {}: {}{}", entry.pos.line, Quote(entry.key),
                                    DidYouMean(entry.key, keys));
  }
  if (first) return *std::move(first);
  return Ok();
}

Status CheckList(const YamlNode& node, std::string_view what) {
  if (node.IsList()) return Ok();
  return ErrorAt(node, fmt::format("expected {}, a list, got {}", what, Describe(node)));
}

Result<const YamlNode*> Require(const YamlNode& map, std::string_view what, std::string_view key) {
  if (const YamlNode* node = map.Find(key)) return node;
  return ErrorAt(map, fmt::format("{} needs {}", what, Quote(key)));
}

Result<const YamlEntry*> RequireOneOf(const YamlNode& map, std::string_view what,
                                      const std::vector<std::string>& keys) {
  const YamlEntry* found = nullptr;
  for (const YamlEntry& entry : map.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) continue;
    if (found != nullptr)
      return ErrorAt(entry, fmt::format("{} has {} already; only one of {} can be there", what,
                                        Quote(found->key), JoinOr(Quoted(keys))));
    found = &entry;
  }
  if (found == nullptr) return ErrorAt(map, fmt::format("{} needs {}", what, JoinOr(Quoted(keys))));
  return found;
}

Result<std::string> ReadText(const YamlNode& node, std::string_view what) {
  if (node.IsText()) return node.text;
  return ErrorAt(node, fmt::format("expected {}, got {}", what, Describe(node)));
}

Result<std::string> ReadNonEmpty(const YamlNode& node, std::string_view what) {
  TRY(std::string text, ReadText(node, what));
  if (text.empty()) return ErrorAt(node, fmt::format("expected {}, got the empty string", what));
  return text;
}

Result<std::string> ReadName(const YamlNode& node, std::string_view what) {
  TRY(std::string text, ReadNonEmpty(node, what));
  if (std::all_of(text.begin(), text.end(), IsNameCharacter)) return text;
  return ErrorAt(node,
                 fmt::format("{} {} may hold letters, digits and . _ - only", what, Quote(text)));
}

Result<std::string> ReadCString(const YamlNode& node, std::string_view what, size_t longest) {
  TRY(std::string text, ReadNonEmpty(node, what));
  if (text.find('\0') != std::string::npos)
    return ErrorAt(node, fmt::format("{} cannot hold a NUL byte", what));
  if (text.size() > longest)
    return ErrorAt(node,
                   fmt::format("{} is {} bytes long; at most {} fit", what, text.size(), longest));
  return text;
}

Result<std::vector<std::string>> ReadTexts(const YamlNode& node, std::string_view what) {
  if (node.IsText()) return std::vector<std::string>{node.text};
  TRY(CheckList(node, what));
  std::vector<std::string> texts;
  for (const YamlNode& item : node.items) {
    if (!item.IsText())
      return ErrorAt(item, fmt::format("expected text in {}, got {}", what, Describe(item)));
    texts.push_back(item.text);
  }
  return texts;
}

Result<int64_t> ReadInteger(const YamlNode& node, std::string_view what, int64_t least,
                            int64_t most) {
  int64_t value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, value);
  const bool number = node.IsText() && parsed.ec == std::errc() && parsed.ptr == end;
  if (number && value >= least && value <= most) return value;
  if (most == std::numeric_limits<int64_t>::max())
    return ErrorAt(node, fmt::format("expected {}, a whole number from {}, got {}", what, least,
                                     Describe(node)));
  return ErrorAt(node, fmt::format("expected {}, a whole number from {} to {}, got {}", what, least,
                                   most, Describe(node)));
}

Result<int> ReadInt(const YamlNode& node, std::string_view what, int least, int most) {
  TRY(const int64_t value, ReadInteger(node, what, least, most));
  return static_cast<int>(value);
}

Result<bool> ReadBool(const YamlNode& node, std::string_view what) {
  if (node.IsText() && node.text == "true") return true;
  if (node.IsText() && node.text == "false") return false;
  return ErrorAt(node, fmt::format("expected {}, true or false, got {}", what, Describe(node)));
}

Result<uint64_t> ReadBytes(const YamlNode& node, std::string_view what) {
  const auto wrong = [&] {
    return ErrorAt(
        node,
        fmt::format("expected {} in bytes, such as 1073741824 or 1 GiB (KiB, MiB, GiB), got {}",
                    what, Describe(node)));
  };
  uint64_t value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, value);
  if (!node.IsText() || parsed.ec != std::errc()) return wrong();
  const std::string_view unit(parsed.ptr, static_cast<size_t>(end - parsed.ptr));
  int shift = 0;
  if (unit == " KiB")
    shift = 10;
  else if (unit == " MiB")
    shift = 20;
  else if (unit == " GiB")
    shift = 30;
  else if (!unit.empty())
    return wrong();
  if (value > std::numeric_limits<uint64_t>::max() >> shift) return wrong();
  return value << shift;
}

Result<std::chrono::milliseconds> ReadSeconds(const YamlNode& node) {
  double seconds = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, seconds, std::chars_format::fixed);
  if (!node.IsText() || parsed.ec != std::errc() || parsed.ptr != end ||
      !(seconds >= 0.001 && seconds <= 86400))
    return ErrorAt(node,
                   fmt::format("expected seconds from 0.001 to 86400, got {}", Describe(node)));
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

namespace {

// By its name, or as a number.
template <typename Known, size_t N>
Result<std::string> ReadKnown(const YamlNode& node, std::string_view what,
                              const Known (&known)[N]) {
  std::vector<std::string> names;
  for (const Known& one : known) {
    if (node.IsText() && node.text == one.name) return node.text;
    names.emplace_back(one.name);
  }
  unsigned id = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, id);
  if (node.IsText() && !node.text.empty() && parsed.ec == std::errc() && parsed.ptr == end &&
      id <= kLastId)
    return node.text;
  names.push_back(fmt::format("a number to {}", kLastId));
  return UnknownWord(node, what, names);
}

}  // namespace

Result<std::string> ReadUser(const YamlNode& node) { return ReadKnown(node, "user", kUsers); }
Result<std::string> ReadGroup(const YamlNode& node) { return ReadKnown(node, "group", kGroups); }

Result<std::string> ReadRegex(const YamlNode& node, std::string_view what,
                              const std::vector<std::string>& groups) {
  TRY(std::string text, ReadNonEmpty(node, what));
  const RE2 pattern(text, RE2::Quiet);
  if (!pattern.ok())
    return ErrorAt(node, fmt::format("{} is no RE2 expression: {}", what, pattern.error()));
  if (!groups.empty())
    for (const auto& [name, index] : pattern.NamedCapturingGroups())
      if (std::find(groups.begin(), groups.end(), name) == groups.end())
        return ErrorAt(node, fmt::format("unknown group {} in {}{}", Quote(name), what,
                                         DidYouMean(name, groups)));
  return text;
}

Result<std::string> ReadFixtureName(const YamlNode& file, std::string_view kind) {
  TRY(const YamlNode* node, Require(file, fmt::format("a {} file", kind), kind));
  TRY(std::string name, ReadName(*node, fmt::format("a {}", kind)));
  std::string stem = BaseNameOf(file.pos.file);
  stem = stem.substr(0, stem.rfind('.'));
  // A scanner may have a second definition, for other versions.
  if (name == stem || (kind == "scanner" && stem.starts_with(name + "@"))) return name;
  return ErrorAt(
      *node, fmt::format("expected {}: {}, the name of the file, got {}", kind, stem, Quote(name)));
}

Error UnknownWord(const YamlNode& node, std::string_view what,
                  const std::vector<std::string>& words) {
  return ErrorAt(
      node, fmt::format("unknown {} {}{}", what, Describe(node), DidYouMean(node.text, words)));
}

Error NoVersion(const YamlNode& node) {
  return ErrorAt(
      node,
      fmt::format("expected a version such as ollama@0.17, ollama@<0.30 or ollama@>=0.30, got {}",
                  Describe(node)));
}

}  // namespace gpustage
