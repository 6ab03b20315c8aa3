// fixtures/layouts/NAME.yaml, and env: wherever it stands.
#include <fmt/format.h>

#include "harness/base/limits.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {

Result<std::vector<EnvVar>> ReadEnv(const YamlNode& node) {
  if (!node.IsMap())
    return ErrorAt(node, fmt::format("expected an environment, a map of names and values, got {}",
                                     Describe(node)));
  if (node.entries.size() > limits::kVariables)
    return ErrorAt(node.entries[limits::kVariables],
                   fmt::format("an environment has at most {} variables", limits::kVariables));
  std::vector<EnvVar> env;
  for (const YamlEntry& entry : node.entries) {
    if (entry.key.empty() ||
        entry.key.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
      return ErrorAt(entry, fmt::format("{} cannot be the name of a variable", Quote(entry.key)));
    EnvVar variable{entry.key, std::nullopt, entry.pos};
    if (entry.value.IsText()) {
      if (entry.value.text.find('\0') != std::string::npos)
        return ErrorAt(entry.value, "a variable cannot hold a NUL byte");
      // "NAME=value" is one word to the kernel.
      if (entry.key.size() + 1 + entry.value.text.size() > limits::kWordBytes)
        return ErrorAt(entry, fmt::format("a variable has at most {} bytes, its name included",
                                          limits::kWordBytes));
      variable.value = entry.value.text;
    } else {
      const YamlNode* unset = entry.value.Find("unset");
      if (unset == nullptr || unset->text != "true" || entry.value.entries.size() != 1)
        return ErrorAt(entry.value, "expected the text of a variable, or {unset: true}");
    }
    env.push_back(std::move(variable));
  }
  return env;
}

Result<Layout> ReadLayoutFile(const std::string& file, Fixtures& fixtures) {
  TRY(const YamlNode node, ReadYamlFile(file));
  TRY(CheckKeys(node, "a layout", {"layout", "about", "provides", "driver", "env", "tree"}));
  Layout layout;
  TRY(layout.name, ReadFixtureName(node, "layout"));
  TRY(const YamlNode* about, Require(node, "a layout", "about"));
  TRY(ReadNonEmpty(*about, "what the layout is"));
  if (const YamlNode* provides = node.Find("provides")) {
    TRY(layout.provides, ReadTexts(*provides, "provides"));
  }
  if (const YamlNode* driver = node.Find("driver")) {
    TRY(layout.driver, ReadNonEmpty(*driver, "the version of a driver"));
  }
  if (const YamlNode* env = node.Find("env")) {
    TRY(layout.env, ReadEnv(*env));
  }
  if (const YamlNode* tree = node.Find("tree")) {
    TRY(layout.tree, ReadTree(*tree, fixtures));
  }
  return layout;
}

std::vector<TreeOp> TreeOf(const Layout& layout, const std::string& driver) {
  std::vector<TreeOp> tree = layout.tree;
  if (layout.driver.empty() || layout.driver == driver) return tree;
  const auto rename = [&](std::string& path) {
    for (size_t at = path.find(layout.driver); at != std::string::npos;
         at = path.find(layout.driver, at + driver.size()))
      path.replace(at, layout.driver.size(), driver);
  };
  for (TreeOp& op : tree) {
    if (auto* library = std::get_if<PlaceLibraryOp>(&op.what)) rename(library->path);
    if (auto* link = std::get_if<SymlinkOp>(&op.what)) rename(link->path), rename(link->to);
  }
  return tree;
}

}  // namespace gpustage
