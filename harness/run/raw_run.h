// What a run left behind, as it was recorded: the value that evidence/ decodes. All times are
// nanoseconds since the start of the run, by the monotonic clock that the journal's writers use
// too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/run/evidence_level.h"
#include "harness/run/file_record.h"
#include "harness/run/stream.h"

namespace gpustage {

// Bytes that arrived together. A chunk may end in the middle of a line.
struct OutputChunk {
  int64_t time_ns = 0;
  Stream stream = Stream::kStdout;
  std::string bytes;
  friend bool operator==(const OutputChunk&, const OutputChunk&) = default;
};

// How the scanner ended. A crash or a hang is an outcome, never an error of ours.
struct Outcome {
  enum class Kind {
    kExited,      // code: exit status
    kKilled,      // code: signal; by itself, or by us for more output than allowed (note says so)
    kTimedOut,    // code: SIGKILL
    kStopped,     // it said that it was done (done_when) and was ended
    kNotStarted,  // code: errno of the step that failed; note: the sentence
  };
  Kind kind = Kind::kExited;
  int code = 0;
  std::string note;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
std::string ToString(
    const Outcome& outcome);  // "exited 0", "killed by SIGBUS", "timed out after 30 s"

struct RawRun {
  Outcome outcome;
  int64_t start_ns = 0;  // CLOCK_MONOTONIC at the start: journal times count from boot
  int64_t duration_ns = 0;
  std::vector<OutputChunk> output;
  std::string journal;  // bytes of the journal file up to its last record; fakes/world/format.h
  bool journal_recorded = false;
  bool loader_recorded = false;  // the audit recorder was asked to watch
  FileLog files;                 // what was asked of the kernel
  EvidenceLevel level = EvidenceLevel::kAll;
  int left_over = 0;  // processes that still ran when the scanner had ended, and were ended
  friend bool operator==(const RawRun&, const RawRun&) = default;
};

}  // namespace gpustage
