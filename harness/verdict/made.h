// How a check is put together. For the checks alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/verdict/checks.h"

namespace gpustage {

inline Check Made(bool ok, std::string seen, EventId event) {
  Check check;
  check.ok = ok;
  check.seen = std::move(seen);
  check.event = event;
  return check;
}

inline Check Unknown(std::string why, EventId event) {
  Check check = Made(false, std::move(why), event);
  check.unknown = true;
  return check;
}

// A claim about what the kernel was asked, where that was not watched.
Check FilesUnseen(const Evidence& evidence);

bool Matches(const LinePattern& pattern, const std::string& text);
// Those whose role has it in it.
std::vector<const Process*> ProcessesOf(const Evidence& evidence, const std::string& role);

}  // namespace gpustage
