// Links that lead nowhere or to where the user may not go, and the order of what is searched.
#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/diagnose/propose.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

bool IsThere(const FlatTree& tree, const std::string& path) {
  return HasPath(tree, RealPath(tree, path));
}

// Where the same text would lead, read from the root or from the link's own directory.
std::string OtherReading(const std::string& path, const std::string& text) {
  return LexicallyNormal(text.starts_with('/') ? ParentOf(path) + text : "/" + text);
}

// A link that leads nowhere: its text relative or absolute, or to a file of that name elsewhere.
void ProposeTargets(const FlatTree& tree, const std::string& path, const std::string& text,
                    std::vector<Intervention>& all) {
  const std::string other = OtherReading(path, text);
  if (IsThere(tree, other))
    all.push_back(
        Change(Kind::kLink, kLacked, path, text.starts_with('/') ? text.substr(1) : "/" + text));
  constexpr size_t kMost = 2;
  size_t count = 0;
  for (const std::string& file : FilesNamed(tree, BaseNameOf(text)))
    if (file != path && RealPath(tree, file) != RealPath(tree, path) && count++ < kMost)
      all.push_back(Change(Kind::kLink, kElsewhere, path, file));
}

// The last names of a file, and of links that end at it.
std::set<std::string> NamesOf(const FlatTree& tree, const std::string& file) {
  std::set<std::string> names = {BaseNameOf(file)};
  for (const auto& [path, entry] : tree)
    if (entry.kind == FlatEntry::Kind::kLink && RealPath(tree, path) == file)
      names.insert(BaseNameOf(path));
  return names;
}

}  // namespace

void ProposeOrders(const EnvVar& variable, int tier, std::vector<Intervention>& all) {
  constexpr size_t kMost = 6;
  std::vector<std::string> entries;
  for (size_t start = 0; start <= variable.value->size();) {
    const size_t end = std::min(variable.value->find(':', start), variable.value->size());
    entries.push_back(variable.value->substr(start, end - start));
    start = end + 1;
  }
  for (size_t i = 1; i < entries.size() && i < kMost; ++i) {
    std::vector<std::string> order = entries;
    std::rotate(order.begin(), order.begin() + static_cast<ptrdiff_t>(i),
                order.begin() + static_cast<ptrdiff_t>(i) + 1);
    std::string value;
    for (const std::string& entry : order) value += (value.empty() ? "" : ":") + entry;
    all.push_back(Change(Kind::kSetVariable, tier, variable.name, value));
  }
}

void ProposeLinks(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all) {
  for (const auto& [path, entry] : flat.tree) {
    if (entry.kind != FlatEntry::Kind::kLink || looked.paths.count(path) == 0) continue;
    const std::string end = RealPath(flat.tree, path);
    if (!HasPath(flat.tree, end)) ProposeTargets(flat.tree, path, entry.text, all);
    // Who may not go where it leads may have a copy.
    const bool refused =
        std::any_of(looked.refused.begin(), looked.refused.end(), [&](const Refusal& refusal) {
          return refusal.path == path || RealPath(flat.tree, refusal.path) == end;
        });
    if (refused) all.push_back(Change(Kind::kCopy, kElsewhere, path, end));
  }
}

void ProposeOrder(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all) {
  // It is older than what it is of, or gone.
  if (flat.tree.count(kLoaderCache) != 0)
    all.push_back(Change(Kind::kRefreshCache, kElsewhere, kLoaderCache));
  for (const EnvVar& variable : flat.c.env)
    if (variable.value && variable.name == "LD_LIBRARY_PATH") ProposeOrders(variable, kOrder, all);
  // Another copy of what was loaded comes first: for this program, or in the loader's own list.
  const std::string was = VariableOf(flat, "LD_LIBRARY_PATH").value_or("");
  for (const std::string& path : looked.loaded) {
    if (looked.failed_calls.empty() && !IsNamed(looked.loss, flat.tree, path)) continue;
    for (const std::string& name : NamesOf(flat.tree, path))
      for (const std::string& other : FilesNamed(flat.tree, name)) {
        if (RealPath(flat.tree, other) == path) continue;
        const std::string directory = ParentOf(other);
        all.push_back(Change(Kind::kSetVariable, kOrder, "LD_LIBRARY_PATH",
                             directory + (was.empty() ? "" : ":" + was)));
        all.push_back(Change(Kind::kSearch, kOrder, "/etc/ld.so.conf", directory));
      }
  }
}

}  // namespace gpustage
