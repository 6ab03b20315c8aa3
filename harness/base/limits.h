// How much there may be of what others decide. Where something is cut, it is said.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpustage::limits {

// ---- Of reports ---------------------------------------------------------------------------------
inline constexpr size_t kSummaryBytes = 1'000'000;  // GitHub drops a summary of over 1 MiB whole
inline constexpr size_t kSummaryBlocks = 100;       // failures with a block to open
inline constexpr size_t kSummaryBlockBytes = 32'768;
inline constexpr size_t kSummaryList = 100;  // names under a heading
inline constexpr size_t kAnnotations = 10;   // GitHub shows ten errors and ten warnings of a step
inline constexpr size_t kAnnotationBytes = 4096;
inline constexpr size_t kReasons = 50;  // different reasons of skips
inline constexpr size_t kSlowest = 10;
inline constexpr size_t kPageBytes = 4'800'000;  // of an HTML report: it opens at once
inline constexpr size_t kPageFailures = 200;     // that it shows without JavaScript
inline constexpr size_t kPageFailureBytes = 500'000;
inline constexpr size_t kPageEvents = 600;    // of a run that is bad
inline constexpr size_t kPageFewEvents = 80;  // of any other
inline constexpr size_t kPageLogLines = 400;  // of one run: the last
inline constexpr size_t kPageLineBytes = 2'000;
inline constexpr size_t kReportedLogLines = 10'000;  // of one run: the first half and the last
inline constexpr size_t kReportedLogBytes = 1 << 20;

// ---- Of what a scanner prints -------------------------------------------------------------------
inline constexpr size_t kLogLines =
    40'000;  // the first half and the last, of both streams together
inline constexpr size_t kLogBytes = 8 << 20;
inline constexpr size_t kLogLineBytes = 1 << 20;
// What other processes print where it is discarded, and how much is looked through for whether it
// was passed on.
inline constexpr size_t kDiscardedLines = 20'000;
inline constexpr size_t kDiscardedBytes = 4 << 20;
inline constexpr size_t kSearchedBytes = size_t{1} << 30;

// ---- Of a scenario: more is an error where it is written ----------------------------------------
inline constexpr size_t kTreeEntries = 20'000;              // operations of one tree
inline constexpr int64_t kTreeBytes = int64_t{2} << 30;     // real libraries of 450 MB, and its own
inline constexpr uint64_t kFileBytes = uint64_t{64} << 20;  // held in memory
inline constexpr size_t kArguments = 50'000;
// The kernel takes 2 MiB of argv and environment together, of 128 KiB a word with its end
// (MAX_ARG_STRLEN): half of it is left to the environment.
inline constexpr size_t kArgumentBytes = 1 << 20;
inline constexpr size_t kWordBytes = (128 << 10) - 1;
inline constexpr size_t kVariables = 10'000;
inline constexpr size_t kCells = 1'000'000;  // of a matrix
inline constexpr size_t kPairs = 100'000;    // of values, where it covers pairs

// ---- Of a run -----------------------------------------------------------------------------------
// A runaway of forks ends here. Counted by the kernel over the processes and threads of the uid in
// its user namespace.
inline constexpr int kProcesses = 512;
inline constexpr size_t kExecBytes = size_t{2} << 20;  // of argv and environment that are recorded
inline constexpr size_t kRecords = 400'000;            // what its file events are
inline constexpr size_t kRecordBytes = 128 << 20;      // of all of them together

inline constexpr uint64_t kJournalBytes = uint64_t{64} << 20;  // of a sparse file
// Of a run that was kept. All that is recorded has its own bound; a file that is longer was not
// written by us.
inline constexpr size_t kKeptBytes = size_t{1} << 30;

// ---- Of files -----------------------------------------------------------------------------------
inline constexpr size_t kFileName = 255;  // bytes, as in most file systems

}  // namespace gpustage::limits
