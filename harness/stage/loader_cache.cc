#include "harness/stage/loader_cache.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace gpustage {
namespace {

// glibc's sysdeps/generic/dl-cache.h. The new format stands alone or behind the one of libc 5.
constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr size_t kOldHeader = 16, kOldEntry = 12;
constexpr int32_t kX8664 = 0x0303;  // FLAG_ELF_LIBC6 | FLAG_X8664_LIB64

struct Header {
  char magic[20];
  uint32_t count;
  uint32_t string_bytes;
  uint8_t flags;
  uint8_t padding[3];
  uint32_t extensions;
  uint32_t unused[3];
};
static_assert(sizeof(Header) == 48);

struct Entry {
  int32_t flags;
  uint32_t key, value;  // offsets of texts, from the header on
  uint32_t os_version;
  uint64_t hwcap;
};
static_assert(sizeof(Entry) == 24);

template <typename T>
bool Read(std::string_view bytes, size_t at, T& value) {
  if (at > bytes.size() || bytes.size() - at < sizeof value) return false;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return true;
}

std::string_view TextAt(std::string_view bytes, size_t at) {
  if (at >= bytes.size()) return "";
  const size_t end = bytes.find('\0', at);
  return end == std::string_view::npos ? "" : bytes.substr(at, end - at);
}

}  // namespace

std::map<std::string, std::string, std::less<>> ReadLoaderCache(std::string_view bytes) {
  std::map<std::string, std::string, std::less<>> found;
  uint32_t old_count = 0;
  if (bytes.starts_with(kOldMagic) && Read(bytes, 12, old_count)) {
    const size_t behind = (kOldHeader + old_count * kOldEntry + 7) / 8 * 8;
    bytes.remove_prefix(std::min(behind, bytes.size()));
  }
  Header header;
  if (!bytes.starts_with(kMagic) || !Read(bytes, 0, header)) return found;
  Entry entry;
  for (size_t i = 0; i < header.count; ++i) {
    if (!Read(bytes, sizeof header + i * sizeof entry, entry)) break;
    if (entry.flags != kX8664 || entry.hwcap != 0) continue;
    // Sorted so that of two with one name the better stands first.
    found.emplace(TextAt(bytes, entry.key), TextAt(bytes, entry.value));
  }
  return found;
}

}  // namespace gpustage
