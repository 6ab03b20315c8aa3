#include "harness/scenario/yaml/spans.h"

#include <algorithm>

#include "harness/scenario/yaml/quoted.h"

namespace gpustage {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {
    lines_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') lines_.push_back(i + 1);
  }

  bool Walk(const YamlNode& node, YamlSpan& span) {
    span.begin = Offset(node.pos);
    if (span.begin >= text_.size()) return false;
    const char first = text_[span.begin];
    if (node.IsText()) return Text(node.text, node.plain, span);
    span.flow = first == '[' || first == '{';
    size_t at = span.begin + (span.flow ? 1 : 0);
    for (const YamlNode& item : node.items) {
      YamlSpan part;
      if (!span.flow) {
        part.dash = SkipFiller(text_, at, false);
        if (part.dash >= text_.size() || text_[part.dash] != '-') return false;
      }
      if (!Walk(item, part)) return false;
      at = part.end;
      span.parts.push_back(std::move(part));
    }
    for (const YamlEntry& entry : node.entries) {
      YamlSpan part;
      if (!Walk(entry.value, part)) return false;
      YamlSpan key;
      key.begin = Offset(entry.pos);
      const char quote = text_[key.begin];
      if (quote == '?' || !Text(entry.key, quote != '"' && quote != '\'', key)) return false;
      part.key_begin = key.begin;
      part.key_end = key.end;
      at = part.end;
      span.parts.push_back(std::move(part));
    }
    span.end = at;
    if (!span.flow) {  // the parser says where the line before ends, where a comment stands there
      if (span.parts.empty()) return false;
      span.begin = node.IsMap() ? span.parts[0].key_begin : span.parts[0].dash;
      return true;
    }
    span.end = SkipFiller(text_, at, true);
    if (span.end >= text_.size() || text_[span.end] != (first == '[' ? ']' : '}')) return false;
    ++span.end;
    return true;
  }

 private:
  size_t Offset(const SourcePos& pos) const {
    const auto line = static_cast<size_t>(std::max(pos.line, 1) - 1);
    if (line >= lines_.size()) return text_.size();
    return std::min(lines_[line] + static_cast<size_t>(std::max(pos.column, 1) - 1), text_.size());
  }

  bool Text(const std::string& value, bool plain, YamlSpan& span) const {
    const char first = text_[span.begin];
    if (first == '"' || first == '\'') {
      const auto quoted = ReadQuoted(text_, span.begin);
      if (!quoted) return false;
      span.end = quoted->end;
      return true;
    }
    if (!plain) return Block(value, span);
    return Plain(value, span);
  }

  // One over several lines is one with a blank for each end of a line.
  bool Plain(const std::string& value, YamlSpan& span) const {
    size_t at = span.begin;
    for (size_t i = 0; i < value.size();) {
      if (!IsBlank(value[i])) {
        if (at >= text_.size() || text_[at] != value[i]) return false;
        ++at, ++i;
        continue;
      }
      const size_t end = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
      const bool folds = text_.substr(at, end - at).find('\n') != std::string_view::npos;
      if (folds) {
        at = end;
        while (i < value.size() && IsBlank(value[i])) ++i;
      } else {
        if (at >= text_.size() || text_[at] != value[i]) return false;
        ++at, ++i;
      }
    }
    span.end = at;
    return true;
  }

  // Up to its last line that is not empty. A line belongs to it while it is indented as its first.
  bool Block(const std::string& value, YamlSpan& span) const {
    span.block_text = true;
    size_t line = text_.find('\n', span.begin);
    span.end = std::min(line, text_.size());
    if (span.end > 0 && text_[span.end - 1] == '\r') --span.end;
    if (value.find_first_not_of('\n') == std::string::npos) return true;
    size_t indent = std::string_view::npos;
    for (; line != std::string_view::npos; line = text_.find('\n', line + 1)) {
      const size_t begin = line + 1;
      const size_t at = text_.find_first_not_of(" ", begin);
      if (at == std::string_view::npos) break;
      if (text_[at] == '\n' || text_[at] == '\r') continue;
      if (indent == std::string_view::npos) indent = at - begin;
      if (at - begin < indent) break;
      span.end = std::min(text_.find('\n', at), text_.size());
      if (text_[span.end - 1] == '\r') --span.end;
    }
    return true;
  }

  const std::string_view text_;
  std::vector<size_t> lines_;
};

}  // namespace

size_t SkipFiller(std::string_view text, size_t at, bool commas) {
  for (; at < text.size(); ++at) {
    if (text[at] == '#')
      at = std::min(text.find('\n', at), text.size() - 1);
    else if (!IsBlank(text[at]) && !(commas && text[at] == ','))
      break;
  }
  return at;
}

std::optional<YamlSpan> SpansOf(std::string_view text, const YamlNode& root) {
  YamlSpan span;
  if (!Walker(text).Walk(root, span)) return std::nullopt;
  return span;
}

}  // namespace gpustage
