// All that was recorded of a run, and nothing that was concluded from it: what evidence is made of,
// and what is kept, so that a later gpustage tells more of an old run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/out_of_line.h"
#include "harness/evidence/path/library_path.h"
#include "harness/evidence/records/journal.h"
#include "harness/evidence/records/log_lines.h"
#include "harness/run/after_run.h"
#include "harness/run/raw_run.h"
#include "harness/scenario/model/scanner.h"

namespace gpustage {

struct RecordedRun {
  OUT_OF_LINE_MEMBERS(RecordedRun);
  // Of the run itself: raw_run.h says what each is.
  Outcome outcome;
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
  EvidenceLevel level = EvidenceLevel::kAll;
  bool journal_recorded = false;
  bool loader_recorded = false;
  int left_over = 0;
  Journal journal;
  SplitLog output;
  FileLog files;
  // How what the scanner prints is read.
  std::string log_stream = "stderr";
  LogFormat log_format = LogFormat::kPlain;
  DeviceReader devices;
  // Of the machine and the tree, known before it began.
  std::vector<std::string> candidates;  // paths that the scanner may take for a GPU backend
  Setting setting;
  AfterRun after;
  friend bool operator==(const RecordedRun&, const RecordedRun&) = default;
};

// Without what comes after the run.
RecordedRun Recorded(RawRun run, const ScannerSpec& scanner,
                     const std::vector<std::string>& candidates = {}, const Setting& setting = {});

}  // namespace gpustage
