// The bytes of a journal, as its writers would have left them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "fakes/world/format.h"

namespace gpustage {

// The bytes of one record. Texts end in NUL; the whole is a multiple of 8.
inline std::string RecordBytes(world::Record record, const std::vector<std::string>& texts) {
  std::string tail;
  for (const std::string& text : texts) tail += text + '\0';
  tail.resize((tail.size() + 7) / 8 * 8, '\0');
  record.size = static_cast<uint32_t>(sizeof record + tail.size());
  record.texts = static_cast<uint32_t>(texts.size());
  return std::string(reinterpret_cast<const char*>(&record), sizeof record) + tail;
}

inline std::string JournalBytes(const std::string& records, uint64_t dropped = 0,
                                uint64_t capacity = 1 << 20) {
  world::JournalHeader header = {};
  std::memcpy(header.magic, world::kJournalMagic, sizeof header.magic);
  header.version = world::kJournalVersion;
  header.capacity = capacity;
  header.next = records.size();
  header.dropped = dropped;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + records;
}

}  // namespace gpustage
