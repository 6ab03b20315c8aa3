// Devices of the machine that are not among those that were counted, and calls that were to put a
// counted one to work and failed.
#include <algorithm>
#include <set>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/evidence/path/chain.h"
#include "harness/evidence/path/cuda_codes.h"

namespace gpustage {
namespace {

// Calls that put a device to work after it was counted.
constexpr std::string_view kWorks[] = {"cuCtxCreate",
                                       "cuCtxCreate_v2",
                                       "cuCtxCreate_v3",
                                       "cuCtxCreate_v4",
                                       "cuDevicePrimaryCtxRetain",
                                       "cuMemGetInfo",
                                       "cuMemGetInfo_v2",
                                       "cuMemAlloc",
                                       "cuMemAlloc_v2",
                                       "cudaSetDevice",
                                       "cudaMemGetInfo",
                                       "cudaMalloc",
                                       "hipSetDevice",
                                       "hipMemGetInfo",
                                       "hipMalloc",
                                       "vkCreateDevice",
                                       "cublasCreate_v2"};

bool Works(std::string_view function) {
  return std::find(std::begin(kWorks), std::end(kWorks), function) != std::end(kWorks);
}

// What it leaves is said where it names as many as were reported.
Fact LeftBy(Fact mask, int64_t count) {
  const auto names = 1 + std::count(mask.other.begin(), mask.other.end(), ',');
  mask.number = names == count ? count : 0;
  return mask;
}

void AddMissing(Fact fact, std::vector<Fact>& missing) {
  const bool known = std::any_of(missing.begin(), missing.end(), [&](const Fact& other) {
    return other.kind == fact.kind && other.subject == fact.subject && other.other == fact.other;
  });
  if (!known) missing.push_back(std::move(fact));
}

// The most that a process was told before an event that there are, by what a mask is for: the
// management library counts what is there. -1: it did not ask.
int64_t CountedBy(const Evidence& evidence, int pid, EventId before) {
  int64_t most = -1;
  for (const Event& event : evidence.events)
    if (event.id < before && event.kind == EventKind::kCall && event.pid == pid &&
        event.value == 0 && event.gives && Counts(event.subject) &&
        FamilyOfFunction(event.subject) != Family::kManagement)
      most = std::max<int64_t>(most, *event.gives);
  return most;
}

// Whether the program set the mask of a process itself, for a device that it knew: one that it
// started before, under the mask that it was given, had counted no more.
bool IsOfTheProgram(const Evidence& evidence, const FunnelRow& row, const std::string& variable,
                    int64_t count) {
  const Process* const own = ProcessOf(evidence, row.pid);
  if (own == nullptr) return false;
  const auto given = VariableOf(ProcessOf(evidence, own->parent), variable);
  if (VariableOf(own, variable) == given) return false;
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& other : *rows) {
      const Process* const before = ProcessOf(evidence, other.pid);
      if (before == nullptr || before->event >= own->event ||
          BaseNameOf(other.library) != BaseNameOf(row.library) ||
          VariableOf(before, variable) != given)
        continue;
      const int64_t counted = CountedBy(evidence, other.pid, own->event);
      if (counted > 0 && counted <= count) return true;
    }
  return false;
}

// Of the devices that are not among those that were counted.
void FindMissing(int64_t count, Evidence& evidence) {
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows) {
      if (row.pid == 0 || row.reached < Step::kInitialised) continue;
      for (const Event& event : evidence.events)
        if (event.kind == EventKind::kOpen && event.pid == row.pid && event.value > 0 &&
            IsNode(event.subject))
          AddMissing(NodeOf(event), evidence.missing);
      for (Fact& mask : MasksOf(evidence, row))
        if (!IsOfTheProgram(evidence, row, mask.subject, count))
          AddMissing(LeftBy(std::move(mask), count), evidence.missing);
    }
}

// Calls that were to put a counted device to work and failed, each function once.
void FindLate(Evidence& evidence) {
  std::set<std::string> told;
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kCall || !Works(event.subject) ||
        event.value == world::kNoResult || !IsFailure(event.subject, event.value) ||
        !told.insert(event.subject).second)
      continue;
    evidence.missing.push_back(CalledOf(event));
    for (Fact& node : NodesBelow(evidence, event)) evidence.missing.push_back(std::move(node));
  }
}

// Of a scanner that was killed: the last call about a device that failed.
void FindLast(Evidence& evidence) {
  for (auto event = evidence.events.rbegin(); event != evidence.events.rend(); ++event)
    if (event->kind == EventKind::kCall && event->value != world::kNoResult &&
        IsFailure(event->subject, event->value) && (event->device >= 0 || Works(event->subject))) {
      evidence.missing.push_back(CalledOf(*event));
      return;
    }
}

}  // namespace

void FindMissingDevices(Evidence& evidence) {
  evidence.missing.clear();
  const int64_t count = evidence.device_count.value_or(0);
  if (evidence.outcome.kind == Outcome::Kind::kKilled) return FindLast(evidence);
  if (count <= 0) return;
  if (count < evidence.setting.devices) FindMissing(count, evidence);
  FindLate(evidence);
}

}  // namespace gpustage
