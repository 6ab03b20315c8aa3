#include "harness/scenario/catalog/capabilities.h"

#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

Result<CapabilityRule> ReadRule(const YamlNode& node) {
  TRY(CheckKeys(node, "a rule", {"from", "for", "source", "attributes"}));
  TRY(Require(node, "a rule", "source"));
  TRY(const YamlNode* attributes, Require(node, "a rule", "attributes"));
  TRY(const YamlEntry* which, RequireOneOf(node, "a rule", {"from", "for"}));
  CapabilityRule rule;
  TRY(rule.from, ReadComputeCapability(which->value));
  rule.only = which->key == "for";
  TRY(ReadAttributes(*attributes, rule.attributes));
  return rule;
}

}  // namespace

Result<Capabilities> ReadCapabilitiesFile(const std::string& file) {
  TRY(const YamlNode node, ReadYamlFile(file));
  TRY(CheckKeys(node, "a table of compute capabilities", {"rules", "assumed"}));
  TRY(const YamlNode* rules, Require(node, "a table of compute capabilities", "rules"));
  TRY(CheckList(*rules, "rules"));
  Capabilities capabilities;
  for (const YamlNode& rule : rules->items) {
    TRY(CapabilityRule read, ReadRule(rule));
    capabilities.rules.push_back(std::move(read));
  }
  if (const YamlNode* assumed = node.Find("assumed")) {
    TRY(CheckKeys(*assumed, "assumed", {"attributes"}));
    TRY(const YamlNode* attributes, Require(*assumed, "assumed", "attributes"));
    TRY(ReadAttributes(*attributes, capabilities.assumed));
  }
  return capabilities;
}

void FillAttributes(const Capabilities& capabilities, GpuDevice& device) {
  std::map<int, int> ruled;
  for (const CapabilityRule& rule : capabilities.rules) {
    if (rule.only ? device.cc != rule.from : device.cc < rule.from) continue;
    for (const auto& [number, value] : rule.attributes) ruled[number] = value;
  }
  device.attributes.merge(ruled);
  for (const auto& [number, value] : capabilities.assumed)
    if (device.attributes.emplace(number, value).second) device.assumed.attributes.insert(number);
}

}  // namespace gpustage
