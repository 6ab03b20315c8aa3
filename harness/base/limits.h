// How much there may be of what others decide. Where something is cut, it is said.
#pragma once

#include <cstddef>

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
// What other processes print where it is not heard, and how much is looked through for whether it
// was passed on.
inline constexpr size_t kUnheardLines = 20'000;
inline constexpr size_t kUnheardBytes = 4 << 20;
inline constexpr size_t kSearchedBytes = size_t{1} << 30;

// ---- Of files -----------------------------------------------------------------------------------
inline constexpr size_t kFileName = 255;  // bytes, as in most file systems

}  // namespace gpustage::limits
