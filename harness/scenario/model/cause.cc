#include "harness/scenario/model/cause.h"

#include <iterator>

namespace gpustage {
namespace {

constexpr std::string_view kWords[] = {"unknown",
                                       "unlistable",
                                       "never-listed",
                                       "no-name-matches",
                                       "filtered",
                                       "not-tried",
                                       "unopenable",
                                       "not-found",
                                       "unreadable",
                                       "not-elf",
                                       "too-short",
                                       "wrong-class",
                                       "wrong-machine",
                                       "not-loadable",
                                       "missing-dependency",
                                       "bad-dependency",
                                       "missing-symbol",
                                       "missing-version",
                                       "partial-library",
                                       "load-kills",
                                       "no-entry-point",
                                       "null-entry-point",
                                       "other-api-version",
                                       "init-error",
                                       "crashed",
                                       "hung",
                                       "never-asked",
                                       "masked",
                                       "no-device",
                                       "count-error",
                                       "counted-elsewhere",
                                       "layout-mismatch",
                                       "second-pass",
                                       "too-old",
                                       "duplicate",
                                       "overlap",
                                       "dropped",
                                       "counted-twice"};
static_assert(std::size(kWords) == static_cast<size_t>(Cause::kCountedTwice) + 1);

}  // namespace

std::string ToString(Cause cause) { return std::string(kWords[static_cast<size_t>(cause)]); }

std::vector<std::string> CauseWords() { return {std::begin(kWords), std::end(kWords)}; }

std::optional<Cause> ParseCause(std::string_view text) {
  for (size_t i = 0; i < std::size(kWords); ++i)
    if (kWords[i] == text) return static_cast<Cause>(i);
  return std::nullopt;
}

}  // namespace gpustage
