#include "fakes/world/text.h"

namespace gpustage::world {

TextWriter& TextWriter::Add(const char* text, size_t length) {
  const size_t room = size_ - 1 - length_;
  if (length > room) length = room;
  memcpy(buffer_ + length_, text, length);
  length_ += length;
  buffer_[length_] = '\0';
  return *this;
}

TextWriter& TextWriter::Decimal(int64_t value) {
  char digits[20];
  char* const end = digits + sizeof(digits);
  char* begin = end;
  uint64_t rest = value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do *--begin = static_cast<char>('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) Add('-');
  return Add(begin, static_cast<size_t>(end - begin));
}

TextWriter& TextWriter::Hex(uint64_t value, int digits) {
  char text[16];
  char* const end = text + sizeof(text);
  char* begin = end;
  for (; begin > text && (value != 0 || digits > 0); value >>= 4, --digits)
    *--begin = "0123456789abcdef"[value & 15];
  return Add(begin, static_cast<size_t>(end - begin));
}

void AddUuid(TextWriter& out, const uint8_t uuid[16]) {
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.Add('-');
    out.Hex(uuid[i], 2);
  }
}

bool CopyText(char* to, size_t size, const char* from) {
  if (size == 0) return false;
  TextWriter(to, size).Add(from);
  return strlen(from) < size;
}

}  // namespace gpustage::world
