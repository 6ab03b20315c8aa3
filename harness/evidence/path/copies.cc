#include "harness/evidence/path/copies.h"

#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/path/failed_load.h"

namespace gpustage {
namespace {

using Kind = Fact::Kind;

// /lib is a link to /usr/lib in every tree, as in every system of today.
std::string Merged(const std::string& path) {
  return path.starts_with("/lib/") || path.starts_with("/lib64/") ? "/usr" + path : path;
}

// `path` answered for its name, and there are others.
void AddAnswered(const Evidence& evidence, const std::string& path, const std::string& rule,
                 FunnelRow& row) {
  Fact answered;
  answered.kind = Kind::kAnswered;
  answered.subject = BaseNameOf(path);
  answered.other = path;
  answered.rule = rule;
  row.loss->because.push_back(std::move(answered));
  for (const std::string& copy : CopiesOf(evidence, BaseNameOf(path))) {
    if (Merged(copy) == Merged(path)) continue;
    Fact shadowed;
    shadowed.kind = Kind::kShadowed;
    shadowed.subject = copy;
    row.loss->because.push_back(std::move(shadowed));
  }
}

std::string RuleThatFound(const FunnelRow& row, const std::string& path) {
  for (const Need& need : row.needs)
    if (need.found == path) return need.rule;
  return "";
}

// What is loaded in its process under a name that begins so; "": nothing.
std::string LoadedAs(const Evidence& evidence, int pid, const std::string& name) {
  if (name.empty()) return "";
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kLoad && event.pid == pid &&
        BaseNameOf(event.subject).starts_with(name))
      return event.subject;
  return "";
}

void AddUnchecked(const Evidence& evidence, FunnelRow& row) {
  for (const Gap& gap : evidence.linkage.gaps)
    if (gap.pid == row.pid && gap.unversioned) {
      Fact reason;
      reason.kind = Kind::kReason;
      reason.reasons = ReasonsOf(gap);
      row.loss->because.push_back(std::move(reason));
      return;
    }
}

// Whoever should have had a symbol may be the copy of another folder, which was loaded before.
void AddProvider(const Evidence& evidence, FunnelRow& row) {
  for (const Gap& gap : evidence.linkage.gaps)
    if (gap.pid == row.pid && !gap.provider.empty())
      return AddAnswered(evidence, gap.provider, RuleThatFound(row, gap.provider), row);
  for (const Gap& gap : evidence.linkage.gaps) {
    if (gap.pid != row.pid || gap.symbols.empty()) continue;
    const std::string symbol = gap.symbols.front().substr(0, gap.symbols.front().find('@'));
    const std::string path = LoadedAs(evidence, row.pid, ProviderName(symbol, ""));
    if (path.empty() || path == gap.requester) continue;
    return AddAnswered(evidence, path, RuleThatFound(row, path), row);
  }
}

// What was asked for by its bare name and found, and is another folder's, too.
void AddOwn(const Evidence& evidence, FunnelRow& row) {
  const std::vector<std::string> copies = CopiesOf(evidence, BaseNameOf(row.library));
  const bool others = std::any_of(copies.begin(), copies.end(), [&](const std::string& copy) {
    return Merged(copy) != Merged(row.library) && copy != row.file &&
           ParentOf(copy) != ParentOf(row.file.empty() ? row.library : row.file);
  });
  if (!others || !row.library.starts_with('/')) return;
  AddAnswered(evidence, row.library, row.rule, row);
  std::erase_if(row.loss->because, [&](const Fact& fact) {
    return fact.kind == Kind::kShadowed && fact.subject == row.file;
  });
}

// "libcublas.so" is what one links with; programs that run are given "libcublas.so.12".
void AddUnversioned(const Evidence& evidence, FunnelRow& row) {
  const std::string name = BaseNameOf(row.library);
  if (!name.ends_with(".so")) return;
  for (const std::string& path : evidence.setting.libraries) {
    const std::string other = BaseNameOf(path);
    const std::string version = other.starts_with(name + ".") ? other.substr(name.size() + 1) : "";
    if (version.empty() || version.find('.') != std::string::npos ||
        ParentOf(path) == ParentOf(row.library))
      continue;
    Fact fact;
    fact.kind = Kind::kUnversioned;
    fact.subject = name;
    fact.other = path;
    row.loss->because.push_back(std::move(fact));
    return;
  }
}

}  // namespace

std::vector<std::string> CopiesOf(const Evidence& evidence, const std::string& name) {
  std::vector<std::string> copies;
  for (const std::string& path : evidence.setting.libraries)
    if (BaseNameOf(path) == name) copies.push_back(path);
  return copies;
}

void AddCopies(const Evidence& evidence, FunnelRow& row) {
  if (row.cause() == Cause::kLoadKills) AddUnchecked(evidence, row);
  if (row.cause() == Cause::kMissingSymbol || row.cause() == Cause::kMissingVersion)
    AddProvider(evidence, row);
  if (row.cause() == Cause::kMissingDependency && row.linked) AddOwn(evidence, row);
  if (row.linked && row.family != Family::kBackend) AddUnversioned(evidence, row);
}

}  // namespace gpustage
