// Where each node of a file begins and ends, in bytes: the parser says only where it begins.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "harness/scenario/yaml/yaml.h"

namespace gpustage {

struct YamlSpan {
  size_t begin = 0, end = 0;          // of the value
  size_t key_begin = 0, key_end = 0;  // of its key, where it has one
  size_t dash = 0;                    // of an item of a list without brackets
  bool flow = false;                  // a list or map in brackets
  bool block_text = false;            // | or >
  std::vector<YamlSpan> parts;        // of the items or entries, in their order

  size_t first() const { return key_end > key_begin ? key_begin : begin; }
};

// Of a node that this text was parsed to; none where it is written in a way that nobody writes.
std::optional<YamlSpan> SpansOf(std::string_view text, const YamlNode& root);

// The first byte from `at` on that is no blank, end of a line or comment, nor a comma if `commas`.
size_t SkipFiller(std::string_view text, size_t at, bool commas);

}  // namespace gpustage
