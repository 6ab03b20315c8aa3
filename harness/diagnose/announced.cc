#include "harness/diagnose/announced.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/yaml/fields.h"
#include "harness/stage/world_file.h"

namespace gpustage {
namespace {

constexpr FileMode kMostBits = 07777;

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    if (end > start) words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

bool IsName(const std::string& word) {
  const auto of_name = [](char c) {
    return c == '_' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !word.empty() && std::all_of(word.begin(), word.end(), of_name);
}

// One operation or variable out of the words; false: they mean nothing to us.
bool Understand(const std::vector<std::string>& words, Announcement& announced) {
  const bool takes_away = Contains(words, "not") || Contains(words, "go") ||
                          Contains(words, "unset") || Contains(words, "remove") ||
                          Contains(words, "removed");
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t equal = word.find('=');
    if (equal != std::string::npos && IsName(word.substr(0, equal))) {
      announced.change.env.push_back({word.substr(0, equal), word.substr(equal + 1), {}});
      if (takes_away) announced.change.env.back().value.reset();
      return true;
    }
    if (takes_away && IsName(word)) {
      announced.change.env.push_back({word, std::nullopt, {}});
      return true;
    }
    if (word == "group" && i + 1 < words.size()) {
      announced.change.groups = {words[i + 1]};
      return true;
    }
    if (word == "as" && i + 1 < words.size()) {
      announced.change.user = words[i + 1];
      return true;
    }
    if (word == "chmod" && i + 2 < words.size()) {
      const unsigned long mode = std::strtoul(words[i + 1].c_str(), nullptr, 8);
      announced.change.tree.push_back(
          {ChmodOp{words[i + 2], static_cast<FileMode>(mode) & kMostBits}, {}});
      return true;
    }
    if (!word.starts_with('/')) continue;
    if (takes_away) {
      announced.change.tree.push_back({RemoveOp{word}, {}});
      return true;
    }
    if (i + 2 < words.size() && (words[i + 1] == "->" || words[i + 1] == "to")) {
      announced.change.tree.push_back({SymlinkOp{word, words[i + 2]}, {}});
      return true;
    }
  }
  return false;
}

void SetVariable(const EnvVar& variable, Case& c) {
  std::erase_if(c.env, [&](const EnvVar& own) { return own.name == variable.name; });
  c.env.push_back(variable);
}

bool IsSo(const TreeOp& op, const FlatTree& tree) {
  if (const auto* removed = std::get_if<RemoveOp>(&op.what)) return !HasPath(tree, removed->path);
  if (const auto* link = std::get_if<SymlinkOp>(&op.what)) {
    const auto there = tree.find(link->path);
    return there != tree.end() && there->second.kind == FlatEntry::Kind::kLink &&
           there->second.text == link->to;
  }
  if (const auto* chmod = std::get_if<ChmodOp>(&op.what)) {
    const auto there = tree.find(RealPath(tree, chmod->path));
    return (there == tree.end() ? 0755 : there->second.mode) == chmod->mode;
  }
  return false;
}

bool IsSoAlready(const Fix& change, const FlatCase& flat) {
  const auto is_member = [&](const std::string& group) {
    return std::find(flat.c.groups.begin(), flat.c.groups.end(), group) != flat.c.groups.end();
  };
  return std::all_of(change.tree.begin(), change.tree.end(),
                     [&](const TreeOp& op) { return IsSo(op, flat.tree); }) &&
         std::all_of(change.env.begin(), change.env.end(),
                     [&](const EnvVar& one) { return VariableOf(flat, one.name) == one.value; }) &&
         (!change.user || *change.user == flat.c.user) &&
         (!change.groups || std::all_of(change.groups->begin(), change.groups->end(), is_member)) &&
         (!change.machine || Changed(flat.c.machine, *change.machine) == flat.c.machine) &&
         (!change.scanner || change.scanner->version == flat.c.runs.front().scanner.version);
}

Case With(const Fix& change, FlatCase flat) {
  if (change.scanner) {
    Intervention other;
    other.kind = Intervention::Kind::kScanner;
    other.scanner = change.scanner;
    Apply(other, flat);
  }
  Case c = ToCase(flat);
  for (const TreeOp& op : change.tree) {
    // What is gone need not be taken away.
    const bool done = std::holds_alternative<RemoveOp>(op.what) && IsSo(op, flat.tree);
    if (!done) c.tree.push_back(op);
  }
  for (const EnvVar& variable : change.layout_env)
    if (!VariableOf(flat, variable.name)) SetVariable(variable, c);
  for (const EnvVar& variable : change.env) SetVariable(variable, c);
  if (change.user) c.user = *change.user;
  if (change.groups)
    for (const std::string& group : *change.groups)
      if (std::find(c.groups.begin(), c.groups.end(), group) == c.groups.end())
        c.groups.push_back(group);
  if (change.machine) c.machine = Changed(c.machine, *change.machine);
  return c;
}

// A machine of which the announced is not true: links and files of it go, variables are as they
// were, or unset, and its user is of no group of it.
Case Without(const Fix& change, FlatCase flat, bool is_so_already) {
  if (!is_so_already) return ToCase(flat);
  for (const TreeOp& op : change.tree)
    if (const auto* link = std::get_if<SymlinkOp>(&op.what)) ErasePath(flat.tree, link->path);
  Case c = ToCase(flat);
  for (const EnvVar& variable : change.env)
    if (variable.value) SetVariable({variable.name, std::nullopt, {}}, c);
  if (change.groups)
    for (const std::string& group : *change.groups) std::erase(c.groups, group);
  return c;
}

// A key of something else, in the words that say it.
Status CheckPlaces(const YamlNode& node) {
  static constexpr std::pair<const char*, const char*> kPlaces[] = {
      {"driver", "machine: {driver: …}"},
      {"kernel_driver", "machine: {kernel_driver: …}"},
      {"cuda", "machine: {cuda: …}"},
      {"devices", "machine: {devices: […]}"},
      {"faults", "machine: {faults: […]}"},
      {"props_layout", "machine: {props_layout: …}"},
      {"version", "scanner: NAME@VERSION"},
      {"ld.so.cache", "tree: [{ldconfig: /etc/ld.so.cache}]"},
      {"ldconfig", "tree: [{ldconfig: /etc/ld.so.cache}]"}};
  for (const YamlEntry& entry : node.entries)
    for (const auto& [key, words] : kPlaces)
      if (entry.key == key)
        return ErrorAt(entry, fmt::format("unknown key {}; say {}", Quote(entry.key), words));
  return Ok();
}

}  // namespace

Result<Announcement> ReadChange(const std::string& yaml, const Catalog& catalog) {
  TRY(const YamlNode node, ParseYaml(yaml, "--change"));
  TRY(CheckPlaces(node));
  TRY(CheckKeys(node, "a change", kChanges));
  if (node.entries.empty()) return ErrorAt(node, fmt::format("a change has {}", JoinOr(kChanges)));
  Fixtures fixtures(catalog);
  Announcement announced;
  announced.words = yaml;
  TRY(announced.change, ReadChanges(node, fixtures));
  if (const auto& scanner = announced.change.scanner; scanner && !scanner->missing.empty())
    return ErrorAt(*node.Find("scanner"), scanner->missing);
  return announced;
}

Result<Announcement> ReadAnnouncement(const std::string& text) {
  Announcement announced;
  announced.words = text;
  if (Understand(Words(text), announced)) return announced;
  return Error{fmt::format(
      "{} names nothing that can be changed; say \"NAME=VALUE must be set\", \"NAME must not be "
      "set\", \"/path -> target\", \"/path must go\", \"chmod 0755 /path\", \"be in the group "
      "NAME\" or \"run as root\", or give --change '{{tree: […], env: {{…}}, user: …, machine: "
      "{{…}}}}'",
      Quote(text))};
}

Held Hold(const Announcement& announced, const FlatCase& flat, const WhyReport& report,
          CaseRunner& runner, const WhyOptions& options) {
  Trials trials(runner, options.jobs, options.budget, options.stop);
  trials.MeasureBy(report.goal);
  Held held;
  held.goal = report.goal;
  held.announced = announced;
  held.before = report.before;
  held.is_so_already = IsSoAlready(announced.change, flat);
  const auto better = [&](const std::optional<int64_t>& count) {
    return IsBetter(count, report.before, report.wanted);
  };
  held.with_it = trials.Again(With(announced.change, flat), options.rounds);
  held.brings_back = std::all_of(held.with_it.begin(), held.with_it.end(), better);
  if (!held.brings_back && !report.answers.empty()) {
    held.mending = report.answers.front();
    FlatCase mended = flat;
    for (const Intervention& change : held.mending->changes) Apply(change, mended);
    held.without_it = trials.Again(Without(announced.change, std::move(mended), held.is_so_already),
                                   options.rounds);
    held.is_needed = !std::all_of(held.without_it.begin(), held.without_it.end(), better);
  }
  held.starts = report.starts + report.proof_starts + trials.proof_starts();
  return held;
}

}  // namespace gpustage
