#include <re2/re2.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/device_id.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/path/row_facts.h"

namespace gpustage {
namespace {

bool Happened(const FunnelRow& row, Step step) {
  const auto state = row.steps.find(step);
  return state != row.steps.end() &&
         (state->second.state == StepState::kSeen || state->second.state == StepState::kDerived);
}
bool IsReported(const FunnelRow& row) { return !row.loss && row.reached == Step::kReported; }

// Ollama starts a child of its own for each device that it found, to see it work.
bool IsSecondPass(const Evidence& evidence, const FunnelRow& row) {
  return VariableOf(ProcessOf(evidence, row.pid), "GGML_CUDA_INIT").has_value();
}

Reason OfProcess(Reason::Kind kind, const FunnelRow& row) {
  return {.kind = kind, .who = row.role, .pid = row.pid};
}

// What the scanner said of a device of this library that cannot be true, and where.
struct Garbage {
  std::vector<Reason> fields;
  EventId event = 0;
};

void AddField(const std::string& name, std::optional<Reason> field, Garbage& garbage) {
  if (!field || std::any_of(garbage.fields.begin(), garbage.fields.end(), [&](const Reason& other) {
        return other.other.find(field->other) != std::string::npos;
      }))
    return;
  field->subject = name;
  garbage.fields.push_back(std::move(*field));
}

Garbage GarbageOf(const Evidence& evidence, const FunnelRow& row) {
  static const RE2 nothing(R"(compute capability 0\.0|compute=0\.0)");
  Garbage garbage;
  const std::string directory = ParentOf(row.library);
  for (const LogLine& line : evidence.log) {
    const bool slog = !line.level.empty();
    if (slog && line.text.find(directory) == std::string::npos &&
        line.text.find(BaseNameOf(directory)) == std::string::npos)
      continue;
    const size_t before = garbage.fields.size();
    for (const char* key : {"id", "pci_id"})
      if (const auto field = line.fields.find(key); field != line.fields.end())
        AddField(key, key[0] == 'i' ? FieldsInUuid(field->second) : FieldsInPciId(field->second),
                 garbage);
    std::string uuid;
    if (!slog && RE2::PartialMatch(line.text, R"(ID: (GPU-[0-9a-f-]+))", &uuid))
      AddField("uuid", FieldsInUuid(uuid), garbage);
    const bool known =
        std::any_of(garbage.fields.begin(), garbage.fields.end(),
                    [](const Reason& field) { return field.kind == Reason::Kind::kNoCompute; });
    if (RE2::PartialMatch(line.text, nothing) && !known)
      garbage.fields.push_back({Reason::Kind::kNoCompute});
    if (garbage.fields.size() > before && garbage.event == 0) garbage.event = line.event;
  }
  if (evidence.devices)
    for (const SeenDevice& device : *evidence.devices) {
      const size_t before = garbage.fields.size();
      for (const auto& [key, value] : device.fields) {
        if (key == "uuid") AddField(key, FieldsInUuid(value), garbage);
        if (key == "pci_id") AddField(key, FieldsInPciId(value), garbage);
      }
      if (garbage.fields.size() > before && garbage.event == 0) garbage.event = device.event;
    }
  return garbage;
}

// The child that was to validate what this row counted, and could not.
const FunnelRow* FailedSecondPass(const Evidence& evidence, const FunnelRow& row) {
  if (IsSecondPass(evidence, row)) return nullptr;
  // A child that finds the file under two names works under the first.
  const std::string first_name = FactsOf(evidence, row.library, row.pid).same_as;
  const FunnelRow* found = nullptr;
  for (const FunnelRow& other : evidence.funnel)
    if ((other.library == row.library || other.library == first_name) && other.loss &&
        IsSecondPass(evidence, other) && (found == nullptr || found->cause() == Cause::kDropped))
      found = &other;
  return found;
}

const LogLine* LineWith(const Evidence& evidence, const FunnelRow& row, std::string_view words) {
  const std::string directory = ParentOf(row.library);
  for (const LogLine& line : evidence.log)
    if (line.text.find(words) != std::string::npos &&
        line.text.find(directory) != std::string::npos)
      return &line;
  return nullptr;
}

void Set(FunnelRow& row, Cause cause, Reason reason, EventId event, Known known) {
  row.loss->cause = cause;
  row.loss->reason = std::move(reason);
  row.loss->known = known;
  if (event != 0) row.event = event;
}

// As the log tells it of the one device of this process: "3.5".
std::string ComputeOf(const Evidence& evidence, const FunnelRow& row) {
  const auto mask = VariableOf(ProcessOf(evidence, row.pid), "CUDA_VISIBLE_DEVICES");
  for (const LogLine& line : evidence.log)
    if (const auto id = line.fields.find("id"), compute = line.fields.find("compute");
        mask && id != line.fields.end() && compute != line.fields.end() && id->second == *mask)
      return compute->second;
  return "";
}

// What was counted and is not reported: what became of it.
void FollowDropped(const Evidence& evidence, FunnelRow& row) {
  if (!row.loss) return;
  if (row.loss->reason.kind == Reason::Kind::kOtherArch)
    row.loss->reason.other = ComputeOf(evidence, row);
  if (row.loss->at != Step::kReported || row.loss->cause != Cause::kDropped) return;
  const bool cuda = StackOf(BaseNameOf(row.library)) == Family::kRuntime;
  Garbage garbage = cuda ? GarbageOf(evidence, row) : Garbage();
  const FunnelRow* const second = FailedSecondPass(evidence, row);
  if (!garbage.fields.empty()) {
    Reason reason = {.kind = Reason::Kind::kOtherStructDropped, .below = std::move(garbage.fields)};
    if (second != nullptr) {
      reason.kind = Reason::Kind::kOtherStructSecond;
      reason.below.push_back(second->loss->reason);
    }
    return Set(row, Cause::kLayoutMismatch, std::move(reason), garbage.event, Known::kDerived);
  }
  if (second != nullptr &&
      (second->cause() == Cause::kOverlap || second->cause() == Cause::kDuplicate))
    return Set(row, second->cause(), second->loss->reason, second->event, second->loss->known);
  if (second != nullptr) {
    Reason reason = OfProcess(Reason::Kind::kSecondPass, row);
    reason.below = {second->loss->reason};
    return Set(row, second->cause() == Cause::kTooOld ? Cause::kTooOld : Cause::kSecondPass,
               std::move(reason), second->event, second->loss->known);
  }
  const RowFacts facts = FactsOf(evidence, row.library, row.pid);
  if (IsSecondPass(evidence, row) && facts.last_call != 0 &&
      evidence.At(facts.last_call).subject.starts_with("cudaGetDeviceProperties")) {
    Reason reason = OfProcess(Reason::Kind::kEndedAfterProperties, row);
    reason.other = ComputeOf(evidence, row);
    return Set(row, Cause::kTooOld, std::move(reason), facts.last_call, Known::kDerived);
  }
  if (const LogLine* line = LineWith(evidence, row, "overlapping"))
    return Set(row, Cause::kOverlap, {.kind = Reason::Kind::kOverlap, .text = line->message},
               line->event, Known::kSeen);
  for (const FunnelRow& other : evidence.funnel)
    if (other.library != row.library && IsReported(other))
      return Set(row, Cause::kDuplicate, {Reason::Kind::kReportedThrough, other.library},
                 other.event, Known::kDerived);
}

// What a preload does in place of the loader, the loader does not see.
void RemarkOnPreload(const Evidence& evidence, FunnelRow& row) {
  if (!row.loss || row.loss->at > Step::kEntryPoint || row.cause() == Cause::kUnlistable) return;
  for (const Process& process : evidence.processes)
    if (const auto preload = VariableOf(&process, "LD_PRELOAD");
        preload && !preload->empty() && (row.pid == 0 || row.pid == process.pid)) {
      row.remark = {.kind = Reason::Kind::kPreload,
                    .who = process.role,
                    .text = *preload,
                    .pid = process.pid};
      return;
    }
}

void RemarkOn(const Evidence& evidence, FunnelRow& row) {
  if (IsReported(row)) {
    if (Garbage garbage = GarbageOf(evidence, row); !garbage.fields.empty()) {
      row.odd = Cause::kLayoutMismatch;
      row.remark = {.kind = Reason::Kind::kOtherStruct, .below = std::move(garbage.fields)};
      return;
    }
    for (const FunnelRow& other : evidence.funnel) {
      if (!row.remark.empty() || other.pid != row.pid || other.library == row.library ||
          !Happened(other, Step::kCounted))
        continue;
      if (FactsOf(evidence, other.library, row.pid).opened >
          FactsOf(evidence, row.library, row.pid).opened)
        continue;  // it came first
      row.odd = Cause::kCountedTwice;
      row.remark = OfProcess(Reason::Kind::kCountsToo, row);
      row.remark.subject = other.library;
    }
    return;
  }
  if (Happened(row, Step::kCounted)) return;
  RemarkOnPreload(evidence, row);
  if (evidence.device_count.value_or(0) > 0) return;  // it helped
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kCall || event.device < 0 || event.value != 0 ||
        event.pid == row.pid)
      continue;
    const bool own_funnel =
        std::any_of(evidence.funnel.begin(), evidence.funnel.end(), [&](const FunnelRow& other) {
          return other.pid == event.pid && other.family == Family::kBackend;
        });
    if (own_funnel) continue;
    const Process* const process = ProcessOf(evidence, event.pid);
    row.remark = {.kind = Reason::Kind::kCountedElsewhere,
                  .who = process == nullptr ? "" : process->role,
                  .pid = event.pid,
                  .event = event.id};
    Cause& cause = row.loss ? row.loss->cause : row.odd;
    if (cause == Cause::kUnknown || cause == Cause::kNotTried) cause = Cause::kCountedElsewhere;
    return;
  }
}

}  // namespace

void RelateRows(Evidence& evidence) {
  // Children of the second pass first: what they say is the reason of the first.
  for (const bool second : {true, false})
    for (FunnelRow& row : evidence.funnel)
      if (IsSecondPass(evidence, row) == second) FollowDropped(evidence, row);
  for (FunnelRow& row : evidence.funnel) RemarkOn(evidence, row);
}

}  // namespace gpustage
