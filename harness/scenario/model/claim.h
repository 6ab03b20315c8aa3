// What a scenario expects of a run. One Claim is one sentence that can be true or false of the
// evidence.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/result.h"
#include "harness/scenario/model/claim_loader.h"
#include "harness/scenario/model/claim_parts.h"
#include "harness/scenario/model/claim_process.h"

namespace gpustage {

struct DevicesClaim {  // devices: 2
  CountRange count;
  friend bool operator==(const DevicesClaim&, const DevicesClaim&) = default;
};
struct DistributionClaim {  // distribution: {0: 20%, 1: 80%}: over the starts of a run that is
                            // repeated
  std::map<int64_t, double>
      shares;  // number of devices -> its share of the starts, above 0; together 1
  friend bool operator==(const DistributionClaim&, const DistributionClaim&) = default;
};
struct DeviceClaim {  // device: {index: 0, name: …}: the fields given, of one device
  int index = 0;
  std::map<std::string, std::string> fields;  // name library library_path pci_id uuid memory_total
  friend bool operator==(const DeviceClaim&, const DeviceClaim&) = default;
};
struct LogClaim {  // log: {has: […], lacks: […]}: one claim a pattern
  LinePattern pattern;
  bool present = true;
  friend bool operator==(const LogClaim&, const LogClaim&) = default;
};
struct LogOrderClaim {  // log: {in_order: […]}
  std::vector<LinePattern> patterns;
  friend bool operator==(const LogOrderClaim&, const LogOrderClaim&) = default;
};
struct OutcomeClaim {       // outcome: {exited: 0}, {killed: SIGBUS}, timed_out
  std::string kind;         // "exited", "killed", "timed_out"
  std::optional<int> code;  // exit status or signal number
  friend bool operator==(const OutcomeClaim&, const OutcomeClaim&) = default;
};
struct CallsClaim {  // calls: {function: cuInit, in: ollama runner, count: 1, result: 0}
  std::string function;
  CountRange count{1, std::nullopt};
  std::optional<int64_t> result;
  std::optional<std::string> in = std::nullopt;  // a part of the process's role; none: any process
  std::optional<int> device = std::nullopt;      // the ordinal that it asks about
  std::optional<std::string> arguments = std::nullopt;  // a part of them, as a trace shows them
  friend bool operator==(const CallsClaim&, const CallsClaim&) = default;
};
struct LostClaim {      // lost: {library: cuda_v12/libggml-cuda.so, at: loaded, because: "…"}
  std::string library;  // the end of its path
  Step at = Step::kListed;
  std::optional<std::string> because;               // a part of the reason
  std::optional<std::string> cause = std::nullopt;  // its word: "missing-dependency"
  std::optional<std::string> known =
      std::nullopt;  // how: "seen", "derived" from events, "asked" of the system after the run
  friend bool operator==(const LostClaim&, const LostClaim&) = default;
};
struct ReachedClaim {  // reached: {library: …, step: counted}
  std::string library;
  Step step = Step::kReported;
  std::optional<std::string> cause = std::nullopt;  // of what is odd about it: "counted-twice"
  friend bool operator==(const ReachedClaim&, const ReachedClaim&) = default;
};

struct SilentClaim {  // silent: true: something failed, and no log line says so
  bool silent = true;
  friend bool operator==(const SilentClaim&, const SilentClaim&) = default;
};
struct Claim {
  std::variant<DevicesClaim, DistributionClaim, DeviceClaim, LogClaim, LogOrderClaim, OutcomeClaim,
               LoadsClaim, SearchesClaim, DlsymClaim, LacksClaim, TakesClaim, CallsClaim, LostClaim,
               ReachedClaim, SilentClaim, ProcessClaim, FilesClaim, UnheardClaim>
      what;
  bool inverted = false;  // never written in a file; tests turn claims round to see them fail
  SourcePos pos;
  friend bool operator==(const Claim&, const Claim&) = default;
};
std::string ToString(const Claim& claim);  // "devices: 2", as the file would say it

struct Expectation {
  std::optional<std::string> run;  // none: every run. `run: [a, b]` is read as two
  std::map<std::string, std::vector<std::string>> when;  // axis -> values; all axes must match
  std::vector<Claim> claims;
  SourcePos pos;
  SourcePos run_pos = {};  // of the run's name
  bool of_fix = false;     // of the fixed runs, and of no other
  friend bool operator==(const Expectation&, const Expectation&) = default;
};

}  // namespace gpustage
