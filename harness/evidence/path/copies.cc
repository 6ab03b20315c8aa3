#include "harness/evidence/path/copies.h"

#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/failed_load.h"
#include "harness/evidence/path/places.h"

namespace gpustage {
namespace {

// Where the system's packages put libraries, on Debian's and on others.
constexpr const char* kSystems[] = {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"};

// /lib is a link to /usr/lib in every tree, as in every system of today.
std::string Merged(const std::string& path) {
  return path.starts_with("/lib/") || path.starts_with("/lib64/") ? "/usr" + path : path;
}

// `path` answered for its name, and there are others.
void AddAnswered(const Evidence& evidence, const std::string& path, const std::string& rule,
                 FunnelRow& row) {
  Fact answered;
  answered.kind = Fact::Kind::kAnswered;
  answered.subject = BaseNameOf(path);
  answered.other = path;
  answered.rule = rule;
  row.loss->because.push_back(std::move(answered));
  for (const std::string& copy : CopiesOf(evidence, BaseNameOf(path))) {
    if (Merged(copy) == Merged(path)) continue;
    Fact shadowed;
    shadowed.kind = Fact::Kind::kShadowed;
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
      reason.kind = Fact::Kind::kReason;
      reason.reasons = ReasonsOf(gap);
      row.loss->because.push_back(std::move(reason));
      return;
    }
}

// Whoever should have had what is missing; "": nobody. It may be the copy of another folder, which
// was loaded before.
std::string ProviderOf(const Evidence& evidence, const FunnelRow& row) {
  for (const Gap& gap : evidence.linkage.gaps)
    if (gap.pid == row.pid && !gap.provider.empty()) return gap.provider;
  for (const Gap& gap : evidence.linkage.gaps) {
    if (gap.pid != row.pid || gap.symbols.empty()) continue;
    const std::string symbol = gap.symbols.front().substr(0, gap.symbols.front().find('@'));
    const std::string path = LoadedAs(evidence, row.pid, ProviderName(symbol, ""));
    if (!path.empty() && path != gap.requester) return path;
  }
  return "";
}

bool LacksOfOther(const FunnelRow& row) {
  return row.cause() == Cause::kMissingSymbol || row.cause() == Cause::kMissingVersion;
}

// The system's own copies, which no scenario placed.
void AddProvider(const AfterRun& after, const Evidence& evidence, FunnelRow& row) {
  const std::string provider = ProviderOf(evidence, row);
  if (provider.empty()) return;
  AddAnswered(evidence, provider, RuleThatFound(row, provider), row);
  std::vector<std::string> ends;
  if (const Looked* const own = LookedAt(after, provider)) ends.push_back(own->end);
  for (const Fact& fact : row.loss->because)
    if (const Looked* const known = LookedAt(after, fact.subject)) ends.push_back(known->end);
  for (const std::string& path : SystemsCopies(evidence, row)) {
    const Looked* const looked = LookedAt(after, path);
    if (looked == nullptr || looked->error != 0 ||
        std::find(ends.begin(), ends.end(), looked->end) != ends.end())
      continue;
    ends.push_back(looked->end);
    Fact shadowed;
    shadowed.kind = Fact::Kind::kShadowed;
    shadowed.subject = path;
    row.loss->because.push_back(std::move(shadowed));
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
    return fact.kind == Fact::Kind::kShadowed && fact.subject == row.file;
  });
}

// Who needs what is nowhere was itself found by its bare name, and lies in another folder, too.
void AddNeedy(const Evidence& evidence, FunnelRow& row) {
  for (const Need& need : row.needs) {
    if (!need.found.empty() || need.opened) continue;
    const std::string needy = need.requester.empty() ? row.library : need.requester;
    const std::string rule =
        needy == row.library ? AskFor(evidence, row).rule : RuleThatFound(row, needy);
    const std::vector<std::string> copies = CopiesOf(evidence, BaseNameOf(needy));
    const bool others = std::any_of(copies.begin(), copies.end(), [&](const std::string& copy) {
      return Merged(copy) != Merged(needy) && copy != row.file;
    });
    if (!rule.empty() && others) AddAnswered(evidence, needy, rule, row);
    return;
  }
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
    fact.kind = Fact::Kind::kUnversioned;
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

std::vector<std::string> SystemsCopies(const Evidence& evidence, const FunnelRow& row) {
  std::vector<std::string> paths;
  const std::string provider = row.lost_at() == Step::kLoaded ? ProviderOf(evidence, row) : "";
  if (provider.empty()) return paths;
  paths.push_back(provider);
  for (const char* const folder : kSystems)
    paths.push_back(std::string(folder) + "/" + BaseNameOf(provider));
  return paths;
}

void AddCopies(const AfterRun& after, const Evidence& evidence, FunnelRow& row) {
  if (row.cause() == Cause::kLoadKills) AddUnchecked(evidence, row);
  if (LacksOfOther(row)) AddProvider(after, evidence, row);
  if (row.cause() == Cause::kMissingDependency)
    row.linked ? AddOwn(evidence, row) : AddNeedy(evidence, row);
  const bool by_name = row.linked || !AskFor(evidence, row).rule.empty();
  if (by_name && row.family != Family::kBackend) AddUnversioned(evidence, row);
}

}  // namespace gpustage
