#include "harness/scenario/yaml/quoted.h"

#include <charconv>
#include <cstdint>

namespace gpustage {
namespace {

void AppendUtf8(std::string& out, uint32_t code) {
  const auto byte = [&out](uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3f));
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

uint32_t Hex(std::string_view digits) {
  uint32_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

class QuotedReader {
 public:
  QuotedReader(std::string_view source, size_t begin)
      : source_(source), quote_(source[begin]), at_(begin + 1) {}

  std::optional<QuotedText> Read() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == quote_ && quote_ == '\'' && Next() == '\'') {
        out_ += '\'';
        at_ += 2;
      } else if (c == quote_) {
        return QuotedText{std::move(out_), at_ + 1};
      } else if (c == '\\' && quote_ == '"') {
        Escape();
      } else if (c == '\n' || c == '\r') {
        FoldLines();
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  char Next() const { return at_ + 1 < source_.size() ? source_[at_ + 1] : '\0'; }

  void SkipBlanks() {
    while (at_ < source_.size() && (source_[at_] == ' ' || source_[at_] == '\t')) ++at_;
  }

  bool SkipNewline() {
    const size_t before = at_;
    if (at_ < source_.size() && source_[at_] == '\r') ++at_;
    if (at_ < source_.size() && source_[at_] == '\n') ++at_;
    return at_ != before;
  }

  // One line break is a blank, each further one a newline; blanks around them go, unless they were
  // escaped.
  void FoldLines() {
    while (out_.size() > kept_ && (out_.back() == ' ' || out_.back() == '\t')) out_.pop_back();
    int breaks = 0;
    for (; SkipNewline(); ++breaks) SkipBlanks();
    if (breaks == 1)
      out_ += ' ';
    else
      out_.append(static_cast<size_t>(breaks - 1), '\n');
  }

  void Escape() {
    const char c = Next();
    at_ += 2;
    switch (c) {
      case 'x': AppendByte(); break;
      case 'u': AppendCode(4); break;
      case 'U': AppendCode(8); break;
      case '0': out_ += '\0'; break;
      case 'a': out_ += '\a'; break;
      case 'b': out_ += '\b'; break;
      case 't': out_ += '\t'; break;
      case 'n': out_ += '\n'; break;
      case 'v': out_ += '\v'; break;
      case 'f': out_ += '\f'; break;
      case 'r': out_ += '\r'; break;
      case 'e': out_ += '\x1b'; break;
      case 'N': AppendUtf8(out_, 0x85); break;
      case '_': AppendUtf8(out_, 0xa0); break;
      case 'L': AppendUtf8(out_, 0x2028); break;
      case 'P': AppendUtf8(out_, 0x2029); break;
      case '\r':
      case '\n':
        --at_;
        SkipNewline();
        SkipBlanks();
        for (; SkipNewline(); SkipBlanks()) out_ += '\n';
        break;
      default: out_ += c;  // the quote, the backslash, the slash and the blank stand for themselves
    }
    kept_ = out_.size();
  }

  void AppendByte() {
    out_ += static_cast<char>(Hex(source_.substr(at_, 2)));
    at_ += 2;
  }

  void AppendCode(size_t digits) {
    AppendUtf8(out_, Hex(source_.substr(at_, digits)));
    at_ += digits;
  }

  std::string_view source_;
  char quote_;
  size_t at_;
  size_t kept_ = 0;  // what folding must not take away: the text up to the last escape
  std::string out_;
};

}  // namespace

std::optional<QuotedText> ReadQuoted(std::string_view source, size_t begin) {
  return QuotedReader(source, begin).Read();
}

}  // namespace gpustage
