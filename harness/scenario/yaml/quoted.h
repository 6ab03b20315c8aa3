// Scalars in quotes, read from the source itself: yaml-cpp decodes "\xFF" to a character, we need
// the byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpustage {

struct QuotedText {
  std::string text;
  size_t end = 0;  // offset after the closing quote
};

// source[begin] is the opening quote, single or double. Nothing when the closing one is missing.
// Escapes are valid: yaml-cpp has refused the others before.
std::optional<QuotedText> ReadQuoted(std::string_view source, size_t begin);

}  // namespace gpustage
