#include "harness/suite/format_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/scenario/yaml/yaml.h"
#include "harness/suite/lint.h"

namespace gpustage {
namespace {

using Lines = std::vector<std::string>;

Lines LinesOf(const std::string& text) {
  Lines lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    start = end + 1;
  }
  return lines;
}

// A key at the top with all that is below it, and the comments right above it.
struct Block {
  std::string key;
  Lines lines;
};

bool IsComment(const std::string& line) { return line.starts_with('#'); }

// Up to the first key, then a block a key.
std::vector<Block> BlocksOf(const Lines& lines, const YamlNode& root) {
  std::vector<Block> blocks = {{}};
  size_t next = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool begins =
        next < root.entries.size() && static_cast<size_t>(root.entries[next].pos.line) == i + 1;
    if (begins) {
      Block block{root.entries[next++].key, {}};
      Lines& before = blocks.back().lines;
      // Comments right above the first key are of the file.
      if (blocks.size() > 1)
        while (!before.empty() && IsComment(before.back())) {
          block.lines.insert(block.lines.begin(), before.back());
          before.pop_back();
        }
      blocks.push_back(std::move(block));
    }
    blocks.back().lines.push_back(lines[i]);
  }
  return blocks;
}

size_t PlaceOf(const std::string& key) {
  constexpr const char* kFirst[] = {"", "claim", "source", "tags"};
  return static_cast<size_t>(std::find(std::begin(kFirst), std::end(kFirst), key) -
                             std::begin(kFirst));
}

// In a block of text ("|", ">") blanks and empty lines are a part of it.
bool HasBlockText(const Lines& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    const size_t last = line.find_last_not_of("+- ");
    return last != std::string::npos && last > 0 && (line[last] == '|' || line[last] == '>') &&
           (line[last - 1] == ' ' || line[last - 1] == ':');
  });
}

Lines Comments(const Lines& lines) {
  Lines comments;
  for (const std::string& line : lines)
    if (const size_t at = line.find('#'); at != std::string::npos) {
      std::string comment = line.substr(at);
      comment.erase(comment.find_last_not_of(' ') + 1);
      comments.push_back(std::move(comment));
    }
  std::sort(comments.begin(), comments.end());
  return comments;
}

}  // namespace

Result<std::string> FormatScenario(const std::string& text, const std::string& file) {
  TRY(const YamlNode before, ParseYaml(text, file));
  const Lines lines = LinesOf(text);
  std::vector<Block> blocks = {{"", lines}};
  // One in flow style, {claim: …}, has no lines of its own.
  const bool plain = before.IsMap() && before.pos.column == 1 &&
                     (before.entries.empty() || before.entries.front().pos.column == 1);
  if (plain) blocks = BlocksOf(lines, before);
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const Block& a, const Block& b) { return PlaceOf(a.key) < PlaceOf(b.key); });
  std::string formatted;
  bool empty = true;  // the line before, and the beginning
  for (const Block& block : blocks) {
    const bool as_it_is = HasBlockText(block.lines);
    for (std::string line : block.lines) {
      if (!as_it_is) line.erase(line.find_last_not_of(" \t") + 1);
      if (line.empty() && empty && !as_it_is) continue;
      empty = line.empty();
      formatted += line + "\n";
    }
  }
  while (formatted.ends_with("\n\n") && !HasBlockText(blocks.back().lines)) formatted.pop_back();
  TRY(const YamlNode after, ParseYaml(formatted, file));
  if (!SameText(before, after) || Comments(lines) != Comments(LinesOf(formatted)))
    return Error{fmt::format("{} would say something else when it is laid out anew", file)};
  return formatted;
}

}  // namespace gpustage
