// What one run of a scanner showed: plain values for your own code, and Check() for all that a
// scenario can claim. The matchers of matchers.h are Check() for GoogleMock; with another test
// framework use it as it is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gpustage {

struct Evidence;  // all that was recorded; not for users

// The steps that a candidate library goes through, in this order. A device is lost at the first
// that did not happen.
enum FunnelStep {
  kListed,
  kMatched,
  kOpened,
  kLoaded,
  kEntryPoint,
  kInitialised,
  kCounted,
  kReported
};

// A device as the scanner reported it, in its own words. What it did not say is "".
struct FoundDevice {
  std::string name;          // "NVIDIA H100 80GB HBM3"
  std::string library;       // what it calls the backend: "CUDA"
  std::string library_path;  // in the tree
  std::string pci_id;
  std::string uuid;
  std::string memory_total;  // in the unit that the scanner prints: "79.6 GiB", "81559 MiB"
};

// A candidate library that lost its device, in one process.
struct Loss {
  std::string library;  // its path in the tree
  std::string process;  // program and first word: "ollama runner"; "" when no process touched it
  FunnelStep at = kListed;
  std::string reason;  // a sentence
  std::string
      cause;  // one word for it, as `lost: {cause: …}` of a scenario has it: "missing-dependency"
};

// What a claim came to.
struct Finding {
  bool ok = false;
  bool unknown = false;  // neither true nor false: it could not be observed, nothing ran, or the
                         // claim cannot be read
  std::string expected;  // "devices: 2"
  std::string seen;      // "0 devices, libggml-cuda.so lost at \"listed\": …"; when unknown, why
};

struct RunResult {
  std::string
      skipped;  // why this machine cannot run it, as a sentence for GTEST_SKIP(); "" when it could
  std::string error;  // what is wrong with the stage, with the line of your test that says so; ""
                      // when nothing is

  // All of these are empty when one of the two above is not.
  std::string outcome;               // "exited 0", "killed by SIGBUS", "timed out after 30 s"
  std::optional<int> device_count;   // none: what the scanner printed cannot be read
  std::vector<FoundDevice> devices;  // none of a scanner that counts and does not name them
  std::vector<std::string>
      log;  // lines without time and colour, stdout and stderr in order of time
  std::vector<Loss> losses;
  std::string funnel;  // each candidate library with its steps, as a report prints it

  // Holds the run to a claim that `expect` of a scenario may make: "devices: 2", "outcome: {killed:
  // SIGBUS}", "loads: {library: libcuda.so.1, by: cache}", "silent: true". Of several the first
  // that does not hold is told.
  Finding Check(const std::string& claim) const;
  // A loss at this step, of the library whose path ends so; "": of any.
  Finding CheckLoss(FunnelStep at, const std::string& library = "") const;

  std::shared_ptr<const Evidence>
      evidence;  // what Check() looks at; copies of a RunResult share it
};

using Seen = RunResult;  // its earlier name

}  // namespace gpustage
