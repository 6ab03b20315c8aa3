#include "harness/suite/find_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "harness/base/text.h"
#include "harness/scenario/yaml/yaml.h"

namespace gpustage {
namespace {

constexpr double kSame = 0.4;  // of a word that only means the same
constexpr double kPart = 0.5;  // of a word that is a part of a longer name

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
// What holds the parts of one name together: "libcudart.so.12", "CUDA_VISIBLE_DEVICES".
bool Joins(char c) { return c == '.' || c == '_' || c == '-' || c == '+'; }

bool Cut(std::string& word, std::string_view ending, size_t least) {
  if (word.size() < least + ending.size() || !word.ends_with(ending)) return false;
  word.resize(word.size() - ending.size());
  return true;
}

// "libraries" -> "librar", "stopped" -> "stop": enough that two forms of one word meet.
std::string Stem(std::string word) {
  if (std::any_of(word.begin(), word.end(),
                  [](char c) { return std::isalpha(static_cast<unsigned char>(c)) == 0; }))
    return word;
  if (!word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is")) Cut(word, "s", 3);
  if (Cut(word, "ing", 4) || Cut(word, "ed", 4)) {
    const size_t size = word.size();
    if (size > 3 && word[size - 1] == word[size - 2]) word.pop_back();
  }
  if (!Cut(word, "ie", 3)) Cut(word, "y", 3);
  Cut(word, "e", 3);
  if (Cut(word, "ation", 4) || Cut(word, "ion", 5)) Cut(word, "at", 4);
  if (Cut(word, "is", 4)) word += "iz";  // "initialised", "initializes", "initialisation"
  return word;
}

// The names in a text: "libcudart.so.12", "cuInit", "driver/library" is two.
std::vector<std::string> Names(std::string_view text) {
  std::vector<std::string> names;
  for (size_t at = 0; at < text.size();) {
    if (!IsWord(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && (IsWord(text[end]) || Joins(text[end]))) ++end;
    size_t last = end;
    while (last > at && !IsWord(text[last - 1])) --last;
    names.emplace_back(text.substr(at, last - at));
    at = end;
  }
  return names;
}

// "ggml_backend_init" -> ggml, backend, init; "cuDevicePrimaryCtxRetain" -> cu, device, …
std::vector<std::string> PartsOf(const std::string& name) {
  std::vector<std::string> parts;
  std::string part;
  const auto end = [&] {
    if (!part.empty()) parts.push_back(InSmallLetters(part));
    part.clear();
  };
  for (size_t i = 0; i < name.size(); ++i) {
    if (!IsWord(name[i])) {
      end();
      continue;
    }
    const bool hump = i > 0 && std::isupper(static_cast<unsigned char>(name[i])) != 0 &&
                      std::islower(static_cast<unsigned char>(name[i - 1])) != 0;
    if (hump) end();
    part += name[i];
  }
  end();
  return parts;
}

// "0.7" of 0, 7, 0: people name a version more or less exactly.
std::string SeriesOf(const std::vector<std::string>& parts) {
  const bool version =
      parts.size() > 2 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
        return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
      });
  return version ? parts[0] + "." + parts[1] : "";
}

std::string Joined(const std::vector<std::string>& words, size_t from, size_t count) {
  std::string text = words[from];
  for (size_t i = from + 1; i < from + count; ++i) text += " " + words[i];
  return text;
}

// All of them, with nothing left out: for phrases.
std::vector<std::string> PlainWords(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string& name : Names(text))
    for (const std::string& part : PartsOf(name)) words.push_back(Stem(part));
  return words;
}

}  // namespace

Result<FindWords> FindWords::Read(const std::string& file) {
  TRY(const YamlNode root, ReadYamlFile(file));
  FindWords words;
  const YamlNode* silent = root.Find("silent");
  const YamlNode* same = root.Find("same");
  if (silent == nullptr || same == nullptr)
    return Error{"expected silent: and same:, lists of words", root.pos};
  for (const YamlNode& word : silent->items) words.silent_.insert(InSmallLetters(word.text));
  for (size_t group = 0; group < same->items.size(); ++group)
    for (const YamlNode& phrase : same->items[group].items) {
      const std::vector<std::string> parts = PlainWords(phrase.text);
      if (parts.empty()) return Error{"no word in it", phrase.pos};
      words.longest_ = std::max(words.longest_, parts.size());
      words.same_[Joined(parts, 0, parts.size())].insert(fmt::format("={}", group));
    }
  return words;
}

std::map<std::string, double> FindWords::Of(std::string_view text) const {
  std::map<std::string, double> said;
  for (const std::string& name : Names(text)) {
    const std::vector<std::string> parts = PartsOf(name);
    if (parts.size() > 1) said[InSmallLetters(name)] += 1;
    if (const std::string series = SeriesOf(parts); !series.empty()) said[series] += 1;
    for (const std::string& part : parts) {
      if (silent_.contains(part)) continue;
      const double weight = parts.size() > 1 ? kPart : 1;
      said[Stem(part)] += weight;
      if (part.starts_with("lib") && part.size() > 4) said[Stem(part.substr(3))] += weight;
    }
  }
  const std::vector<std::string> plain = PlainWords(text);
  for (size_t from = 0; from < plain.size(); ++from)
    for (size_t count = 1; count <= longest_ && from + count <= plain.size(); ++count)
      if (const auto found = same_.find(Joined(plain, from, count)); found != same_.end())
        for (const std::string& group : found->second) said[group] += kSame;
  return said;
}

}  // namespace gpustage
