#include "harness/scenario/yaml/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/scenario/yaml/quoted.h"

namespace gpustage {
namespace {

constexpr size_t kMaxDepth = 64;

// Positions in one text. yaml-cpp counts lines and columns from 0, and bytes as we do.
class SourceText {
 public:
  SourceText(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::string_view text() const { return text_; }
  char At(size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }

  SourcePos Pos(const YAML::Mark& mark, size_t length = 1) const {
    return {file_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1,
            static_cast<int>(std::max<size_t>(length, 1))};
  }
  SourcePos PosOf(size_t offset) const {
    const std::string_view before = text_.substr(0, offset);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const size_t newline = before.rfind('\n');
    const size_t column = newline == std::string_view::npos ? offset : offset - newline - 1;
    return {file_, static_cast<int>(lines) + 1, static_cast<int>(column) + 1};
  }
  // How many bytes of [begin, end) stand on the line of `begin`.
  size_t LengthOnLine(size_t begin, size_t end) const {
    const std::string_view text = text_.substr(begin, end - begin);  // a line may be long
    return std::min(text.find_first_of("\r\n"), text.size());
  }

 private:
  std::string_view text_;
  const std::string& file_;
};

size_t Offset(const YAML::Mark& mark) { return static_cast<size_t>(std::max(mark.pos, 0)); }

// Length of the UTF-8 sequence at the start of `text`; 0 when it is none.
size_t Utf8Length(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 && first < 0xf5   ? 4
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xc2 && first < 0xe0 ? 2
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool outside = (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return overlong || outside ? 0 : length;
}

// Whether the text begins with a bracket that is not closed before it ends.
bool IsNeverClosed(std::string_view text) {
  if (!text.starts_with('{') && !text.starts_with('[')) return false;
  size_t depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return false;
    }
  }
  return depth > 0;
}

// What yaml-cpp would read silently in its own way.
std::optional<Error> CheckBytes(const SourceText& source) {
  const std::string_view text = source.text();
  if (text.starts_with("\xef\xbb\xbf"))
    return Error{"the file begins with a byte order mark; save it as UTF-8 without one",
                 source.PosOf(0)};
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Error{"the file is UTF-16; save it as UTF-8", source.PosOf(0)};
  // Without a mark: every second byte of what is written in plain letters is 0.
  const std::string_view head = text.substr(0, 64);
  if (std::count(head.begin(), head.end(), '\0') * 3 > static_cast<long>(head.size()))
    return Error{"the file looks like UTF-16; save it as UTF-8", source.PosOf(0)};
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0 || control)
      return Error{fmt::format("byte 0x{0:02X} {1} \"\\x{0:02X}\" in double quotes", byte,
                               control ? "is a control character; write"
                                       : "is not UTF-8; save the file as UTF-8, or write"),
                   source.PosOf(at)};
    at += length;
  }
  return std::nullopt;
}

// Builds nodes out of the parser's events and keeps the first thing that is wrong.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const SourceText& source) : source_(source) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      Fail("a second document begins here; a file holds one", source_.Pos(mark, 3));
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    starts_.push_back(Offset(mark));
    if (RefuseProperties(mark)) return;
    const char first = source_.At(Offset(mark));
    if (first == '~' || first == 'n' || first == 'N') {
      const size_t length = first == '~' ? 1 : 4;
      const auto word = source_.text().substr(Offset(mark), length);
      if (first == '~' || word == "null" || word == "Null" || word == "NULL")
        return Fail(
            fmt::format(
                "{0} is no value here; write \"{0}\" for the text, \"\" for the empty string",
                word),
            source_.Pos(mark, length));
    }
    FailEmpty(mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseProperties(mark); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { RefuseProperties(mark); }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string& value) override {
    const size_t begin = Offset(mark);
    starts_.push_back(begin);
    if (error_ || RefuseProperties(mark)) return;
    YamlNode node;
    node.text = value;
    const char first = source_.At(begin);
    node.plain = first != '"' && first != '\'' && first != '|' && first != '>';
    size_t end = begin + value.size();
    if (first == '"' || first == '\'') {
      auto quoted = ReadQuoted(source_.text(), begin);
      if (!quoted) return Fail(fmt::format("this {} is never closed", first), source_.Pos(mark));
      node.text = std::move(quoted->text);
      end = quoted->end;
    }
    node.pos = source_.Pos(
        mark, node.plain || first == '"' || first == '\'' ? source_.LengthOnLine(begin, end) : 1);
    Add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

  // The innermost list or map in brackets that is still open.
  std::optional<SourcePos> OpenBracket() const {
    for (auto frame = open_.rbegin(); frame != open_.rend(); ++frame)
      if (const char c = source_.At(frame->begin); c == '[' || c == '{') return frame->node.pos;
    return std::nullopt;
  }
  // The first tab before `end` that is not the content of a block of text. A tab belongs to the
  // last thing that begins before it.
  std::optional<SourcePos> FirstTab(size_t end) const {
    const std::string_view text = source_.text().substr(0, end);
    for (size_t tab = text.find('\t'); tab != std::string_view::npos;
         tab = text.find('\t', tab + 1)) {
      const auto after = std::upper_bound(starts_.begin(), starts_.end(), tab);
      const char owner = after == starts_.begin() ? '\0' : source_.At(*(after - 1));
      if (owner != '|' && owner != '>') return source_.PosOf(tab);
    }
    return std::nullopt;
  }

  const std::optional<Error>& error() const { return error_; }
  bool error_is_certain() const { return certain_; }
  std::optional<YamlNode>& root() { return root_; }

 private:
  struct Frame {
    YamlNode node;
    size_t begin;
    std::optional<YamlEntry> entry;  // a map whose key has been read
  };

  void Fail(std::string message, SourcePos pos, bool certain = true) {
    if (error_) return;
    error_ = Error{std::move(message), std::move(pos)};
    certain_ = certain;
  }

  // A bracket that is never closed also looks like a key without a value, so the parser has the
  // last word.
  void FailEmpty(const YAML::Mark& mark) {
    if (open_.empty()) {
      const bool nothing = Offset(mark) >= source_.text().size();
      return Fail(nothing ? "the file is empty" : "expected a map, a list or text",
                  source_.Pos(mark));
    }
    const Frame& frame = open_.back();
    if (frame.entry)
      return Fail(fmt::format("{} has no value; the empty string is \"\"", Quote(frame.entry->key)),
                  frame.entry->pos, false);
    if (frame.node.IsList())
      return Fail(fmt::format("item {} of this list has no value; the empty string is \"\"",
                              frame.node.items.size() + 1),
                  frame.node.pos, false);
    Fail("a key is missing here", source_.Pos(mark), false);
  }

  bool RefuseProperties(const YAML::Mark& mark) {
    const auto refuse = [&](const char* what, const char* instead) {
      Fail(fmt::format("{} not read here; {}", what, instead), source_.Pos(mark));
      return true;
    };
    switch (source_.At(Offset(mark))) {
      case '&':
        return refuse("anchors are",
                      "write the value out, or put it in quotes if it begins with &");
      case '*':
        return refuse("aliases are",
                      "write the value out, or put it in quotes if it begins with *");
      case '!':
        return refuse("tags are", "all values are text, put it in quotes if it begins with !");
      default: return false;
    }
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind) {
    starts_.push_back(Offset(mark));
    RefuseProperties(mark);
    if (!open_.empty() && open_.back().node.IsMap() && !open_.back().entry)
      Fail(IsNeverClosed(source_.text().substr(Offset(mark))) ? "this bracket is never closed"
                                                              : "a key must be text",
           source_.Pos(mark));
    if (open_.size() >= kMaxDepth)
      Fail(fmt::format("nested deeper than {} levels", kMaxDepth), source_.Pos(mark));
    YamlNode node;
    node.kind = kind;
    node.pos = source_.Pos(mark);
    open_.push_back({std::move(node), Offset(mark), std::nullopt});
  }

  void Close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    if (!error_) Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (Frame& frame = open_.back(); frame.node.IsList()) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.entry) {
      frame.entry->value = std::move(node);
      frame.node.entries.push_back(*std::move(frame.entry));
      frame.entry.reset();
    } else {
      AddKey(frame, std::move(node));
    }
  }

  void AddKey(Frame& frame, YamlNode node) {
    if (node.plain && node.text == "<<")
      return Fail("merges are not read; write the keys out", node.pos);
    for (const YamlEntry& entry : frame.node.entries)
      if (entry.key == node.text)
        return Fail(fmt::format("duplicate key {}; line {} has it already", Quote(node.text),
                                entry.pos.line),
                    node.pos);
    frame.entry = YamlEntry{std::move(node.text), std::move(node.pos), {}};
  }

  const SourceText& source_;
  int documents_ = 0;
  std::vector<Frame> open_;
  std::vector<size_t> starts_;  // where nodes begin, ascending
  std::optional<YamlNode> root_;
  std::optional<Error> error_;
  bool certain_ = false;
};

// yaml-cpp's own complaint, in our words where its words would not help.
Error FromParser(const YAML::Exception& exception, const SourceText& source,
                 const Builder& builder) {
  const size_t at = Offset(exception.mark);
  if (exception.msg.starts_with("end of ") && exception.msg.ends_with("flow not found"))
    if (const auto open = builder.OpenBracket()) return {"this bracket is never closed", open};
  if (exception.msg == YAML::ErrorMsg::UNKNOWN_ANCHOR)
    return {
        "aliases are not read here; write the value out, or put it in quotes if it begins with *",
        source.Pos(exception.mark)};
  if (exception.msg == YAML::ErrorMsg::UNKNOWN_TOKEN)
    return {fmt::format("a plain value cannot begin with {0}; put it in quotes", source.At(at)),
            source.Pos(exception.mark)};
  if (exception.msg == YAML::ErrorMsg::MAP_VALUE)
    return {
        "a second \": \" on one line, or wrong indentation; put a text that holds \": \" in quotes",
        source.Pos(exception.mark)};
  return {fmt::format("not YAML: {}", exception.msg), source.Pos(exception.mark)};
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const YamlEntry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Result<YamlNode> ParseYaml(std::string_view text, const std::string& file) {
  const SourceText source(text, file);
  if (auto error = CheckBytes(source)) return *std::move(error);

  Builder builder(source);
  std::optional<Error> refused;
  size_t read_until = text.size();
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    // Twice: a second document is an error, and yaml-cpp finds one after the other for ever where a
    // file begins with a comma.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& exception) {
    refused = FromParser(exception, source, builder);
    read_until = std::max(Offset(exception.mark), size_t{1});
  }
  if (const auto tab = builder.FirstTab(read_until))
    return Error{"a tab; indent with blanks, and write a tab in a value as \"\\t\"", tab};
  if (builder.error() && (builder.error_is_certain() || !refused)) return *builder.error();
  if (refused) return *std::move(refused);
  if (!builder.root()) return Error{"the file is empty", SourcePos{file, 1, 1}};
  return *std::move(builder.root());
}

Result<YamlNode> ReadYamlFile(const std::string& file) {
  TRY(const std::string text, ReadFile(file));
  return ParseYaml(text, file);
}

}  // namespace gpustage
