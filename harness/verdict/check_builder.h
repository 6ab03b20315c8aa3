// How a check is put together. For the checks alone.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/verdict/checks.h"

namespace gpustage {

inline Check MakeCheck(bool ok, std::string seen, EventId event) {
  Check check;
  check.ok = ok;
  check.seen = std::move(seen);
  check.event = event;
  return check;
}

inline Check Unobservable(std::string why, EventId event) {
  Check check = MakeCheck(false, std::move(why), event);
  check.unknown = true;
  return check;
}

// A claim about what the kernel was asked, where that was not watched.
Check FilesUnseen(const Evidence& evidence);

// Whether `path` is what a scenario calls `library`: itself, or the end of it after a '/'.
bool Names(const std::string& path, const std::string& library);

bool Matches(const LinePattern& pattern, const std::string& text);
// Those whose role has it in it.
std::vector<const Process*> ProcessesOf(const Evidence& evidence, const std::string& role);

// The processes that a claim is about.
class Within {
 public:
  // `role` is a part of theirs; none: all processes.
  Within(const Evidence& evidence, const std::optional<std::string>& role);
  bool Has(int pid) const;
  size_t size() const { return processes_.size(); }
  // Why nobody can say that their loaders did nothing; "" when it can be said.
  std::string LoaderUnseen() const;

 private:
  const Evidence& evidence_;
  std::optional<std::string> role_;
  std::vector<const Process*> processes_;
};

}  // namespace gpustage
