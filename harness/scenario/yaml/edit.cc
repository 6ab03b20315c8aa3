#include "harness/scenario/yaml/edit.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/scenario/yaml/spans.h"

namespace gpustage {
namespace {

// A part of the text, and what stands there instead.
struct Hunk {
  size_t begin = 0, end = 0;
  std::string text;
};

size_t LineBegin(std::string_view text, size_t at) {
  const size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

size_t LineEnd(std::string_view text, size_t at) {
  size_t end = std::min(text.find('\n', at), text.size());
  if (end > at && text[end - 1] == '\r') --end;
  return end;
}

bool IsEmpty(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool IsWord(const std::string& text) {
  constexpr std::string_view kInside =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
  const auto is_inside = [&](char c) { return kInside.find(c) != std::string_view::npos; };
  if (text.empty() || text.front() == '-' || text.front() == ' ' || text.back() == ' ' ||
      text == "null" || text == "Null" || text == "NULL")
    return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return c == ' ' || is_inside(c); }) &&
         text.find("---") != 0 && text.find("...") != 0;
}

std::string InSingleQuotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

std::string ScalarText(const std::string& text) { return IsWord(text) ? text : Quote(text); }

// As the one before was: whoever writes "1" in quotes goes on to.
std::string InTheWayOf(char before, const YamlNode& value) {
  if (!value.IsText()) return FlowText(value);
  const bool printable = std::none_of(value.text.begin(), value.text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f;
  });
  if (before == '"') return Quote(value.text);
  if (before == '\'' && printable) return InSingleQuotes(value.text);
  return ScalarText(value.text);
}

const YamlSpan& SpanAt(const YamlSpan& root, const YamlPlace& place) {
  const YamlSpan* span = &root;
  for (const size_t number : place) span = &span->parts[number];
  return *span;
}

class Editor {
 public:
  Editor(std::string_view text, const YamlNode& root, const YamlSpan& spans)
      : text_(text), root_(root), spans_(spans) {
    if (text.find("\r\n") != std::string_view::npos) newline_ = "\r\n";
  }

  // Each is right on its own; what does not parse to what was asked is no candidate.
  std::vector<Hunk> Candidates(const YamlEdit& edit) const {
    const YamlSpan& span = SpanAt(spans_, edit.place);
    const YamlNode& node = NodeAt(root_, edit.place);
    switch (edit.kind) {
      case YamlEdit::Kind::kSet: return Set(edit.place, span, edit.value);
      case YamlEdit::Kind::kAdd: return Add(node, span, edit);
      case YamlEdit::Kind::kRemove: return Remove(edit.place);
    }
    return {};
  }

 private:
  std::vector<Hunk> Set(const YamlPlace& place, const YamlSpan& span, const YamlNode& value) const {
    std::string indent;
    // A list may stand right below its key; nothing else may.
    if (!place.empty() && span.key_end > span.key_begin && !span.flow) {
      const size_t line = LineBegin(text_, span.begin), key_line = LineBegin(text_, span.key_begin);
      if (line != key_line && span.begin - line <= span.key_begin - key_line)
        indent = std::string(span.key_begin - key_line - (span.begin - line) + 2, ' ');
    }
    const std::string usual = indent + InTheWayOf(text_[span.begin], value);
    std::vector<Hunk> hunks = {{span.begin, span.end, usual}};
    if (value.IsText()) hunks.push_back({span.begin, span.end, indent + Quote(value.text)});
    return hunks;
  }

  std::vector<Hunk> Add(const YamlNode& node, const YamlSpan& span, const YamlEdit& edit) const {
    const std::string more =
        node.IsMap() ? ScalarText(edit.key) + ": " + FlowText(edit.value) : FlowText(edit.value);
    if (span.flow) return {AddInBrackets(span, more)};
    // {a: b} without its braces, in a list in brackets.
    if (node.IsMap() && !span.parts.empty()) {
      const size_t line = LineBegin(text_, span.begin);
      const size_t indent = span.begin - line;
      const Hunk below = {LineEnd(text_, span.end), LineEnd(text_, span.end),
                          newline_ + std::string(indent, ' ') + more};
      const Hunk above = {span.begin, span.begin, more + newline_ + std::string(indent, ' ')};
      const Hunk braces = {
          span.begin, span.end,
          fmt::format("{{{}, {}}}", text_.substr(span.begin, span.end - span.begin), more)};
      return {below, above, braces};
    }
    const size_t indent = span.begin - LineBegin(text_, span.begin);
    const std::string item = "- " + more;
    return {{LineEnd(text_, span.end), LineEnd(text_, span.end),
             newline_ + std::string(indent, ' ') + item},
            {span.begin, span.begin, item + newline_ + std::string(indent, ' ')}};
  }

  Hunk AddInBrackets(const YamlSpan& span, const std::string& more) const {
    if (span.parts.empty()) return {span.begin + 1, span.begin + 1, more};
    const size_t end = span.parts.back().end;
    const size_t next = SkipFiller(text_, end, false);
    if (text_[next] == ',') return {next + 1, next + 1, " " + more};
    return {end, end, ", " + more};
  }

  std::vector<Hunk> Remove(const YamlPlace& place) const {
    const YamlPlace above(place.begin(), place.end() - 1);
    const YamlSpan& all = SpanAt(spans_, above);
    const size_t number = place.back();
    const YamlSpan& span = all.parts[number];
    if (all.parts.size() == 1) {
      if (all.flow) return {{all.begin + 1, all.end - 1, ""}};
      return Set(above, all, NodeAt(root_, above).IsMap() ? MapNode({}) : ListNode({}));
    }
    return all.flow ? RemoveInBrackets(all, number) : RemoveLines(all, number, span);
  }

  // With the comma that goes with it; what stands between it and its neighbour only where that is
  // no comment.
  std::vector<Hunk> RemoveInBrackets(const YamlSpan& all, size_t number) const {
    const YamlSpan& span = all.parts[number];
    const bool last = number + 1 == all.parts.size();
    const size_t from = last ? all.parts[number - 1].end : span.end;
    const size_t to = last ? span.first() : all.parts[number + 1].first();
    const std::string_view between = text_.substr(from, to - from);
    if (between.find('#') == std::string_view::npos)
      return {last ? Hunk{from, span.end, ""} : Hunk{span.first(), to, ""}};
    const size_t comma = SkipFiller(text_, from, false);
    if (last) {
      const std::string kept(text_.substr(comma + 1, span.first() - comma - 1));
      return {{comma, span.end, kept}};
    }
    return {{span.first(), comma + 1, std::string(text_.substr(span.end, comma - span.end))}};
  }

  std::vector<Hunk> RemoveLines(const YamlSpan& all, size_t number, const YamlSpan& span) const {
    const auto begin_of = [&](const YamlSpan& part) {
      return part.key_end > part.key_begin ? part.key_begin : part.dash;
    };
    const size_t begin = begin_of(span), line = LineBegin(text_, begin);
    const size_t end = LineEnd(text_, span.end);
    const bool alone = IsEmpty(text_.substr(line, begin - line));
    if (alone && IsEmpty(text_.substr(span.end, end - span.end))) {
      const size_t newline = text_.find('\n', end);
      if (newline == std::string_view::npos)
        return {{line == 0 ? 0 : line - 1, text_.size(), ""}, {line, text_.size(), ""}};
      // Empty lines behind it would be of a text before it that keeps them ("|+").
      size_t next = newline + 1;
      while (next < text_.size() && IsEmpty(text_.substr(next, LineEnd(text_, next) - next)))
        next = std::min(text_.find('\n', next), text_.size() - 1) + 1;
      return {{line, newline + 1, ""}, {line, next, ""}};
    }
    // A comment behind it stays, where it began.
    const Hunk only = {begin, std::min(text_.find_first_not_of(' ', span.end), text_.size()), ""};
    if (alone || number + 1 == all.parts.size()) return {only};
    const size_t next = begin_of(all.parts[number + 1]);
    if (text_.substr(span.end, next - span.end).find('#') != std::string_view::npos) return {only};
    return {{begin, next, ""}, only};
  }

  const std::string_view text_;
  const YamlNode& root_;
  const YamlSpan& spans_;
  std::string newline_ = "\n";
};

YamlNode* MutableAt(YamlNode& root, const YamlPlace& place) {
  YamlNode* node = &root;
  for (const size_t number : place)
    node = node->IsMap() ? &node->entries[number].value : &node->items[number];
  return node;
}

void Apply(const YamlEdit& edit, YamlNode& root) {
  if (edit.kind == YamlEdit::Kind::kRemove) {
    YamlNode* const node = MutableAt(root, YamlPlace(edit.place.begin(), edit.place.end() - 1));
    const auto number = static_cast<std::ptrdiff_t>(edit.place.back());
    if (node->IsMap())
      node->entries.erase(node->entries.begin() + number);
    else
      node->items.erase(node->items.begin() + number);
    return;
  }
  YamlNode* const node = MutableAt(root, edit.place);
  if (edit.kind == YamlEdit::Kind::kSet)
    *node = edit.value;
  else if (node->IsMap())
    node->entries.push_back({edit.key, {}, edit.value});
  else
    node->items.push_back(edit.value);
}

bool Find(const YamlNode& node, std::string_view under, std::string_view key, const SourcePos& pos,
          YamlPlace& place) {
  const auto is_there = [&](const SourcePos& other) {
    return other.line == pos.line && other.column == pos.column;
  };
  for (size_t i = 0; i < node.entries.size() + node.items.size(); ++i) {
    const YamlNode& part = node.IsMap() ? node.entries[i].value : node.items[i];
    const std::string_view name = node.IsMap() ? std::string_view(node.entries[i].key) : under;
    place.push_back(i);
    if (name == key && is_there(node.IsMap() ? node.entries[i].pos : part.pos)) return true;
    if (Find(part, name, key, pos, place)) return true;
    place.pop_back();
  }
  return false;
}

bool SameOrder(const YamlNode& a, const YamlNode& b) {
  for (size_t i = 0; i < a.entries.size(); ++i)
    if (a.entries[i].key != b.entries[i].key || !SameOrder(a.entries[i].value, b.entries[i].value))
      return false;
  for (size_t i = 0; i < a.items.size(); ++i)
    if (!SameOrder(a.items[i], b.items[i])) return false;
  return true;
}

}  // namespace

bool SameText(const YamlNode& a, const YamlNode& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size())
    return false;
  for (size_t i = 0; i < a.items.size(); ++i)
    if (!SameText(a.items[i], b.items[i])) return false;
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const YamlEntry& entry) {
    const YamlNode* const other = b.Find(entry.key);
    return other != nullptr && SameText(entry.value, *other);
  });
}

std::optional<YamlPlace> PlaceOf(const YamlNode& root, std::string_view key, const SourcePos& pos) {
  YamlPlace place;
  if (!Find(root, "", key, pos, place)) return std::nullopt;
  return place;
}

const YamlNode& NodeAt(const YamlNode& root, const YamlPlace& place) {
  return *MutableAt(const_cast<YamlNode&>(root), place);
}

YamlNode TextNode(std::string text) {
  YamlNode node;
  node.text = std::move(text);
  return node;
}

YamlNode MapNode(std::vector<std::pair<std::string, YamlNode>> entries) {
  YamlNode node;
  node.kind = YamlNode::Kind::kMap;
  for (auto& [key, value] : entries) node.entries.push_back({key, {}, std::move(value)});
  return node;
}

YamlNode ListNode(std::vector<YamlNode> items) {
  YamlNode node;
  node.kind = YamlNode::Kind::kList;
  node.items = std::move(items);
  return node;
}

std::string FlowText(const YamlNode& node) {
  if (node.IsText()) return ScalarText(node.text);
  std::string text;
  for (const YamlNode& item : node.items) text += (text.empty() ? "" : ", ") + FlowText(item);
  for (const YamlEntry& entry : node.entries)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", ScalarText(entry.key),
                        FlowText(entry.value));
  return node.IsMap() ? "{" + text + "}" : "[" + text + "]";
}

Result<std::string> Edited(std::string_view text, const std::string& file, const YamlEdit& edit) {
  TRY(const YamlNode before, ParseYaml(text, file));
  YamlNode wanted = before;
  Apply(edit, wanted);
  if (const auto spans = SpansOf(text, before))
    for (const Hunk& hunk : Editor(text, before, *spans).Candidates(edit)) {
      std::string after(text.substr(0, hunk.begin));
      after += hunk.text;
      after += text.substr(hunk.end);
      const Result<YamlNode> now = ParseYaml(after, file);
      if (now && SameText(*now, wanted) && SameOrder(wanted, *now)) return after;
    }
  const SourcePos pos = NodeAt(before, edit.place).pos;
  return Error{"this is written in a way that cannot be changed by a program; change it by hand",
               pos};
}

}  // namespace gpustage
