#include "harness/suite/scenario_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/scenario/catalog/functions.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

// As a flow of YAML, which is how scenarios are written.
std::string Flow(const YamlNode& node) {
  if (node.IsText()) return node.text;
  std::vector<std::string> parts;
  for (const YamlNode& item : node.items) parts.push_back(Flow(item));
  for (const YamlEntry& entry : node.entries)
    parts.push_back(fmt::format("{}: {}", entry.key, Flow(entry.value)));
  const std::string all = fmt::format("{}", fmt::join(parts, ", "));
  return node.IsList() ? "[" + all + "]" : "{" + all + "}";
}

// Visits every entry of every map below.
template <typename Visit>
void EachEntry(const YamlNode& node, const Visit& visit) {
  for (const YamlNode& item : node.items) EachEntry(item, visit);
  for (const YamlEntry& entry : node.entries) {
    visit(entry);
    EachEntry(entry.value, visit);
  }
}

void Texts(const YamlNode& node, std::vector<std::string>& texts) {
  if (node.IsText()) texts.push_back(node.text);
  for (const YamlNode& item : node.items) Texts(item, texts);
  for (const YamlEntry& entry : node.entries) Texts(entry.value, texts);
}

std::vector<std::string> TextsOf(const YamlNode* node) {
  std::vector<std::string> texts;
  if (node != nullptr) Texts(*node, texts);
  return texts;
}

void AddOnce(std::vector<std::string>& list, std::string text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

constexpr std::array kUntold = {"lacks", "has", "layout", "fake", "real", "name"};
// How it is shown, where the program of the report is another one.
bool IsHandTest(const std::string& scanner) {
  return scanner == "dlopen" || scanner == "ldd" || scanner == "ldd-r" ||
         scanner == "python-ctypes";
}

// Names and values, but for what is the scenario's own craft, and for the lines that a log must not
// have: they are of another problem.
void AddRest(const YamlNode& node, std::string& rest) {
  if (node.IsText()) rest += node.text + "\n";
  for (const YamlNode& item : node.items) AddRest(item, rest);
  for (const YamlEntry& entry : node.entries) {
    if (std::find(kUntold.begin(), kUntold.end(), entry.key) != kUntold.end()) continue;
    if (entry.key == "scanner" && IsHandTest(entry.value.text)) continue;
    rest += entry.key + "\n";
    AddRest(entry.value, rest);
  }
}

// The claims on one run that lie below its devices.
void AddChain(const YamlNode& expectation, std::vector<std::string>& chain) {
  constexpr std::array kBelow = {"lost",  "reached", "lacks", "loads", "loads_not", "searches",
                                 "dlsym", "calls",   "files", "takes", "outcome",   "silent"};
  for (const YamlEntry& entry : expectation.entries)
    if (std::find(kBelow.begin(), kBelow.end(), entry.key) != kBelow.end())
      AddOnce(chain, entry.key + " " + Flow(entry.value));
}

// What the code of a call is called and means: people have that, and not its number.
void AddCode(const YamlNode& call, std::vector<std::string>& lines) {
  const YamlNode* function = call.Find("function");
  const YamlNode* result = call.Find("result");
  if (function == nullptr || result == nullptr || !function->IsText()) return;
  const Result<int64_t> code = ReadCode(*result, "result");
  if (code && *code != 0) AddOnce(lines, CodeText(function->text, *code));
}

Result<std::string> HeadOf(const std::string& file) {
  TRY(const std::string text, ReadFile(file));
  std::istringstream lines(text);
  std::string head;
  for (std::string line; std::getline(lines, line) && line.starts_with('#');)
    head += line.substr(std::min(line.find_first_not_of("# "), line.size())) + " ";
  return head;
}

}  // namespace

std::vector<std::string> TagsOf(const Scenario& scenario) {
  return TextsOf(scenario.root.Find("tags"));
}

std::vector<std::string> CausesOf(const Scenario& scenario) {
  std::vector<std::string> causes;
  if (const YamlNode* expect = scenario.root.Find("expect"))
    EachEntry(*expect, [&](const YamlEntry& entry) {
      if ((entry.key == "cause" || entry.key == "because") && entry.value.IsText())
        AddOnce(causes, entry.value.text);
    });
  return causes;
}

Result<ScenarioWords> WordsOf(const Scenario& scenario) {
  ScenarioWords words;
  TRY(words.head, HeadOf(scenario.file));
  words.thread = TextsOf(scenario.root.Find("source"));
  words.tags = TagsOf(scenario);
  words.causes = CausesOf(scenario);
  if (const YamlNode* expect = scenario.root.Find("expect")) {
    for (const YamlNode& expectation : expect->items) AddChain(expectation, words.chain);
    EachEntry(*expect, [&](const YamlEntry& entry) {
      if (entry.key == "calls") AddCode(entry.value, words.lines);
      if (entry.key == "has")
        for (std::string& line : TextsOf(&entry.value)) AddOnce(words.lines, std::move(line));
    });
  }
  if (const YamlNode* fix = scenario.root.Find("fix"))
    for (const YamlEntry& entry : fix->entries)
      if (entry.key != "expect" && entry.key != "when")
        words.fix.push_back(entry.key + " " + Flow(entry.value));
  for (const YamlEntry& entry : scenario.root.entries)
    if (entry.key != "claim" && entry.key != "source" && entry.key != "tags")
      AddRest(entry.value, words.rest);
  return words;
}

std::string ThreadAddress(const std::string& source) {
  const size_t number = source.find('#');
  if (number == std::string::npos || source.find('/') >= number ||
      source.find_first_of(" :") != std::string::npos)
    return source;
  return fmt::format("https://github.com/{}/issues/{}", source.substr(0, number),
                     source.substr(number + 1));
}

bool IsThread(const std::string& source) {
  const std::string address = ThreadAddress(source);
  return address.find("/issues/") != std::string::npos ||
         address.find("/pull/") != std::string::npos ||
         address.find("/discussions/") != std::string::npos;
}

bool SpeaksOfFailure(std::string_view line) {
  const std::string lower = InSmallLetters(line);
  constexpr std::array kWords = {"error",     "fail",       "cannot",    "unable",   "warn",
                                 "not found", "no gpu",     "no device", "no such",  "invalid",
                                 "could not", "denied",     "undefined", "mismatch", "timed out",
                                 "crash",     "unsupported"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](const char* word) { return lower.find(word) != std::string::npos; });
}

}  // namespace gpustage
