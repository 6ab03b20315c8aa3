// The one strict reader of YAML. What it accepts, every reader of YAML understands in the same way:
// maps, lists and text. Duplicate keys, anchors, aliases, tags, merges, tabs, several documents and
// empty values are errors.
//
// All scalars are text, as written: 999, on, 12.10 and 0711 stay what they look like. In double
// quotes \xNN is the byte NN (YAML itself would make U+00NN of it), because names are bytes; \u and
// \U are characters in UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kText, kList, kMap };

  Kind kind = Kind::kText;
  std::string text;                // kText
  bool plain = true;               // kText: neither quoted nor a block
  std::vector<YamlNode> items;     // kList
  std::vector<YamlEntry> entries;  // kMap, in the order of the file
  SourcePos pos;

  bool IsText() const { return kind == Kind::kText; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMap() const { return kind == Kind::kMap; }
  // The value of a key; nullptr when this is no map or has no such key.
  const YamlNode* Find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  SourcePos pos;
  YamlNode value;
};

Result<YamlNode> ParseYaml(std::string_view text, const std::string& file);
Result<YamlNode> ReadYamlFile(const std::string& file);

}  // namespace gpustage
