#include <iterator>

#include "harness/evidence/evidence.h"

namespace gpustage {
namespace {

constexpr const char* kKnown[] = {"not observable", "seen", "derived",
                                  "asked"};  // in the order of Known

}  // namespace

std::string ToString(Known known) { return kKnown[static_cast<size_t>(known)]; }

std::optional<Known> ParseKnown(const std::string& word) {
  for (size_t i = 0; i < std::size(kKnown); ++i)
    if (word == kKnown[i]) return static_cast<Known>(i);
  return std::nullopt;
}

std::string ToString(EventKind kind) {
  switch (kind) {
    case EventKind::kProcess: return "process";
    case EventKind::kSearch: return "search";
    case EventKind::kLoad: return "load";
    case EventKind::kUnload: return "unload";
    case EventKind::kSymbol: return "symbol";
    case EventKind::kSymbolMissing: return "miss";
    case EventKind::kBinding: return "binding";
    case EventKind::kCall: return "call";
    case EventKind::kNote: return "note";
    case EventKind::kLog: return "log";
    case EventKind::kOutcome: return "outcome";
    case EventKind::kOpen: return "open";
    case EventKind::kLook: return "look";
    case EventKind::kList: return "list";
    case EventKind::kExec: return "exec";
    case EventKind::kOutput: return "output";
    case EventKind::kExit: return "exit";
  }
  return "";
}

std::optional<EventKind> ParseEventKind(const std::string& word) {
  for (int i = 0; !ToString(static_cast<EventKind>(i)).empty(); ++i)
    if (ToString(static_cast<EventKind>(i)) == word) return static_cast<EventKind>(i);
  return std::nullopt;
}

}  // namespace gpustage
