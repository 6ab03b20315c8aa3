// Text in a buffer of fixed size; what does not fit is cut off. It stands in for printf, so that
// formatting never allocates and never depends on locale or on a replaced libc.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace gpustage::world {

class TextWriter {
 public:
  TextWriter(char* buffer, size_t size) : buffer_(buffer), size_(size) { buffer_[0] = '\0'; }

  TextWriter& Add(const char* text, size_t length);
  TextWriter& Add(const char* text) { return Add(text, strlen(text)); }
  TextWriter& Add(char c) { return Add(&c, 1); }
  TextWriter& Decimal(int64_t value);
  TextWriter& Hex(uint64_t value, int digits = 1);  // lower case, at least `digits`

  size_t length() const { return length_; }

 private:
  char* buffer_;
  size_t size_;
  size_t length_ = 0;
};

template <size_t N>
class Text : public TextWriter {
 public:
  Text() : TextWriter(text_, N) {}
  Text(const Text&) = delete;
  const char* c_str() const { return text_; }

 private:
  char text_[N];
};

// "GPU-00112233-4455-6677-8899-aabbccddeeff" without its "GPU-".
void AddUuid(TextWriter& out, const uint8_t uuid[16]);

// Copies as much as fits and ends it with NUL, as strlcpy does; true when all of it fitted.
bool CopyText(char* to, size_t size, const char* from);

inline bool Equal(const char* a, const char* b) { return strcmp(a, b) == 0; }

}  // namespace gpustage::world
