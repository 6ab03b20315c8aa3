#include "harness/cli/help_topic.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/report/trace.h"

namespace gpustage {

extern const char* const kScenarioSchema;

namespace {

using nlohmann::ordered_json;

const ordered_json& Schema() {
  static const ordered_json schema = ordered_json::parse(kScenarioSchema);
  return schema;
}

const ordered_json& Resolved(const ordered_json& node) {
  if (!node.is_object() || !node.contains("$ref")) return node;
  return Schema().at(ordered_json::json_pointer(node["$ref"].get<std::string>().substr(1)));
}

std::string TextOf(const ordered_json& node, const char* key) {
  for (const ordered_json* place : {&node, &Resolved(node)})
    if (place->is_object() && place->contains(key) && (*place)[key].is_string())
      return (*place)[key];
  return "";
}

std::string Plain(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void AddValues(const ordered_json& whole, std::vector<std::string>& words,
               std::vector<std::string>& keys, int depth) {
  const ordered_json& node = Resolved(whole);
  if (!node.is_object() || depth > 4) return;
  if (node.contains("enum"))
    for (const ordered_json& value : node["enum"]) words.push_back(Plain(value));
  if (node.contains("const")) words.push_back(Plain(node["const"]));
  for (const char* list : {"oneOf", "anyOf"})
    if (node.contains(list))
      for (const ordered_json& one : node[list]) AddValues(one, words, keys, depth + 1);
  if (node.contains("items")) AddValues(node["items"], words, keys, depth + 1);
  if (node.contains("properties"))
    for (const auto& [key, value] : node["properties"].items()) keys.push_back(key);
}

void Unique(std::vector<std::string>& words) {
  std::vector<std::string> once;
  for (std::string& word : words)
    if (std::find(once.begin(), once.end(), word) == once.end()) once.push_back(std::move(word));
  words = std::move(once);
}

// The part of a scenario that a definition is of: "expect, lost" for lostClaim.
std::string PlaceOf(const std::string& definition) {
  static const std::map<std::string, std::string> places = {{"expectation", "expect"},
                                                            {"machine", "machine"},
                                                            {"device", "machine, devices"},
                                                            {"fault", "machine, faults"},
                                                            {"operation", "tree"},
                                                            {"run", "runs"},
                                                            {"timed_operation", "runs, meanwhile"},
                                                            {"suspect", "suspects"},
                                                            {"look", "suspects, looks"},
                                                            {"constraint", "matrix, constraints"}};
  if (const auto known = places.find(definition); known != places.end()) return known->second;
  if (definition.ends_with("Claim"))
    return "expect, " + definition.substr(0, definition.size() - 5);
  return definition;
}

struct Entry {
  std::string place;
  std::string about;
  std::vector<std::string> values, keys;
  std::string example;
  friend bool operator==(const Entry&, const Entry&) = default;
};

using Entries = std::map<std::string, std::vector<Entry>>;

void Add(const std::string& word, Entry entry, Entries& entries) {
  std::vector<Entry>& known = entries[word];
  if (std::find(known.begin(), known.end(), entry) == known.end())
    known.push_back(std::move(entry));
}

void Walk(const ordered_json& node, const std::string& place, Entries& entries) {
  if (node.is_array())
    for (const ordered_json& item : node) Walk(item, place, entries);
  if (!node.is_object()) return;
  if (node.contains("const") && node.contains("description"))
    Add(Plain(node["const"]), {place, node["description"], {}, {}, ""}, entries);
  for (const auto& [key, value] : node.items()) {
    if (key != "properties") {
      Walk(value, place, entries);
      continue;
    }
    for (const auto& [name, what] : value.items()) {
      Entry entry{place, TextOf(what, "description"), {}, {}, ""};
      AddValues(what, entry.values, entry.keys, 0);
      Unique(entry.values);
      Unique(entry.keys);
      if (what.contains("examples")) entry.example = Plain(what["examples"][0]);
      Add(name, std::move(entry), entries);
      Walk(what, place.empty() ? name : place + ", " + name, entries);
    }
  }
}

const Entries& AllEntries() {
  static const Entries all = [] {
    Entries entries;
    for (const auto& [name, definition] : Schema()["$defs"].items())
      Walk(definition, PlaceOf(name), entries);
    ordered_json top = Schema();
    top.erase("$defs");
    Walk(top, "", entries);
    return entries;
  }();
  return all;
}

std::string ListText(const char* label, const std::vector<std::string>& words, size_t width) {
  if (words.empty()) return "";
  return fmt::format("    {:<8} {}\n", label,
                     Wrapped(fmt::format("{}", fmt::join(words, ", ")), 13, width));
}

}  // namespace

std::optional<std::string> TopicText(const std::string& word, size_t width) {
  const auto found = AllEntries().find(word);
  if (found == AllEntries().end()) return std::nullopt;
  std::string text = word + "\n";
  for (const Entry& entry : found->second) {
    text +=
        fmt::format("  {}\n", entry.place.empty() ? "a key of a scenario" : "in " + entry.place);
    if (!entry.about.empty()) text += "    " + Wrapped(entry.about, 4, width) + "\n";
    text += ListText("values", entry.values, width) + ListText("keys", entry.keys, width);
    if (!entry.example.empty()) text += fmt::format("    {:<8} {}\n", "example", entry.example);
  }
  return text;
}

std::vector<std::string> TopicWords() {
  std::vector<std::string> words;
  for (const auto& [word, entries] : AllEntries()) words.push_back(word);
  return words;
}

}  // namespace gpustage
