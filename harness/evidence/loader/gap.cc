#include "harness/evidence/loader/linkage.h"

namespace gpustage {

std::vector<Reason> ReasonsOf(const Gap& gap) {
  using Kind = Reason::Kind;
  std::vector<Reason> reasons;
  const auto add = [&](Kind kind, const std::vector<std::string>& names) {
    reasons.push_back(
        {.kind = kind, .subject = gap.provider, .requester = gap.requester, .names = names});
  };
  if (gap.unversioned) add(Kind::kNoVersions, {});
  if (!gap.versions.empty()) add(Kind::kVersionsMissing, gap.versions);
  if (!gap.symbols.empty()) add(Kind::kSymbolsMissing, gap.symbols);
  return reasons;
}

}  // namespace gpustage
