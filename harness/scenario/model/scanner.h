// A program that looks for GPUs, described by data: fixtures/scanners/NAME.yaml, or a user's own
// file.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/out_of_line.h"
#include "harness/base/result.h"
#include "harness/scenario/model/tree_op.h"

namespace gpustage {

// How a scanner's devices are read from what it prints.
struct DeviceReader {
  enum class Kind {
    kNone,   // it cannot say: an expectation on devices is an error
    kJson,   // one JSON document on stdout: an array of objects, or an object with "devices"
    kLines,  // every line that matches is a device
    kCount,  // the last line that matches holds the number of devices
  };
  Kind kind = Kind::kNone;
  std::string stream = "any";  // "stdout", "stderr", "any"
  std::string
      match;  // RE2 with named groups: name library library_path pci_id uuid memory_total; or count
  // kJson: key in the object -> our field is by the same names; other keys are kept as they are.
  friend bool operator==(const DeviceReader&, const DeviceReader&) = default;
};

enum class LogFormat { kPlain, kSlog, kJson, kGgml };

// "0.30" and "0.13.5" are compared number by number; "" is no bound.
struct VersionRange {
  std::string from;   // this one and later
  std::string below;  // earlier than this one
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};
bool Holds(const VersionRange& range, const std::string& version);
std::string ToString(const VersionRange& range);  // "from 0.30 on", "below 0.30"
// Why a program that the user gives is missing; `versions` are those that are, "" for all.
std::string NotGiven(const std::string& program, const std::string& versions);
// What stands behind the @ of a name: ">=0.30", "<0.30", or "0.17", which 0.17.4 is of, too.
// Nothing for another word.
std::optional<VersionRange> ParseVersions(const std::string& text);
// Whether "ollama", "ollama@0.17.4", "ollama@0.17" or "ollama@<0.30" means `name` in `version`.
bool Means(const std::string& wanted, const std::string& name, const std::string& version);

// A file of the host and its place in a tree.
struct BroughtFile {
  std::string path;
  std::string host_path;
  friend bool operator==(const BroughtFile&, const BroughtFile&) = default;
};

struct ScannerSpec {
  OUT_OF_LINE_MEMBERS(ScannerSpec);
  std::string name;     // "ollama-model"
  std::string about;    // one sentence: what success means
  std::string program;  // host path of the program; "" when it is missing
  std::string missing;  // why it is not here, as a sentence for the skip; "" when it is
  std::string given;  // the user gives this program, in as many versions as they like: "ollama"; ""
                      // for all others
  std::string version;            // of a program that was given
  std::string at;                 // where the program is placed in the tree; "" keeps its host path
  std::vector<std::string> argv;  // argv[0] included, as seen inside
  std::vector<std::pair<std::string, std::string>>
      env;                 // defaults, below everything a scenario says
  std::string fits;        // a layout must provide this word for a default run; "" fits none
  bool by_default = true;  // false: even then only when the user asks for this scanner
  std::vector<std::string>
      host_directories;             // of the host, shown read-only: what Python or Go scanners need
  std::vector<std::string> needs;   // further host files or libraries, placed with their closure
  std::vector<BroughtFile> brings;  // further programs of ours, placed beside it
  VersionRange versions;  // of a program that was given: those that this definition is for
  std::map<std::string, std::string>
      release;  // fake -> host path: what must be of its own release stands in its place
  std::map<std::string, LibrarySource>
      stand_ins;  // fake -> another of ours, which it wants in every tree
  std::map<std::string, std::string>
      release_folders;  // folder of the tree -> host folder, whose files stand there too
  std::optional<std::string>
      done_when;  // RE2 on a log line: then it is stopped. Otherwise done is its exit
  std::chrono::milliseconds settle{0};  // and only when it has printed nothing more for so long
  std::string network = "none";         // "none" or "loopback"
  DeviceReader devices;
  std::string log_stream = "stderr";  // "stdout", "stderr", "any"
  LogFormat log_format = LogFormat::kPlain;
  std::chrono::milliseconds time_limit{30000};
  int64_t output_limit = 64 << 20;  // bytes of stdout and stderr together
  // Bytes of data that each of its processes may have (RLIMIT_DATA).
  int64_t memory_limit = int64_t{8} << 30;
  std::string file = {};  // of a definition of the user's own; "" for ours

  friend bool operator==(const ScannerSpec&, const ScannerSpec&) = default;
};

}  // namespace gpustage
