#include "harness/evidence/path/chain.h"

#include <re2/re2.h>

#include <algorithm>
#include <cerrno>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/cuda_codes.h"
#include "harness/evidence/path/row_facts.h"
#include "harness/evidence/path/vulkan.h"

namespace gpustage {
namespace {

constexpr std::string_view kNodes[] = {"/dev/nvidia", "/dev/dri/",           "/dev/kfd",
                                       "/dev/dxg",    "/proc/driver/nvidia", "/sys/class/drm"};
// Which variable hides devices from whoever comes to them by a family, as its own documentation
// says. Vulkan's loader knows none; ggml's backend over it does.
struct Mask {
  Family stack;
  const char* variable;
};
constexpr Mask kMasks[] = {{Family::kDriver, "CUDA_VISIBLE_DEVICES"},
                           {Family::kRuntime, "CUDA_VISIBLE_DEVICES"},
                           {Family::kVulkanLoader, "GGML_VK_VISIBLE_DEVICES"},
                           {Family::kHip, "ROCR_VISIBLE_DEVICES"},
                           {Family::kHip, "HIP_VISIBLE_DEVICES"},
                           {Family::kHip, "CUDA_VISIBLE_DEVICES"},
                           {Family::kHsa, "ROCR_VISIBLE_DEVICES"}};
// A list that names a device twice, and an order that is none, get this code from NVIDIA's driver.
constexpr int kBadList = 101;
constexpr const char* kOrder = "CUDA_DEVICE_ORDER";

// The row of a library below `row`, in its process, that was lost; null: none.
const FunnelRow* LostBelow(const Evidence& evidence, const FunnelRow& row) {
  const FunnelRow* found = nullptr;
  // In a shim's hands what is asked for is the program's own wish.
  for (const auto* rows : {&evidence.inner, &evidence.funnel})
    for (const FunnelRow& inner : *rows) {
      if (inner.pid != row.pid || !inner.loss || inner.library == row.library) continue;
      const bool asks = row.family == Family::kBackend
                            ? inner.family == Family::kDriver || inner.family == Family::kRuntime
                            : inner.family != row.family && AsksFamily(row.family, inner.family);
      if (asks && (found == nullptr || inner.family == Family::kDriver)) found = &inner;
    }
  return found;
}

const FunnelRow* DriverOf(const Evidence& evidence, int pid, Family family) {
  for (const auto* rows : {&evidence.inner, &evidence.funnel})
    for (const FunnelRow& row : *rows)
      if (row.pid == pid && row.family == family && row.reached >= Step::kLoaded) return &row;
  return nullptr;
}

void Add(FunnelRow& row, Fact fact) {
  if (std::find(row.loss->because.begin(), row.loss->because.end(), fact) ==
      row.loss->because.end())
    row.loss->because.push_back(std::move(fact));
}

// Which file answered for the library whose call failed, and which other copies there are.
void AddCopy(const Evidence& evidence, Family family, FunnelRow& row) {
  const FunnelRow* const copy = row.family == family ? &row : DriverOf(evidence, row.pid, family);
  if (copy == nullptr) return;
  Fact answered;
  answered.kind = Fact::Kind::kAnswered;
  answered.subject = BaseNameOf(copy->library);
  answered.other = copy->library;
  if (!copy->file.empty() && copy->file != copy->library) answered.names = {copy->file};
  answered.rule = copy->rule;
  // What was asked for by its path needs no telling: the row has it.
  const bool plain = copy == &row && answered.rule.empty() && answered.names.empty();
  if (!plain) Add(row, answered);
  for (const std::string& other : evidence.setting.libraries) {
    if (BaseNameOf(other) != BaseNameOf(copy->library) || other == copy->library ||
        other == copy->file)
      continue;
    Fact shadowed;
    shadowed.kind = Fact::Kind::kShadowed;
    shadowed.subject = other;
    if (const auto known = evidence.setting.versions.find(other);
        known != evidence.setting.versions.end())
      shadowed.other = known->second;
    Add(row, shadowed);
  }
}

// Where they are the same they are told only to rule that out.
void AddVersions(const Evidence& evidence, bool same_too, FunnelRow& row) {
  const Setting& setting = evidence.setting;
  const FunnelRow* const driver = row.family == Family::kDriver || row.family == Family::kManagement
                                      ? &row
                                      : DriverOf(evidence, row.pid, Family::kDriver);
  Fact versions;
  versions.kind = Fact::Kind::kVersions;
  versions.other = setting.kernel_driver;
  if (driver != nullptr) {
    // What is known of the file is more than its name says.
    const std::string file = driver->file.empty() ? driver->library : driver->file;
    for (const std::string& path : {driver->library, file})
      if (const auto known = setting.versions.find(path);
          versions.subject.empty() && known != setting.versions.end())
        versions.subject = known->second;
    if (versions.subject.empty())
      RE2::PartialMatch(file, R"(\.so\.(\d+\.\d+(?:\.\d+)?)$)", &versions.subject);
  }
  if (!versions.subject.empty() && !versions.other.empty() &&
      (same_too || versions.subject != versions.other))
    Add(row, versions);
}

// The failed call just before this one in its thread.
void AddCallBefore(const Evidence& evidence, const Event& call, FunnelRow& row) {
  for (EventId id = call.id - 1; id > 0; --id) {
    const Event& before = evidence.At(id);
    if (before.kind != EventKind::kCall || before.pid != call.pid || before.tid != call.tid)
      continue;
    if (before.value == 0 || before.value == world::kNoResult || before.value == call.value) return;
    return Add(row, CalledOf(before));
  }
}

bool IsStub(int64_t code) { return code == 34; }
bool IsMismatch(const Event& call) {
  return call.value == 803 || call.value == 804 || call.value == 35 ||
         (FamilyOfFunction(call.subject) == Family::kManagement && call.value == 18);
}

// What lies below a call that gave a code.
void ExplainCall(const Evidence& evidence, const Event& call, FunnelRow& row) {
  const Family family = FamilyOfFunction(call.subject);
  for (Fact& node : NodesBelow(evidence, call)) Add(row, std::move(node));
  if (IsMismatch(call)) AddVersions(evidence, call.value == 35, row);
  const FunnelRow* const below = LostBelow(evidence, row);
  if (below != nullptr && below->cause() == Cause::kNotFound) {
    Fact nowhere;
    nowhere.kind = Fact::Kind::kNowhere;
    nowhere.subject = below->library;
    nowhere.number = static_cast<int64_t>(AskFor(evidence, *below).tried.size());
    nowhere.event = below->event;
    return Add(row, nowhere);
  }
  if (below != nullptr && below->loss && below->loss->at <= Step::kEntryPoint) {
    Fact reason;
    reason.kind = Fact::Kind::kReason;
    reason.subject = BaseNameOf(below->library);
    reason.reasons = {below->loss->reason};
    reason.event = below->event;
    Add(row, reason);
  }
  AddCallBefore(evidence, call, row);
  const bool driver = family == Family::kRuntime || family == Family::kDriver;
  if (driver && (IsStub(call.value) || row.loss->because.empty() || IsMismatch(call)))
    AddCopy(evidence, Family::kDriver, row);
  else if (family == Family::kManagement && (row.loss->because.empty() || IsMismatch(call)))
    AddCopy(evidence, family, row);
}

// Every node was given, and the versions are known: it is the library itself that refuses.
void AddNoObstacle(const Evidence& evidence, const Event& call, FunnelRow& row) {
  std::vector<std::string> nodes;
  for (const Fact& node : NodesOpened(evidence, call)) nodes.push_back(node.subject);
  if (nodes.empty()) return;
  std::reverse(nodes.begin(), nodes.end());
  Fact opened;
  opened.kind = Fact::Kind::kOpened;
  opened.names = std::move(nodes);
  row.loss->because.insert(row.loss->because.begin(), std::move(opened));
  AddVersions(evidence, true, row);
}

// NVML counted devices that CUDA does not start with.
void AddOtherCount(const Evidence& evidence, const Event& call, FunnelRow& row) {
  const Family family = FamilyOfFunction(call.subject);
  const bool itself =
      std::any_of(row.loss->because.begin(), row.loss->because.end(), [](const Fact& fact) {
        return fact.kind == Fact::Kind::kOpened || fact.kind == Fact::Kind::kNothing;
      });
  if (!itself || (family != Family::kDriver && family != Family::kRuntime)) return;
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kCall && event.value == 0 && event.gives.value_or(0) > 0 &&
        FamilyOfFunction(event.subject) == Family::kManagement && event.device < 0) {
      Fact fact;
      fact.kind = Fact::Kind::kOtherCounts;
      fact.subject = event.subject;
      fact.number = *event.gives;
      fact.event = event.id;
      return Add(row, std::move(fact));
    }
}

bool IsBelow(const Fact& fact) {
  return fact.kind != Fact::Kind::kAnswered && fact.kind != Fact::Kind::kShadowed &&
         fact.kind != Fact::Kind::kOtherCounts;
}

void Explain(const Evidence& evidence, FunnelRow& row) {
  if (!row.loss) return;
  row.loss->because.clear();
  if (row.event == 0) return;
  const Event& event = evidence.At(row.event);
  if (row.cause() == Cause::kNeverAsked &&
      StackOf(BaseNameOf(row.library)) == Family::kVulkanLoader) {
    row.loss->because = WhyNoVulkanDriver(evidence, row.pid);
    return;
  }
  if (row.cause() == Cause::kMasked) {
    for (Fact& mask : MasksOf(evidence, row)) {
      if (event.value == kBadList) mask.number = 0;
      Add(row, std::move(mask));
    }
    return;
  }
  if (row.loss->at < Step::kInitialised || event.kind != EventKind::kCall) return;
  if (event.value != world::kNoResult && IsFailure(event.subject, event.value))
    row.loss->code = event.value;
  if (event.value == world::kNoResult)
    return AddCopy(evidence, FamilyOfFunction(event.subject), row);
  if (row.cause() == Cause::kDropped && event.value == 0 &&
      StackOf(BaseNameOf(row.library)) == Family::kVulkanLoader) {
    row.loss->because = DroppedByVulkan(evidence, row.pid);
    return;
  }
  if (event.value == 0 && row.cause() != Cause::kNoDevice) return;
  if (event.value == 0)
    for (Fact& node : NodesBelow(evidence, event)) Add(row, std::move(node));
  else
    ExplainCall(evidence, event, row);
  // Of a second pass the mask is that of its process, which has one device of its own.
  const bool hidden = event.value == 100 || event.value == kBadList;
  if (row.cause() == Cause::kSecondPass && hidden && event.fault.empty()) {
    FunnelRow there = row;
    there.pid = event.pid;
    for (Fact& mask : MasksOf(evidence, there)) Add(row, std::move(mask));
  }
  if (std::none_of(row.loss->because.begin(), row.loss->because.end(), IsBelow) &&
      StackOf(BaseNameOf(row.library)) == Family::kVulkanLoader)
    for (Fact& fact : VulkanAround(evidence, row.pid)) Add(row, std::move(fact));
  if (std::none_of(row.loss->because.begin(), row.loss->because.end(), IsBelow) &&
      !IsStub(event.value))
    AddNoObstacle(evidence, event, row);
  if (std::none_of(row.loss->because.begin(), row.loss->because.end(), IsBelow) &&
      !IsStub(event.value) && evidence.files_observed)
    row.loss->because.insert(row.loss->because.begin(), Fact());
  AddOtherCount(evidence, event, row);
}

// A library that was entered and made no call that can be seen, over one that was lost: NVIDIA's
// own runtime says 35 when it finds no driver.
void TakeLossOfInner(const Evidence& evidence, FunnelRow& row) {
  if (row.loss || row.pid == 0 || row.family == Family::kBackend || row.linked) return;
  const auto state = row.steps.find(Step::kInitialised);
  if (row.reached != Step::kEntryPoint || state == row.steps.end() ||
      state->second.state == StepState::kSeen)
    return;
  const FunnelRow* const below = LostBelow(evidence, row);
  if (below == nullptr || !AsksFamily(row.family, below->family)) return;
  for (const Step step : {Step::kInitialised, Step::kCounted, Step::kReported})
    row.steps[step].state = StepState::kDidNotHappen;
  row.odd = Cause::kUnknown;
  PathLoss& loss = row.loss.emplace();
  loss.at = Step::kInitialised;
  loss.cause = below->cause() == Cause::kNotFound ? Cause::kMissingDependency : below->cause();
  loss.known = Known::kDerived;
  row.event = below->event;
  loss.reason = {.kind = Reason::Kind::kBelow,
                 .subject = BaseNameOf(below->library),
                 .other = ToString(below->loss->at),
                 .below = {below->loss->reason}};
}

}  // namespace

bool IsNode(const std::string& path) {
  return std::any_of(std::begin(kNodes), std::end(kNodes),
                     [&](std::string_view begin) { return path.starts_with(begin); });
}

Fact NodeOf(const Event& open) {
  Fact node;
  node.kind = Fact::Kind::kNode;
  node.subject = open.subject;
  node.error = static_cast<int>(open.value);
  node.event = open.id;
  return node;
}

Fact CalledOf(const Event& call) {
  Fact called;
  called.kind = Fact::Kind::kCalled;
  called.subject = call.subject;
  called.names = {call.detail};
  called.number = call.value;
  called.event = call.id;
  return called;
}

std::vector<Fact> MasksOf(const Evidence& evidence, const FunnelRow& row) {
  std::vector<Fact> masks;
  const auto add = [&](const char* variable) {
    const auto value = VariableOf(ProcessOf(evidence, row.pid), variable);
    if (!value) return;
    Fact fact;
    fact.kind = Fact::Kind::kMask;
    fact.subject = variable;
    fact.other = *value;
    fact.number = -1;
    masks.push_back(std::move(fact));
  };
  for (const Mask& mask : kMasks)
    if (mask.stack == StackOf(BaseNameOf(row.library))) add(mask.variable);
  if (row.event != 0 && evidence.At(row.event).value == kBadList) add(kOrder);
  return masks;
}

std::vector<Fact> NodesBelow(const Evidence& evidence, const Event& call) {
  std::vector<Fact> nodes;
  for (EventId id = call.id - 1; id > 0; --id) {
    const Event& event = evidence.At(id);
    if (event.pid != call.pid || event.tid != call.tid) continue;
    if (event.kind == EventKind::kLoad || event.kind == EventKind::kProcess) break;
    if (event.kind == EventKind::kCall && event.value == 0 && !Counts(call.subject) &&
        Starts(FamilyOfFunction(event.subject), event.subject))
      break;
    if (event.kind != EventKind::kOpen || event.value <= 0 || !IsNode(event.subject)) continue;
    const bool known = std::any_of(nodes.begin(), nodes.end(),
                                   [&](const Fact& node) { return node.subject == event.subject; });
    // What was there on a second try is no reason.
    const bool came = std::any_of(
        evidence.events.begin() + id, evidence.events.begin() + call.id, [&](const Event& later) {
          return later.kind == EventKind::kOpen && later.pid == event.pid &&
                 later.subject == event.subject && later.value <= 0;
        });
    if (known || came) continue;
    nodes.push_back(NodeOf(event));
  }
  return nodes;
}

std::vector<Fact> NodesOpened(const Evidence& evidence, const Event& call) {
  std::vector<Fact> nodes;
  for (EventId id = call.id - 1; id > 0; --id) {
    const Event& event = evidence.At(id);
    if (event.pid != call.pid || event.tid != call.tid) continue;
    if (event.kind == EventKind::kLoad || event.kind == EventKind::kProcess) break;
    if (event.kind != EventKind::kOpen || event.value != 0 || !event.subject.starts_with("/dev/") ||
        !IsNode(event.subject))
      continue;
    const bool known = std::any_of(nodes.begin(), nodes.end(),
                                   [&](const Fact& node) { return node.subject == event.subject; });
    if (!known) nodes.push_back(NodeOf(event));
  }
  return nodes;
}

void LinkLosses(Evidence& evidence) {
  for (auto* rows : {&evidence.inner, &evidence.funnel})
    for (FunnelRow& row : *rows) TakeLossOfInner(evidence, row);
  for (auto* rows : {&evidence.inner, &evidence.funnel})
    for (FunnelRow& row : *rows) Explain(evidence, row);
  FindMissingDevices(evidence);
}

void FindBadEnd(Evidence& evidence) {
  if (evidence.processes.empty()) return;
  const Outcome& outcome = evidence.outcome;
  const bool killed = outcome.kind == Outcome::Kind::kKilled;
  const bool late = outcome.kind == Outcome::Kind::kTimedOut;
  const bool loader = outcome.kind == Outcome::Kind::kExited && outcome.code == 127;
  if (!killed && !late && !loader) return;
  BadEnd end;
  end.pid = evidence.processes.front().pid;
  static const RE2 loader_line(
      R"(: (?:error while loading shared libraries|symbol lookup error): (\S+?): )");
  for (const LogLine& line : evidence.log) {
    if (!line.text.empty()) end.said = line.event;
    if (loader && RE2::PartialMatch(line.text, loader_line, &end.object)) {
      end.before_main = true;
      end.said = line.event;
      break;
    }
  }
  if (loader && !end.before_main) return;  // a program of its own mind
  for (const Event& event : evidence.events) {
    const bool asked = event.kind == EventKind::kCall || event.kind == EventKind::kOpen ||
                       event.kind == EventKind::kLook || event.kind == EventKind::kList ||
                       event.kind == EventKind::kLoad || event.kind == EventKind::kSearch;
    if (asked) end.last = event.id;
  }
  evidence.bad_end = std::move(end);
}

}  // namespace gpustage
