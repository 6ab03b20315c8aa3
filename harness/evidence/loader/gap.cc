#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/evidence/loader/linkage.h"

namespace gpustage {
namespace {

constexpr size_t kShown = 3;  // symbols of a gap, in a sentence

std::string Some(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kShown);
  return fmt::format("{}{}",
                     fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(shown), ", "),
                     shown < names.size() ? fmt::format(" and {} more", names.size() - shown) : "");
}

}  // namespace

std::string ToString(const Gap& gap) {
  const std::string who = gap.requester.empty() ? "the program" : gap.requester;
  const std::string provider = gap.provider;
  std::string text;
  const auto add = [&](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
  if (gap.unversioned)
    add(fmt::format("{} has no version information at all, and {} was built against one that has",
                    provider, who));
  if (!gap.versions.empty())
    add(fmt::format("{} does not define the version{} {} that {} needs", provider,
                    gap.versions.size() == 1 ? "" : "s", Some(gap.versions), who));
  if (!gap.symbols.empty())
    add(fmt::format(
        "{} {}, which {} needs",
        provider.empty() ? "no library that was loaded has" : provider + " does not have",
        Some(gap.symbols), who));
  return text;
}

}  // namespace gpustage
