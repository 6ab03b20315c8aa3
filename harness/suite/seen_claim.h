// What a claim that does not hold would have to say: found by asking the checks themselves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/scenario/yaml/edit.h"

namespace gpustage {

struct ClaimChange {
  std::string key;  // of the claim's own map: "count"; "": the claim itself
  YamlNode value;
};

// What makes it true of this run; none: no value does. A claim is never taken away.
std::optional<std::vector<ClaimChange>> SeenInstead(const Evidence& evidence, const Claim& claim);

// What can be expected of a run of which nothing is: its devices, where one was lost, and how it
// ended where that is no usual end.
YamlNode ClaimsOf(const Evidence& evidence);

}  // namespace gpustage
