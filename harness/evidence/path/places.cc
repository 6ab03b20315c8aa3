#include "harness/evidence/path/places.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include "harness/base/files.h"
#include "harness/evidence/path/around.h"
#include "harness/evidence/path/chain.h"
#include "harness/evidence/path/copies.h"

namespace gpustage {

const Looked* LookedAt(const AfterRun& after, const std::string& path) {
  for (const Looked& looked : after.looked)
    if (looked.path == path) return &looked;
  return nullptr;
}

namespace {

Fact PlaceFact(const Looked& looked, int uid) {
  Fact place;
  place.kind = Fact::Kind::kPlace;
  place.subject = looked.end;
  place.other = looked.path;
  place.error = looked.error;
  place.number = looked.entering ? 1 : 0;
  place.uid = uid;
  place.mode = looked.mode;
  place.owner = looked.owner;
  return place;
}

// Where a path leads, and which of its components stops whoever goes there.
void AddPlace(const AfterRun& after, const std::string& path, std::vector<Fact>& facts) {
  const Looked* const looked = LookedAt(after, path);
  if (looked == nullptr || looked->error == 0) return;
  // That it is not there itself is said already.
  if (looked->error == ENOENT && looked->end == path && looked->links.empty()) return;
  for (const auto& [link, to] : looked->links) {
    Fact fact;
    fact.kind = Fact::Kind::kLink;
    fact.subject = link;
    fact.other = to;
    if (facts.size() < 4) facts.push_back(std::move(fact));
  }
  facts.push_back(PlaceFact(*looked, after.uid));
}

const Event* FailedCall(const Evidence& evidence, const FunnelRow& row) {
  if (!row.loss || row.event == 0 || row.loss->at < Step::kInitialised) return nullptr;
  const Event& event = evidence.At(row.event);
  return event.kind == EventKind::kCall ? &event : nullptr;
}

// What lets itself be opened in a node's place, and is none.
void AddWrongNodes(const AfterRun& after, const Evidence& evidence, FunnelRow& row) {
  const Event* const call = FailedCall(evidence, row);
  if (call == nullptr) return;
  for (Fact& node : NodesOpened(evidence, *call)) {
    const Looked* const looked = LookedAt(after, node.subject);
    if (looked == nullptr || looked->error != 0 || looked->is_node) continue;
    std::erase_if(row.loss->because,
                  [](const Fact& fact) { return fact.kind == Fact::Kind::kNothing; });
    node.mode = looked->mode;
    row.loss->because.insert(row.loss->because.begin(), std::move(node));
  }
}

// The library that was looked for in vain; "": it was lost for another reason.
std::string LookedForInVain(const FunnelRow& row) {
  if (row.cause() == Cause::kNotFound) return BaseNameOf(row.library);
  if (row.cause() != Cause::kMissingDependency) return "";
  for (const Need& need : row.needs)
    if (need.found.empty() && !need.opened) return BaseNameOf(need.name);
  return "";
}

// Another loader than the system's has a cache of its own, or none; a program may have been another
// before, with the system's.
bool AskedCache(const Evidence& evidence, const FunnelRow& row) {
  if (!evidence.files_observed) return true;
  bool asked = false;
  for (const Event& event : evidence.events) {
    if (row.event != 0 && event.id > row.event) break;
    if (event.pid != row.pid) continue;
    if (event.kind == EventKind::kExec && event.value <= 0) asked = false;
    asked = asked || (event.kind == EventKind::kOpen && event.value <= 0 &&
                      event.subject == "/etc/ld.so.cache");
  }
  return asked;
}

// Whether the library that asks in vain has a RUNPATH or an RPATH of its own.
bool HasRunpath(const FunnelRow& row) {
  return std::any_of(row.needs.begin(), row.needs.end(), [](const Need& need) {
    return std::any_of(need.tried.begin(), need.tried.end(), [](const Tried& tried) {
      return tried.rule.ends_with("RUNPATH") || tried.rule.ends_with("RPATH");
    });
  });
}

// Another library of the process has a RUNPATH that would have led to it.
void AddRunpath(const AfterRun& after, const Evidence& evidence, const std::string& name,
                FunnelRow& row) {
  const auto need = std::find_if(row.needs.begin(), row.needs.end(), [&](const Need& n) {
    return n.found.empty() && !n.opened && BaseNameOf(n.name) == name;
  });
  for (const OwnPath& own : evidence.linkage.own_paths) {
    const std::string path = own.folder + "/" + name;
    const Looked* const looked = LookedAt(after, path);
    if (own.pid != row.pid || looked == nullptr || looked->error != 0) continue;
    Fact fact;
    fact.kind = Fact::Kind::kRunpath;
    fact.subject = path;
    fact.other = own.library;
    const bool itself = need == row.needs.end() || need->requester.empty() ||
                        LexicallyNormal(need->requester) == row.library;
    fact.names = {itself ? row.library : need->requester};
    if (itself && !row.file.empty() && row.file != row.library) fact.names.push_back(row.file);
    row.loss->because.push_back(std::move(fact));
    return;
  }
}

// Where it lies instead; of the driver's, what of the same driver is there without it.
void AddElsewhere(const AfterRun& after, const Evidence& evidence, FunnelRow& row) {
  const std::string name = LookedForInVain(row);
  if (name.empty()) return;
  const auto is_there = [&](const std::string& path) {
    const Looked* const looked = LookedAt(after, path);
    return looked != nullptr && looked->error == 0;
  };
  bool any = false;
  for (const std::string& path : CopiesOf(evidence, name)) {
    if (!is_there(path)) continue;
    Fact copy;
    copy.kind = Fact::Kind::kElsewhere;
    copy.subject = path;
    copy.other = name;
    if (AskedCache(evidence, row)) copy.rule = "ld.so.cache";
    copy.number = HasRunpath(row) ? 0 : 1;
    row.loss->because.push_back(std::move(copy));
    any = true;
  }
  AddRunpath(after, evidence, name, row);
  if (any || FamilyOfLibrary(name) != Family::kDriver) return;
  for (const std::string& path : CopiesOf(evidence, "libnvidia-ml.so.1"))
    if (is_there(path)) {
      Fact sibling;
      sibling.kind = Fact::Kind::kSibling;
      sibling.subject = path;
      sibling.other = name;
      row.loss->because.push_back(std::move(sibling));
      break;
    }
  // Whoever has a toolkit may take it for a driver.
  for (const std::string& path : evidence.setting.libraries)
    if (FamilyOfLibrary(BaseNameOf(path)) == Family::kRuntime &&
        ParentOf(path) != ParentOf(row.library)) {
      Fact toolkit;
      toolkit.kind = Fact::Kind::kToolkit;
      toolkit.subject = path;
      row.loss->because.push_back(std::move(toolkit));
      break;
    }
  const Process* const process = row.pid == 0 ? nullptr : ProcessOf(evidence, row.pid);
  if (const auto value = VariableOf(process, "NVIDIA_DRIVER_CAPABILITIES")) {
    Fact mask;
    mask.kind = Fact::Kind::kMask;
    mask.subject = "NVIDIA_DRIVER_CAPABILITIES";
    mask.other = *value;
    row.loss->because.push_back(std::move(mask));
  }
}

// The nodes that a program of NVIDIA's opens, one after the other.
std::vector<std::string> NodesOfDriver(const Evidence& evidence) {
  std::vector<std::string> nodes = {"/dev/nvidiactl"};
  for (int i = 0; i < evidence.setting.devices; ++i)
    nodes.push_back("/dev/nvidia" + std::to_string(i));
  nodes.emplace_back("/dev/nvidia-uvm");
  return nodes;
}

const Fact* RefusedNode(const FunnelRow& row) {
  for (const Fact& fact : row.loss->because)
    if (fact.kind == Fact::Kind::kNode && fact.error != 0 &&
        fact.subject.starts_with("/dev/nvidia"))
      return &fact;
  return nullptr;
}

// A program stops at the first node that refuses; whoever mends that one meets the next.
void AddAlso(const AfterRun& after, const Evidence& evidence, FunnelRow& row) {
  const Fact* const refused = RefusedNode(row);
  if (refused == nullptr) return;
  // Those that refuse alike first, and then those that are not there, or are and refuse.
  const int first = refused->error;
  std::map<int, std::vector<std::string>> by_error;
  for (const std::string& node : NodesOfDriver(evidence)) {
    const bool told = std::any_of(row.loss->because.begin(), row.loss->because.end(),
                                  [&](const Fact& fact) { return fact.subject == node; });
    const Looked* const looked = LookedAt(after, node);
    // NVML asks nothing of nvidia-uvm.
    const bool other = looked != nullptr && looked->error != first &&
                       row.family == Family::kManagement && node == "/dev/nvidia-uvm";
    if (!told && !other && looked != nullptr && looked->error != 0)
      by_error[looked->error].push_back(node);
  }
  std::vector<Fact> more;
  for (const bool alike : {true, false})
    for (const auto& [error, nodes] : by_error) {
      if ((error == first) != alike) continue;
      Fact also;
      also.kind = Fact::Kind::kAlso;
      also.names = nodes;
      also.error = error;
      also.number = alike ? 1 : 0;
      more.push_back(std::move(also));
    }
  std::vector<std::string> given;
  if (const Event* const call = FailedCall(evidence, row))
    for (const Fact& node : NodesOpened(evidence, *call))
      if (node.subject != refused->subject) given.insert(given.begin(), node.subject);
  if (!given.empty()) {
    Fact opened;
    opened.kind = Fact::Kind::kOpened;
    opened.names = std::move(given);
    opened.number = 1;
    more.push_back(std::move(opened));
  }
  row.loss->because.insert(row.loss->because.end(), more.begin(), more.end());
}

// What stopped a scanner before it came to any library.
void AddRefused(const AfterRun& after, const Evidence& evidence, FunnelRow& row) {
  if (row.pid != 0 || row.loss->at > Step::kMatched) return;
  const Event* const refused = RefusedAndTold(evidence);
  if (refused == nullptr) return;
  Fact fact;
  fact.kind = Fact::Kind::kRefused;
  fact.subject = refused->subject;
  fact.error = static_cast<int>(refused->value);
  fact.event = refused->id;
  row.loss->because.push_back(std::move(fact));
  AddLinkThere(after, evidence, *refused, row.loss->because);
  AddPlace(after, refused->subject, row.loss->because);
}

}  // namespace

void AddPlaces(const AfterRun& after, Evidence& evidence) {
  for (auto* rows : {&evidence.funnel, &evidence.inner})
    for (FunnelRow& row : *rows) {
      if (!row.loss) continue;
      AddWrongNodes(after, evidence, row);
      std::vector<Fact> more;
      for (const Fact& fact : row.loss->because)
        if (fact.kind == Fact::Kind::kNode) AddPlace(after, fact.subject, more);
      const bool of_path = row.cause() == Cause::kUnlistable || row.cause() == Cause::kUnopenable ||
                           row.cause() == Cause::kUnreadable || row.cause() == Cause::kNeverListed;
      if (of_path) {
        AddPlace(after, ParentOf(row.library), more);
        if (more.empty() && row.cause() != Cause::kNeverListed) AddPlace(after, row.library, more);
      }
      row.loss->because.insert(row.loss->because.end(), more.begin(), more.end());
      AddRefused(after, evidence, row);
      for (Fact& fact : AroundUntried(after, evidence, row))
        row.loss->because.push_back(std::move(fact));
      AddElsewhere(after, evidence, row);
      AddCopies(after, evidence, row);
      AddAlso(after, evidence, row);
      AddCompatLink(after, row);
      AddIgnored(evidence, row);
      AddAdvice(evidence, row);
      AddContainer(after, evidence, row);
    }
  std::vector<Fact> all;
  for (const Fact& fact : evidence.missing) {
    all.push_back(fact);
    std::vector<Fact> more;
    if (fact.kind == Fact::Kind::kNode) AddPlace(after, fact.subject, more);
    all.insert(all.end(), more.begin(), more.end());
  }
  evidence.missing = std::move(all);
}

std::vector<std::string> PathsToLook(const Evidence& evidence) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& path) {
    if (path.starts_with('/') && std::find(paths.begin(), paths.end(), path) == paths.end())
      paths.push_back(path);
  };
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows) {
      if (!row.loss) continue;
      if (row.loss->at <= Step::kLoaded) {
        add(row.library);
        add(ParentOf(row.library));
      }
      for (const Fact& fact : row.loss->because)
        if (fact.kind == Fact::Kind::kNode) add(fact.subject);
      if (const Event* const call = FailedCall(evidence, row))
        for (const Fact& node : NodesOpened(evidence, *call)) add(node.subject);
      for (const std::string& path : SystemsCopies(evidence, row)) add(path);
      if (row.loss->code != 0) add(kToolkit);
      if (RefusedNode(row) != nullptr)
        for (const std::string& node : NodesOfDriver(evidence)) add(node);
      if (row.loss->at <= Step::kLoaded)
        for (const std::string& name : {LookedForInVain(row), std::string("libnvidia-ml.so.1")})
          for (const std::string& copy : CopiesOf(evidence, name)) add(copy);
    }
  for (const Fact& fact : evidence.missing)
    if (fact.kind == Fact::Kind::kNode) add(fact.subject);
  if (const Event* const refused = RefusedAndTold(evidence)) {
    add(refused->subject);
    for (const std::string& path : AskedBefore(evidence, *refused)) add(path);
  }
  bool any = false, untried = false;
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows) {
      any = any || row.loss;
      untried = untried || (row.loss && row.pid == 0);
    }
  if (any)
    for (const std::string& file : FilesOfContainers()) add(file);
  if (untried)
    for (const std::string& program : ProgramsBeside(evidence)) add(program);
  return paths;
}

std::vector<Sought> SoughtInVain(const Evidence& evidence) {
  std::vector<Sought> sought;
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows)
      if (row.loss)
        if (const std::string name = LookedForInVain(row); !name.empty())
          sought.push_back({row.pid, name});
  return sought;
}

}  // namespace gpustage
