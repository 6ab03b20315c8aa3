// What a scanner saw and said, without what differs from one start to the next: what
// fixtures/recordings/ keeps of real programs, and what two scanners or two versions of one are
// compared by.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/evidence/evidence.h"

namespace gpustage {

struct Recording {
  std::string outcome;  // "done" also for one that was stopped when it said so
  std::vector<std::map<std::string, std::string>> devices;
  std::vector<std::string> log;
  std::map<std::string, std::vector<std::string>>
      libraries;                    // what each process role mapped, but for the base system
  std::vector<std::string> funnel;  // "PATH in ROLE: reached counted, lost at reported"
  friend bool operator==(const Recording&, const Recording&) = default;
};

Recording RecordingOf(const Evidence& evidence);

// Without the program's version and the lines of its source that log lines name, and with a line
// for each setting of the server's: what two versions are compared by.
Recording WithoutVersion(Recording recording);

// With that of the funnel which was seen of the program, up to the count of a library in a process;
// where it was lost, and why nobody touched a file, was concluded, and is of the day. Rows of which
// `older` has none are of libraries that nobody looked at then; NVML is looked at where a process
// mapped it, for what one of our fakes opens in place of a real library has no row.
Recording AsSeen(Recording recording, const Recording& older);

// Of one scanner in one version, by "CASE debug=LEVEL".
struct Recordings {
  std::string scanner;
  std::string version;
  std::map<std::string, Recording> of;
  friend bool operator==(const Recordings&, const Recordings&) = default;
};

std::string RecordingsJson(const Recordings& recordings);
Result<Recordings> ParseRecordings(const std::string& text);

// One thing that two recordings of the same case do not agree on.
struct RecordingDifference {
  std::string field;  // "outcome", "devices", "log", "libraries", "funnel"
  std::vector<std::string> only_a;
  std::vector<std::string> only_b;  // both empty: the same lines in another order
  friend bool operator==(const RecordingDifference&, const RecordingDifference&) = default;
};
std::vector<RecordingDifference> Compare(const Recording& a, const Recording& b);

}  // namespace gpustage
