#include "tests/ci/ci_file.h"

#include <yaml-cpp/yaml.h>

#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using nlohmann::json;

json Typed(const YAML::Node& node) {
  if (node.IsMap()) {
    json map = json::object();
    for (const auto& entry : node) map[entry.first.as<std::string>()] = Typed(entry.second);
    return map;
  }
  if (node.IsSequence()) {
    json list = json::array();
    for (const auto& item : node) list.push_back(Typed(item));
    return list;
  }
  const std::string text = node.IsNull() ? "null" : node.as<std::string>();
  if (node.Tag() == "!") return text;  // in quotes
  if (node.IsNull() || text == "~" || text.empty()) return nullptr;
  if (text == "true" || text == "false") return text == "true";
  if (text.find_first_not_of("0123456789") == std::string::npos) return std::stoll(text);
  return text;
}

}  // namespace

json ReadCiFile(const std::string& name) { return Typed(YAML::LoadFile(InSources(name.c_str()))); }

}  // namespace gpustage
