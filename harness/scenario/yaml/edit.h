// Changes of a file that leave every other byte of it as it is: comments, order, blanks, quotes.
// What comes of a change is parsed, and the change refused where it is not what was asked for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

// Of a node: the number of the item or entry on each level, from the root down.
using YamlPlace = std::vector<size_t>;

// What is said under this key and begins at this line and column: its value, where the key stands
// there, or an item of its list.
std::optional<YamlPlace> PlaceOf(const YamlNode& root, std::string_view key, const SourcePos& pos);
const YamlNode& NodeAt(const YamlNode& root, const YamlPlace& place);

struct YamlEdit {
  enum class Kind {
    kSet,     // the node is this value
    kAdd,     // the map there has one more key, or the list one more item, at its end
    kRemove,  // the entry or item is gone
  };
  Kind kind = Kind::kSet;
  YamlPlace place;
  std::string key = {};  // kAdd to a map
  YamlNode value = {};
};

YamlNode TextNode(std::string text);
YamlNode MapNode(std::vector<std::pair<std::string, YamlNode>> entries);
YamlNode ListNode(std::vector<YamlNode> items);

// The same but for where it stands; the order of keys is none of it.
bool SameText(const YamlNode& a, const YamlNode& b);

// On one line, as it may stand anywhere: {run: a, devices: 2}.
std::string FlowText(const YamlNode& node);

// The text after it. An error where the text would say anything else than was asked.
Result<std::string> Edited(std::string_view text, const std::string& file, const YamlEdit& edit);

}  // namespace gpustage
