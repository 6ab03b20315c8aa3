// Why a device did not get further, as a word. Each has one sentence: tests/golden/causes.md shows
// them all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpustage {

enum class Cause {
  kUnknown,  // what is known of it stands in the reason
  // listed
  kUnlistable,
  kNeverListed,
  // matched
  kNoNameMatches,
  kFiltered,
  kNotTried,
  // opened
  kUnopenable,
  // loaded: the file itself
  kNotFound,
  kUnreadable,
  kNotElf,
  kTooShort,
  kWrongClass,
  kWrongMachine,
  kNotLoadable,
  // loaded: what it needs
  kMissingDependency,
  kBadDependency,
  kMissingSymbol,
  kMissingVersion,
  kPartialLibrary,
  // loaded: how it ended
  kLoadKills,
  // entry point
  kNoEntryPoint,
  // initialised
  kNullEntryPoint,
  kOtherApiVersion,
  kInitError,
  kCrashed,
  kHung,
  kNeverAsked,
  // counted
  kMasked,
  kNoDevice,
  kCountError,
  kCountedElsewhere,
  // reported, or not
  kLayoutMismatch,
  kSecondPass,
  kTooOld,
  kDuplicate,
  kOverlap,
  kDropped,
  kCountedTwice,
};
std::string ToString(Cause cause);  // "missing-dependency"
std::optional<Cause> ParseCause(std::string_view text);
std::vector<std::string> CauseWords();

}  // namespace gpustage
