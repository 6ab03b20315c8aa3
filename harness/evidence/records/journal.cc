#include "harness/evidence/records/journal.h"

#include <algorithm>
#include <cstring>

namespace gpustage {
namespace {

std::vector<std::string> TextsBehind(std::string_view bytes, uint32_t count) {
  std::vector<std::string> texts;
  while (texts.size() < count && !bytes.empty()) {
    const size_t end = std::min(bytes.find('\0'), bytes.size());
    texts.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return texts;
}

}  // namespace

Journal ReadJournalBytes(std::string_view bytes) {
  Journal journal;
  world::JournalHeader header;
  if (bytes.size() < sizeof header) return journal;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, world::kJournalMagic, sizeof header.magic) != 0 ||
      header.version != world::kJournalVersion)
    return journal;
  bytes.remove_prefix(sizeof header);
  const uint64_t written = std::min<uint64_t>(header.next, header.capacity);
  journal.complete = header.dropped == 0 && bytes.size() >= written;
  bytes = bytes.substr(0, written);
  while (bytes.size() >= sizeof(world::Record)) {
    world::Record record;
    std::memcpy(&record, bytes.data(), sizeof record);
    if (record.size < sizeof record || record.size > bytes.size() || record.size % 8 != 0) {
      journal.complete = false;  // its writer died before it could say how long it is
      break;
    }
    if (record.kind == world::RecordKind::kUnfinished)
      journal.complete = false;
    else
      journal.records.push_back(
          {record.kind, record.time_ns, record.pid, record.tid, record.instance, record.value,
           record.device, record.detail,
           TextsBehind(bytes.substr(sizeof record, record.size - sizeof record), record.texts)});
    bytes.remove_prefix(record.size);
  }
  return journal;
}

}  // namespace gpustage
