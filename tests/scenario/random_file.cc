#include "tests/scenario/random_file.h"

#include <fmt/format.h>

#include "harness/base/text.h"

namespace gpustage {
namespace {

const char* const kTexts[] = {"ok",     "0",        "libggml-cuda.so",
                              "a b",    "/usr/lib", "x: y",
                              "a #b",   "it's",     "\"q\"",
                              "-dash",  "null",     "",
                              "{",      "a, b",     "tab\there",
                              "two\nl", "\xc3\xa4", "[x",
                              "*star",  "&and",     "@at",
                              "true",   "- item",   "end ",
                              " begin", "~",        "%p",
                              "!tag",   "?",        "a:b",
                              "#c",     "0711",     "1.2.3",
                              "x:",     "\x01"};

class Writer {
 public:
  explicit Writer(Random& random) : random_(random) { newline_ = Chance(5) ? "\r\n" : "\n"; }

  RandomFile Write() {
    RandomFile file;
    file.root.kind = YamlNode::Kind::kMap;
    for (size_t n = 2 + Below(random_, 4); n > 0; --n) file.root.parts.push_back(Tree(3, true));
    if (Chance(4)) Comment(0);
    if (Chance(8))
      Flow(file.root, 0);
    else
      Block(file.root, 0, false);
    if (!Chance(6) || !may_end_bare_) End();
    file.text = std::move(text_);
    return file;
  }

 private:
  bool Chance(size_t one_in) { return Below(random_, one_in) == 0; }
  std::string Name() { return fmt::format("k{}", number_++); }

  Written Tree(int depth, bool keyed) {
    Written tree;
    if (keyed) tree.key = Name();
    const size_t kind = depth == 0 ? 0 : Below(random_, 3);
    if (kind == 0) {
      tree.text = fmt::format("{}{}", Chance(2) ? "w" : "some words ", number_++);
      return tree;
    }
    tree.kind = kind == 1 ? YamlNode::Kind::kMap : YamlNode::Kind::kList;
    for (size_t n = 1 + Below(random_, 4); n > 0; --n)
      tree.parts.push_back(Tree(depth - 1, kind == 1));
    return tree;
  }

  void Put(const std::string& text) { text_ += text; }
  // What would follow a block of text on its last line would be of the text.
  void End() {
    if (!after_block_ && Chance(5)) Put(fmt::format("  # c{}", number_++));
    Put(newline_);
    after_block_ = false;
    may_end_bare_ = true;
  }
  void Comment(size_t indent) {
    Put(std::string(indent, ' ') + fmt::format("# above {}: [x", number_++) + newline_);
  }
  void Between(size_t indent) {
    if (Chance(6)) Comment(indent);
    if (!keeps_blank_lines_ && Chance(9)) Put(newline_);
    keeps_blank_lines_ = false;
  }

  void Key(Written& entry) {
    entry.first = text_.size();
    Put(Chance(6) ? Quote(entry.key) : entry.key);
    Put(":");
  }

  // Begins where the first key or dash is to stand; ends behind the last value, on its line.
  void Block(Written& node, size_t indent, bool on_line) {
    node.begin = std::string::npos;
    for (size_t i = 0; i < node.parts.size(); ++i) {
      Written& part = node.parts[i];
      if (i > 0) {
        End();
        Between(indent);
      }
      if (i > 0 || !on_line) Put(std::string(indent, ' '));
      if (node.begin == std::string::npos) node.begin = text_.size();
      if (node.kind == YamlNode::Kind::kMap) {
        Key(part);
        ValueOfKey(part, indent);
      } else {
        part.first = text_.size();
        Put("-");
        ValueOfItem(part, indent);
      }
      node.end = part.end;
    }
  }

  void ValueOfKey(Written& part, size_t indent) {
    if (part.kind == YamlNode::Kind::kText) return Scalar(part, indent);
    if (Chance(2)) {
      Put(" ");
      return Flow(part, indent);
    }
    End();
    Between(indent + 2);
    const bool below = part.kind == YamlNode::Kind::kList && Chance(3);
    Block(part, below ? indent : indent + 2 + Below(random_, 3), false);
  }

  void ValueOfItem(Written& part, size_t indent) {
    if (part.kind == YamlNode::Kind::kText) return Scalar(part, indent);
    const std::string blanks(1 + (Chance(4) ? Below(random_, 3) : 0), ' ');
    Put(blanks);
    if (Chance(3)) return Flow(part, indent);
    Block(part, indent + 1 + blanks.size(), true);
  }

  // A text behind a key or a dash.
  void Scalar(Written& part, size_t indent) {
    const std::string inside(indent + 1 + Below(random_, 3), ' ');
    switch (Below(random_, 7)) {
      case 0:
      case 1: {
        constexpr const char* kChomp[] = {"", "-", "+"};
        const size_t chomp = Below(random_, 3);
        const bool folds = Chance(2);
        Put(" ");
        part.begin = text_.size();
        Put(std::string(folds ? ">" : "|") + kChomp[chomp] + newline_);
        const std::string other = fmt::format("{} # none", number_++);
        Put(inside + part.text + newline_);
        if (Chance(3) && !folds) Put(newline_), part.text += "\n";
        Put(inside + other);
        part.text += (folds ? " " : "\n") + other + (chomp == 1 ? "" : "\n");
        part.end = text_.size();
        may_end_bare_ = chomp == 1;
        keeps_blank_lines_ = chomp == 2;
        after_block_ = true;
        return;
      }
      case 2: {  // plain, on two lines
        Put(" ");
        part.begin = text_.size();
        const std::string other = fmt::format("m{}", number_++);
        Put(part.text + newline_ + inside + other);
        part.text += " " + other;
        part.end = text_.size();
        return;
      }
      default: Put(Chance(8) ? "   " : " "); return InLine(part);
    }
  }

  void InLine(Written& part) {
    part.begin = text_.size();
    switch (Below(random_, 5)) {
      case 0: Put("'" + part.text + "''s'"), part.text += "'s"; break;
      case 1: Put("\"" + part.text + "\\n\\\"\""), part.text += "\n\""; break;
      default: Put(part.text);
    }
    part.end = text_.size();
  }

  void Flow(Written& node, size_t indent) {
    if (node.kind == YamlNode::Kind::kText) return InLine(node);
    const bool map = node.kind == YamlNode::Kind::kMap;
    const bool lines = Chance(3);
    node.begin = text_.size();
    Put(map ? "{" : "[");
    if (Chance(6)) Put(" ");
    for (size_t i = 0; i < node.parts.size(); ++i) {
      Written& part = node.parts[i];
      if (i > 0) {
        Put(Chance(9) ? " ," : ",");
        if (lines)
          End(), Put(std::string(indent + 2, ' '));
        else if (!Chance(6))
          Put(" ");
      }
      part.first = text_.size();
      if (map) Key(part), Put(" ");
      const bool one = part.kind == YamlNode::Kind::kMap && part.parts.size() == 1;
      if (!map && one && Chance(3))
        Compact(part);
      else
        Flow(part, indent);
    }
    if (Chance(9)) Put(",");
    if (lines && Chance(2)) End(), Put(std::string(indent + 1, ' '));
    Put(map ? "}" : "]");
    node.end = text_.size();
  }

  void Compact(Written& node) {
    node.compact = true;
    node.begin = text_.size();
    Key(node.parts[0]);
    Put(" ");
    Flow(node.parts[0], 0);
    node.end = text_.size();
  }

  Random& random_;
  std::string text_, newline_;
  int number_ = 100;
  bool may_end_bare_ = true, after_block_ = false, keeps_blank_lines_ = false;
};

}  // namespace

size_t Below(Random& random, size_t n) { return random() % n; }

RandomFile WriteAtRandom(Random& random) { return Writer(random).Write(); }

YamlNode ValueAtRandom(Random& random, int depth) {
  const size_t kind = depth > 1 ? 0 : Below(random, 6);
  if (kind == 4) {
    std::vector<YamlNode> items;
    for (size_t n = Below(random, 3); n > 0; --n) items.push_back(ValueAtRandom(random, depth + 1));
    return ListNode(std::move(items));
  }
  if (kind == 5) {
    std::vector<std::pair<std::string, YamlNode>> entries;
    for (size_t n = Below(random, 3); n > 0; --n)
      entries.emplace_back(fmt::format("n{}: #", n), ValueAtRandom(random, depth + 1));
    return MapNode(std::move(entries));
  }
  return TextNode(kTexts[Below(random, std::size(kTexts))]);
}

YamlNode NodeOf(const Written& written) {
  YamlNode node;
  node.kind = written.kind;
  node.text = written.text;
  for (const Written& part : written.parts) {
    if (written.kind == YamlNode::Kind::kMap)
      node.entries.push_back({part.key, {}, NodeOf(part)});
    else
      node.items.push_back(NodeOf(part));
  }
  return node;
}

}  // namespace gpustage
