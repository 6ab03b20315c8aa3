// What ld.so is configured to search. Format of ld.so.cache: dl-cache.h of glibc (the new format,
// "glibc-ld.so.cache1.1", which stands alone or behind the old one).
#include <glob.h>

#include <algorithm>
#include <cstring>

#include "harness/capture/collect.h"

namespace gpustage::capture {
namespace {

constexpr int kDeepestInclude = 8;
constexpr size_t kMostCached = 1 << 16;

void ReadConf(const std::string& root, const std::string& path, int depth, MachineFacts& facts) {
  if (depth > kDeepestInclude) return;
  const std::string text = ReadWhole(root + path, 1 << 18);
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    line.erase(std::min(line.find('#'), line.size()));
    const size_t first = line.find_first_not_of(" \t");
    if (first == std::string::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
    if (line.rfind("include", 0) == 0 && line.size() > 8) {
      std::string pattern = line.substr(line.find_first_not_of(" \t", 7));
      if (pattern[0] != '/') pattern = path.substr(0, path.rfind('/') + 1) + pattern;
      glob_t found = {};
      if (glob((root + pattern).c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
        std::vector<std::string> files(found.gl_pathv, found.gl_pathv + found.gl_pathc);
        std::sort(files.begin(), files.end());
        for (const std::string& file : files)
          ReadConf(root, file.substr(root.size()), depth + 1, facts);
      }
      globfree(&found);
    } else if (line[0] == '/') {
      facts.loader_directories.push_back(line);
    }
  }
}

struct CacheHeader {
  char magic[20];
  uint32_t libraries, strings;
  uint8_t flags, padding[3];
  uint32_t extension;
  uint32_t unused[3];
};
struct CacheEntry {
  int32_t flags;
  uint32_t key, value, os_version;
  uint64_t hwcap;
};

}  // namespace

void ReadLoader(MachineFacts& facts) {
  ReadConf(facts.process.root, "/etc/ld.so.conf", 0, facts);
  const std::string cache = ReadWhole(facts.process.root + "/etc/ld.so.cache", 8 << 20);
  const size_t at = cache.find("glibc-ld.so.cache1.1");
  if (at == std::string::npos || cache.size() - at < sizeof(CacheHeader)) return;
  CacheHeader header;
  std::memcpy(&header, cache.data() + at, sizeof header);
  const auto text = [&](uint32_t offset) {
    return at + offset < cache.size() ? std::string(cache.c_str() + at + offset) : std::string();
  };
  for (uint32_t i = 0; i < header.libraries && i < kMostCached; ++i) {
    const size_t place = at + sizeof header + i * sizeof(CacheEntry);
    if (place > cache.size() || cache.size() - place < sizeof(CacheEntry)) break;
    CacheEntry entry;
    std::memcpy(&entry, cache.data() + place, sizeof entry);
    if (const std::string name = text(entry.key); IsGpuName(name))
      facts.loader_cache.emplace_back(name, text(entry.value));
  }
}

}  // namespace gpustage::capture
