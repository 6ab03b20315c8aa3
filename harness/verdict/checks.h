// One claim held against the evidence of one run. The sentences here are what a user reads, in a
// report and from a GoogleMock matcher alike.
#pragma once

#include <optional>
#include <string>

#include "harness/evidence/evidence.h"
#include "harness/scenario/model/claim.h"

namespace gpustage {

// What one claim found.
struct Check {
  bool ok = false;
  bool unknown = false;  // it could not be observed: an error, never a pass
  std::string expected;  // "devices: 2"
  std::string seen;      // "1 device: NVIDIA H100 80GB HBM3 through /usr/local/…/libggml-cuda.so"
  EventId event = 0;     // what to look at first; exists in the evidence
  // What the event alone does not say: why devices are missing, a crash's last words. "": it is
  // all.
  std::string because = "";
  std::optional<SourcePos> pos;

  friend bool operator==(const Check&, const Check&) = default;
};

Check CheckDevices(const Evidence& evidence, const DevicesClaim& claim);
Check CheckCountIsStated(
    const Evidence& evidence,
    const DistributionClaim& claim);  // of one start; distribution.h is of many
Check CheckDevice(const Evidence& evidence, const DeviceClaim& claim);
Check CheckLog(const Evidence& evidence, const LogClaim& claim);
Check CheckLogOrder(const Evidence& evidence, const LogOrderClaim& claim);
Check CheckOutcome(const Evidence& evidence, const OutcomeClaim& claim);
Check CheckLoads(const Evidence& evidence, const LoadsClaim& claim);
Check CheckSearches(const Evidence& evidence, const SearchesClaim& claim);
Check CheckDlsym(const Evidence& evidence, const DlsymClaim& claim);
Check CheckLacks(const Evidence& evidence, const LacksClaim& claim);
Check CheckTakes(const Evidence& evidence, const TakesClaim& claim);
Check CheckCalls(const Evidence& evidence, const CallsClaim& claim);
Check CheckLost(const Evidence& evidence, const LostClaim& claim);
Check CheckSilent(const Evidence& evidence, const SilentClaim& claim);
Check CheckProcess(const Evidence& evidence, const ProcessClaim& claim);
Check CheckReached(const Evidence& evidence, const ReachedClaim& claim);
Check CheckFiles(const Evidence& evidence, const FilesClaim& claim);
Check CheckUnheard(const Evidence& evidence, const UnheardClaim& claim);

// Whether evidence of this level can say anything about the claim.
bool CanJudge(EvidenceLevel level, const Claim& claim);

// Whichever it is. An inverted claim is ok when it would not have been; what is unknown stays
// unknown.
Check CheckClaim(const Evidence& evidence, const Claim& claim);

// "2 devices: A through /x, B through /y"; "0 devices, lost at loaded: …".
std::string DevicesSeen(const Evidence& evidence);

}  // namespace gpustage
