// How claims are read: what their groups share. For read_expect.cc and the readers of its groups
// alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/scenario/model/claim.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {

// 2, {at_least: 1}, {at_least: 1, at_most: 3}
Result<CountRange> ReadCount(const YamlNode& node, std::string_view what);
// The count: of a claim, if it is there.
Status ReadTimes(const YamlNode& claim, std::string_view what, CountRange& count);
inline constexpr std::string_view kRole = "a part of the role of a process";
// Non-empty text of this key, if it is there.
Status ReadInto(const YamlNode& claim, std::string_view key, std::string_view what,
                std::optional<std::string>& value);

// read_distribution.cc
Result<DistributionClaim> ReadDistribution(const YamlNode& node);

// read_loader.cc
Result<LoadsClaim> ReadLoads(const YamlNode& node);
Result<LoadsClaim> ReadLoadsNot(const YamlNode& node);
Result<SearchesClaim> ReadSearches(const YamlNode& node);
Result<DlsymClaim> ReadDlsym(const YamlNode& node);
Result<LacksClaim> ReadLacks(const YamlNode& node);
Result<TakesClaim> ReadTakes(const YamlNode& node);

}  // namespace gpustage
