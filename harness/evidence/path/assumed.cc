#include "harness/evidence/path/assumed.h"

#include <fmt/format.h>

#include <set>

namespace gpustage {

std::vector<std::string> AssumedReads(const Evidence& evidence) {
  std::vector<std::string> reads;
  std::set<std::string> known;
  for (const Event& event : evidence.events) {
    if (!event.assumed) continue;
    std::string read = fmt::format("{}({})", event.subject, event.detail);
    if (known.insert(read).second) reads.push_back(std::move(read));
  }
  return reads;
}

}  // namespace gpustage
