#include "gpustage/stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/embed/helper.h"
#include "harness/embed/place.h"
#include "harness/embed/seen.h"
#include "harness/scenario/catalog/allowed.h"
#include "harness/scenario/read/scenario.h"
#include "harness/scenario/yaml/edit.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

SourcePos PosOf(const std::source_location& here) {
  return {here.file_name(), static_cast<int>(here.line()), static_cast<int>(here.column())};
}

YamlNode Text(std::string text, const SourcePos& pos) {
  YamlNode node;
  node.text = std::move(text);
  node.plain = false;
  node.pos = pos;
  return node;
}

// {key: value, …}; a key without a value is left out.
YamlNode Map(const std::vector<std::pair<std::string, std::string>>& texts, const SourcePos& pos) {
  YamlNode node;
  node.kind = YamlNode::Kind::kMap;
  node.pos = pos;
  for (const auto& [key, value] : texts)
    if (!value.empty()) node.entries.push_back({key, pos, Text(value, pos)});
  return node;
}

YamlNode List(std::vector<YamlNode> items, const SourcePos& pos) {
  YamlNode node;
  node.kind = YamlNode::Kind::kList;
  node.items = std::move(items);
  node.pos = pos;
  return node;
}

void MoveTo(YamlNode& node, const SourcePos& pos) {
  node.pos = pos;
  for (YamlNode& item : node.items) MoveTo(item, pos);
  for (YamlEntry& entry : node.entries) {
    entry.pos = pos;
    MoveTo(entry.value, pos);
  }
}

// Lists grow, maps take more keys, a text is replaced.
void Merge(YamlNode& old, YamlNode more) {
  if (old.IsList() && more.IsList()) {
    for (YamlNode& item : more.items) old.items.push_back(std::move(item));
  } else if (old.IsMap() && more.IsMap()) {
    for (YamlEntry& entry : more.entries) {
      const auto same = std::find_if(old.entries.begin(), old.entries.end(),
                                     [&](const YamlEntry& e) { return e.key == entry.key; });
      if (same == old.entries.end())
        old.entries.push_back(std::move(entry));
      else
        Merge(same->value, std::move(entry.value));
    }
  } else {
    old = std::move(more);
  }
}

void AddTo(YamlNode& root, const std::string& key, YamlNode value) {
  const SourcePos pos = value.pos;
  YamlNode more = Map({}, pos);
  more.entries.push_back({key, pos, std::move(value)});
  Merge(root, std::move(more));
}

void AddOp(YamlNode& root, const std::vector<std::pair<std::string, std::string>>& op,
           const SourcePos& pos) {
  AddTo(root, "tree", List({Map(op, pos)}, pos));
}

std::string Sentence(const Error& error) {
  return error.pos ? fmt::format("{}: {}", ToString(*error.pos), error.message) : error.message;
}

// The one case that the stage stands for.
Result<Case> CaseOf(const YamlNode& root, const std::vector<std::string>& scanner_files) {
  AllowFiles({"/"});  // the paths are the caller's own
  Fixtures fixtures(FindCatalog(scanner_files));
  const Scenario scenario = {root.pos.file, "stage", "a stage of a test", root, {}};
  TRY(std::vector<Case> cases, ExpandCases(scenario, fixtures));
  return std::move(cases.front());
}

// As a scenario file that says the same.
Result<CaseReport> InHelper(YamlNode root, const std::string& scanner_file, const Case& c) {
  TRY(const ScratchDirectory scratch, ScratchDirectory::Make());
  root.entries.insert(root.entries.begin(), {"claim", root.pos, Text(c.claim, root.pos)});
  const std::string file = scratch.path() + "/stage.yaml";
  TRY(WriteFile(file, FlowText(root) + "\n"));
  return RunInHelper(
      file, scanner_file.empty() ? std::vector<std::string>() : std::vector{scanner_file}, c);
}

}  // namespace

struct Stage::Parts {
  YamlNode root;
  std::vector<Error> errors;
};

Stage::Stage() : parts_(std::make_unique<Parts>()) { parts_->root = Map({}, {}); }
Stage::Stage(Stage&&) noexcept = default;
Stage::~Stage() = default;

Stage& Stage::AddDevice(const std::string& profile, Here here) {
  const SourcePos pos = PosOf(here);
  YamlNode machine = Map({}, pos);
  machine.entries.push_back({"devices", pos, List({Text(profile, pos)}, pos)});
  AddTo(parts_->root, "machine", std::move(machine));
  return *this;
}

Stage& Stage::AddLayout(const std::string& name, Here here) {
  AddTo(parts_->root, "layout", List({Text(name, PosOf(here))}, PosOf(here)));
  return *this;
}

Stage& Stage::AddDirectory(const std::string& path, const std::string& mode, Here here) {
  AddOp(parts_->root, {{"dir", path}, {"mode", mode}}, PosOf(here));
  return *this;
}

Stage& Stage::AddFile(const std::string& path, const std::string& content, const std::string& mode,
                      Here here) {
  AddOp(parts_->root, {{"file", path}, {"content", content}, {"mode", mode}}, PosOf(here));
  return *this;
}

Stage& Stage::AddLink(const std::string& path, const std::string& to, Here here) {
  AddOp(parts_->root, {{"symlink", path}, {"to", to}}, PosOf(here));
  return *this;
}

Stage& Stage::AddLibrary(const std::string& path, const std::string& source, Here here) {
  AddOp(parts_->root, {{"library", path}, {source.starts_with('/') ? "file" : "fake", source}},
        PosOf(here));
  return *this;
}

Stage& Stage::ChangeMode(const std::string& path, const std::string& mode, Here here) {
  AddOp(parts_->root, {{"chmod", path}, {"mode", mode}}, PosOf(here));
  return *this;
}

Stage& Stage::Remove(const std::string& path, Here here) {
  AddOp(parts_->root, {{"remove", path}}, PosOf(here));
  return *this;
}

Stage& Stage::SetEnv(const std::string& name, const std::string& value, Here here) {
  const SourcePos pos = PosOf(here);
  YamlNode env = Map({}, pos);
  env.entries.push_back({name, pos, Text(value, pos)});
  AddTo(parts_->root, "env", std::move(env));
  return *this;
}

Stage& Stage::UnsetEnv(const std::string& name, Here here) {
  return Add("env", fmt::format("{{{}: {{unset: true}}}}", name), here);
}

Stage& Stage::SetUser(const std::string& user, Here here) {
  AddTo(parts_->root, "user", Text(user, PosOf(here)));
  return *this;
}

Stage& Stage::Add(const std::string& key, const std::string& yaml, Here here) {
  const std::vector<std::string> known = {"machine", "layout", "tree",
                                          "env",     "user",   "working_directory"};
  Result<YamlNode> node = ParseYaml(yaml, here.file_name());
  if (std::find(known.begin(), known.end(), key) == known.end())
    parts_->errors.push_back({fmt::format("unknown key \"{}\" of a stage", key), PosOf(here)});
  else if (!node)
    parts_->errors.push_back({node.error().message, PosOf(here)});
  else {
    MoveTo(*node, PosOf(here));
    AddTo(parts_->root, key, *std::move(node));
  }
  return *this;
}

RunResult Stage::Run(const std::string& scanner, const std::vector<std::string>& args,
                     Here here) const {
  if (!parts_->errors.empty()) return NotRun(Sentence(parts_->errors.front()));
  const SourcePos pos = PosOf(here);
  const bool is_file = scanner.ends_with(".yaml");
  std::string name = BaseNameOf(scanner);
  if (is_file) name.resize(name.size() - 5);
  YamlNode run = Map({{"name", "run"}, {"scanner", name}}, pos);
  std::vector<YamlNode> texts;
  for (const std::string& arg : args) texts.push_back(Text(arg, pos));
  if (!texts.empty()) run.entries.push_back({"args", pos, List(std::move(texts), pos)});
  YamlNode root = parts_->root;
  root.pos = pos;
  root.entries.push_back({"runs", pos, List({std::move(run)}, pos)});
  const Result<Case> resolved =
      CaseOf(root, is_file ? std::vector{scanner} : std::vector<std::string>{});
  if (!resolved) return NotRun(Sentence(resolved.error()));
  const Workshop& shop = SharedWorkshop();
  if (!shop.refused.empty()) return CannotRun(shop.refused);
  if (shop.has_threads) {
    Result<CaseReport> report = InHelper(root, is_file ? scanner : "", *resolved);
    if (!report) return NotRun(fmt::format("{}: {}", ToString(pos), report.error().message));
    return SeenOf(std::move(report->runs.front()));
  }
  return SeenOf(std::move(RunCase(*resolved, *shop.runner).runs.front()));
}

}  // namespace gpustage
