#include "fakes/scanner/release.h"

#include <cstdlib>

namespace gpustage::ollama {
namespace {

struct Moved {
  std::string_view in_0_17;
  std::string_view in_0_13;
};

// Source: logs of both releases.
constexpr Moved kMoved[] = {
    {"routes.go:1663", "routes.go:1554"}, {"routes.go:1718", "routes.go:1607"},
    {"server.go:431", "server.go:429"},   {"server.go:432", "server.go:430"},
    {"runner.go:1411", "runner.go:1405"}, {"runner.go:1446", "runner.go:1440"},
    {"runner.go:1386", "runner.go:1380"}, {"runner.go:1391", "runner.go:1385"},
};

}  // namespace

bool IsRelease013() {
  static const char* const asked = std::getenv("GPUSTAGE_OLLAMA_RELEASE");
  return asked != nullptr && std::string_view(asked) == "0.13.5";
}

const char* Release() { return IsRelease013() ? "0.13.5" : "0.17.4"; }

std::string_view SourceIn(std::string_view source) {
  if (IsRelease013())
    for (const Moved& moved : kMoved)
      if (moved.in_0_17 == source) return moved.in_0_13;
  return source;
}

}  // namespace gpustage::ollama
