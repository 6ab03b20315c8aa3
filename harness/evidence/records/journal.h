// Reads a journal's bytes. Total: any bytes give a list, and `complete` says whether they were a
// whole journal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/world/format.h"

namespace gpustage {

struct JournalRecord {
  world::RecordKind kind = world::RecordKind::kUnfinished;
  uint64_t time_ns = 0;
  int pid = 0;
  int tid = 0;
  int instance = 0;
  int64_t value = 0;
  int device = -1;
  uint32_t detail = 0;
  std::vector<std::string> texts;
  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

struct Journal {
  std::vector<JournalRecord> records;  // in the order of the file
  bool complete = false;
  friend bool operator==(const Journal&, const Journal&) = default;
};

Journal ReadJournalBytes(std::string_view bytes);

}  // namespace gpustage
