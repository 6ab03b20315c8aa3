#include "harness/report/for_terminal.h"

#include <fmt/format.h>

namespace gpustage {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The length of the character that begins here and may be shown; 0 for what may not.
size_t Shown(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7f ? 0 : 1;
  const size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first >= 0xf5) return 0;
  for (size_t i = 1; i < length; ++i)
    if (i >= text.size() || !IsContinuation(text[i])) return 0;
  const unsigned code = first == 0xe2 ? byte(1) << 8 | byte(2) : 0;
  const bool c1 = first == 0xc2 && byte(1) < 0xa0;
  // U+2028, U+2029, U+202A to U+202E, U+2066 to U+2069.
  const bool turns = (code >= 0x80a8 && code <= 0x80ae) || (code >= 0x81a6 && code <= 0x81a9);
  return c1 || turns ? 0 : length;
}

// One of our own colours: "\x1b[31m".
size_t Colour(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  size_t end = 2;
  while (end < text.size() && end < 8 &&
         (text[end] == ';' || (text[end] >= '0' && text[end] <= '9')))
    ++end;
  return end < text.size() && text[end] == 'm' ? end + 1 : 0;
}

void AppendEscaped(std::string_view bytes, std::string& out) {
  for (const char c : bytes)
    out += c == '\n' ? "\\n" : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
}

void AppendVisible(std::string_view& text, std::string& out) {
  size_t length = Shown(text);
  if (length > 0) {
    out += text.substr(0, length);
  } else if (text[0] == '\t') {
    out += ' ';
    length = 1;
  } else {
    length = 1;
    while (length < text.size() && IsContinuation(text[length]) && !IsContinuation(text[0]))
      ++length;
    AppendEscaped(text.substr(0, length), out);
  }
  text.remove_prefix(length);
}

// A runner trims a line before it looks whether it is a command.
bool IsCommand(std::string_view rest, bool at_start) {
  return (at_start && rest.starts_with("::")) || rest.starts_with("##[") ||
         rest.starts_with("##vso[");
}

}  // namespace

std::string OneLine(std::string_view text) {
  std::string out;
  while (!text.empty()) AppendVisible(text, out);
  return out;
}

std::string ForTerminal(std::string_view text) {
  std::string out;
  bool at_start = true;  // nothing but blanks and colours stands before, in its line
  while (!text.empty()) {
    const char c = text[0];
    if (c == '\n') {
      out += c;
      text.remove_prefix(1);
      at_start = true;
    } else if (const size_t colour = Colour(text); colour > 0) {
      out += text.substr(0, colour);
      text.remove_prefix(colour);
    } else if (IsCommand(text, at_start)) {
      AppendEscaped(text.substr(0, 1), out);
      text.remove_prefix(1);
      at_start = false;
    } else {
      at_start = at_start && (c == ' ' || c == '\t');
      AppendVisible(text, out);
    }
  }
  return out;
}

}  // namespace gpustage
