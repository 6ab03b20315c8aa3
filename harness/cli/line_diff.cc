#include "harness/cli/line_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace gpustage {
namespace {

using Lines = std::vector<std::string_view>;

Lines LinesOf(std::string_view text) {
  Lines lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

struct Line {
  char kind;  // ' ', '-', '+'
  std::string_view text;
};

// By the longest lines that both have; what both begin and end with is out of it before.
std::vector<Line> Compared(const Lines& a, const Lines& b) {
  std::vector<std::vector<uint32_t>> common(a.size() + 1, std::vector<uint32_t>(b.size() + 1));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] =
          a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::vector<Line> lines;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j])
      lines.push_back({' ', a[i]}), ++i, ++j;
    else if (i < a.size() && (j == b.size() || common[i + 1][j] >= common[i][j + 1]))
      lines.push_back({'-', a[i++]});
    else
      lines.push_back({'+', b[j++]});
  }
  return lines;
}

}  // namespace

std::string LineDiff(std::string_view before, std::string_view after) {
  const Lines a = LinesOf(before), b = LinesOf(after);
  size_t same = 0, end = 0;
  while (same < std::min(a.size(), b.size()) && a[same] == b[same]) ++same;
  while (end < std::min(a.size(), b.size()) - same &&
         a[a.size() - 1 - end] == b[b.size() - 1 - end])
    ++end;
  const size_t from = same > 0 ? same - 1 : 0;
  const size_t to = end > 0 ? end - 1 : 0;
  const auto part = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(from),
                 lines.end() - static_cast<std::ptrdiff_t>(to));
  };
  if (same == a.size() && same == b.size()) return "";
  const std::vector<Line> lines = Compared(part(a), part(b));
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool near = lines[i].kind != ' ' || (i > 0 && lines[i - 1].kind != ' ') ||
                      (i + 1 < lines.size() && lines[i + 1].kind != ' ');
    if (near)
      text += fmt::format("  {} {}\n", lines[i].kind, lines[i].text);
    else if (!text.ends_with("  …\n"))
      text += "  …\n";
  }
  return text;
}

}  // namespace gpustage
