#include "harness/scenario/model/tree_group.h"

#include <map>
#include <string>

namespace gpustage {
namespace {

void PutStandIns(const std::map<std::string, LibrarySource>& stand_ins, std::vector<TreeOp>& tree) {
  for (TreeOp& op : tree)
    if (auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
        placed != nullptr && placed->source.kind == LibrarySource::Kind::kFake)
      if (const auto other = stand_ins.find(placed->source.name); other != stand_ins.end())
        placed->source = other->second;
}

}  // namespace

std::vector<TreeGroup> GroupByTree(const Case& c) {
  std::vector<TreeGroup> groups;
  for (const bool usual : {false, true}) {
    const auto is_of_it = [&](const RunSpec& run) {
      return run.scanner.missing.empty() && run.scanner.stand_ins.empty() == usual;
    };
    TreeGroup group = {c, {}};
    for (size_t i = 0; i < c.runs.size(); ++i)
      if (is_of_it(c.runs[i])) group.places.push_back(i);
    if (group.places.empty()) continue;
    DropRuns(group.c.runs, [&](const RunSpec& run) { return !is_of_it(run); });
    for (const RunSpec& run : group.c.runs) PutStandIns(run.scanner.stand_ins, group.c.tree);
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace gpustage
