// Typed reading of YAML nodes. `what` is the word for the value in a message: expected {what}, got
// a list.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/text.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

inline Error ErrorAt(const YamlNode& node, std::string message) {
  return {std::move(message), node.pos};
}
inline Error ErrorAt(const YamlEntry& entry, std::string message) {
  return {std::move(message), entry.pos};
}

// "a list", "a map" or the text in quotes.
std::string Describe(const YamlNode& node);

// It is a map and has only these keys. `what` is its article and noun: "a run".
Status CheckKeys(const YamlNode& map, std::string_view what, const std::vector<std::string>& keys);
Status CheckList(const YamlNode& node, std::string_view what);
// The value of a key that must be there.
Result<const YamlNode*> Require(const YamlNode& map, std::string_view what, std::string_view key);
// The one of these keys that is there.
Result<const YamlEntry*> RequireOneOf(const YamlNode& map, std::string_view what,
                                      const std::vector<std::string>& keys);

Result<std::string> ReadText(const YamlNode& node, std::string_view what);
Result<std::string> ReadNonEmpty(const YamlNode& node, std::string_view what);
// Non-empty, and of letters, digits and . _ - only: names that become a part of case ids and file
// names.
Result<std::string> ReadName(const YamlNode& node, std::string_view what);
// Non-empty, at most `longest` bytes, no NUL: what a C program can be given.
Result<std::string> ReadCString(const YamlNode& node, std::string_view what, size_t longest);
// A list of texts; one text stands for a list of one.
Result<std::vector<std::string>> ReadTexts(const YamlNode& node, std::string_view what);
Result<int64_t> ReadInteger(const YamlNode& node, std::string_view what, int64_t least,
                            int64_t most);
Result<int> ReadInt(const YamlNode& node, std::string_view what, int least, int most);
Result<bool> ReadBool(const YamlNode& node, std::string_view what);  // true or false
// Bytes: 1024, or 80 GiB (KiB, MiB, GiB).
Result<uint64_t> ReadBytes(const YamlNode& node, std::string_view what);
Result<std::chrono::milliseconds> ReadSeconds(const YamlNode& node);  // 30, 0.5
// A user or a group of the tree, by its name or number (model/users.h).
Result<std::string> ReadUser(const YamlNode& node);
Result<std::string> ReadGroup(const YamlNode& node);
// RE2 accepts it. Named groups must be among `groups`, unless that is empty.
Result<std::string> ReadRegex(const YamlNode& node, std::string_view what,
                              const std::vector<std::string>& groups = {});

// The name that a file in fixtures/ gives itself, layout: NAME in NAME.yaml.
Result<std::string> ReadFixtureName(const YamlNode& file, std::string_view kind);

Error UnknownWord(const YamlNode& node, std::string_view what,
                  const std::vector<std::string>& words);

// Of a name whose part behind the @ is no version.
Error NoVersion(const YamlNode& node);

template <typename T>
Result<T> ReadChoice(const YamlNode& node, std::string_view what,
                     std::initializer_list<std::pair<std::string_view, T>> choices) {
  TRY(const std::string text, ReadText(node, what));
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) {
    if (word == text) return value;
    words.emplace_back(word);
  }
  return UnknownWord(node, what, words);
}

}  // namespace gpustage
