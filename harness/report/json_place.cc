#include "harness/report/json_place.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

namespace gpustage {
namespace {

using nlohmann::json;

// Reads the text for the parser, and knows how far it has come.
class Counting {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Counting(const char* at, const char** shared) : at_(at), shared_(shared) {}
  reference operator*() const { return *at_; }
  Counting& operator++() {
    *shared_ = ++at_;
    return *this;
  }
  friend bool operator==(const Counting& a, const Counting& b) { return a.at_ == b.at_; }
  friend bool operator!=(const Counting& a, const Counting& b) { return a.at_ != b.at_; }

 private:
  const char* at_;
  const char** shared_;
};

// Follows the document to where the pointer ends, and stops the parser there.
class Finder {
 public:
  Finder(const std::string& wanted, const char* const* at) : wanted_(wanted), at_(at) {}
  // The end of what the parser had read when it was there.
  const char* found() const { return found_; }

  bool null() { return Value(); }
  bool boolean(bool) { return Value(); }
  bool number_integer(json::number_integer_t) { return Value(); }
  bool number_unsigned(json::number_unsigned_t) { return Value(); }
  bool number_float(json::number_float_t, const std::string&) { return Value(); }
  bool string(std::string&) { return Value(); }
  bool binary(json::binary_t&) { return Value(); }
  bool start_object(std::size_t) { return Open(-1); }
  bool start_array(std::size_t) { return Open(0); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(std::string& name) {
    key_ = EscapedForPointer(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

 private:
  struct Level {
    int index;      // -1 in an object
    size_t length;  // of the pointer outside
  };

  void Enter() {
    if (!levels_.empty())
      here_ += "/" + (levels_.back().index < 0 ? key_ : std::to_string(levels_.back().index++));
  }
  bool Value() {
    const size_t length = here_.size();
    Enter();
    const bool go_on = Look();
    here_.resize(length);
    return go_on;
  }
  bool Open(int first) {
    const size_t length = here_.size();
    Enter();
    levels_.push_back({first, length});
    return Look();
  }
  bool Close() {
    here_.resize(levels_.back().length);
    levels_.pop_back();
    return true;
  }
  bool Look() {
    if (here_ == wanted_) found_ = *at_;
    return found_ == nullptr;
  }

  const std::string& wanted_;
  const char* const* at_;
  const char* found_ = nullptr;
  std::string here_, key_;
  std::vector<Level> levels_;
};

}  // namespace

std::string EscapedForPointer(const std::string& key) {
  std::string escaped;
  for (const char c : key) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return escaped;
}

SourcePos PlaceOfByte(const std::string& text, const std::string& file, size_t byte) {
  const size_t end = std::min(byte == 0 ? 0 : byte - 1, text.size());
  const size_t line = text.rfind('\n', end == 0 ? 0 : end - 1);
  const size_t start = end == 0 || line == std::string::npos ? 0 : line + 1;
  return {file,
          static_cast<int>(
              std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n')) +
              1,
          static_cast<int>(end - start) + 1, 1};
}

SourcePos PlaceOfPointer(const std::string& text, const std::string& file,
                         const std::string& pointer) {
  const char* at = text.data();
  Finder finder(pointer, &at);
  json::sax_parse(Counting(text.data(), &at), Counting(text.data() + text.size(), &at), &finder);
  if (finder.found() == nullptr) return PlaceOfByte(text, file, 1);
  // The parser has read the value, or its bracket, and perhaps the white space and comma after a
  // number.
  size_t last = static_cast<size_t>(finder.found() - text.data());
  last = text.find_last_not_of(" \n\r\t,]}", last == 0 ? 0 : last - 1);
  const size_t start =
      text.find_last_of('\n', last) == std::string::npos ? 0 : text.find_last_of('\n', last) + 1;
  const size_t first = std::min(text.find_first_not_of(" \t", start), last);
  SourcePos pos = PlaceOfByte(text, file, first + 1);
  pos.length = static_cast<int>(last - first) + 1;
  return pos;
}

}  // namespace gpustage
