#include "harness/evidence/path/funnel.h"

#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/path/asked.h"
#include "harness/evidence/path/chain.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/path/row_builder.h"

namespace gpustage {

bool IsBackendName(const std::string& base_name) {
  return FamilyOfLibrary(base_name) == Family::kBackend;
}

void BuildFunnel(const std::vector<std::string>& candidates, Evidence& evidence) {
  std::vector<Asked> asked = WhoAsked(evidence, candidates);
  for (const std::string& library : candidates)
    if (std::none_of(asked.begin(), asked.end(),
                     [&](const Asked& known) { return known.library == library && !known.inner; }))
      asked.push_back({library, 0, false});
  std::stable_sort(asked.begin(), asked.end(), [](const Asked& a, const Asked& b) {
    return std::pair(a.library, a.pid) < std::pair(b.library, b.pid);
  });
  for (const Asked& one : asked)
    if (one.pid != 0)
      (one.inner ? evidence.inner : evidence.funnel)
          .push_back(BuildRow(evidence, one.library, one.pid));
  // What was opened by another name of the same file was opened.
  for (const Asked& one : asked)
    if (one.pid == 0 && std::none_of(evidence.funnel.begin(), evidence.funnel.end(),
                                     [&](const FunnelRow& row) { return row.file == one.library; }))
      evidence.funnel.push_back(BuildRow(evidence, one.library, 0));
  DropWhatIsNoLoss(evidence);
  std::stable_sort(evidence.funnel.begin(), evidence.funnel.end(),
                   [](const FunnelRow& a, const FunnelRow& b) { return a.library < b.library; });
  LinkLosses(evidence);
}

}  // namespace gpustage
