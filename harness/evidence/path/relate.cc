#include "harness/evidence/path/relate.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/device_id.h"
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

std::string Who(const FunnelRow& row) { return fmt::format("{} (pid {})", row.role, row.pid); }

// What the scanner said of a device of this library that cannot be true, and where.
struct Garbage {
  std::string text;
  EventId event = 0;
};

void AddFields(const std::string& name, const std::string& value,
               const std::optional<std::string>& fields, Garbage& garbage) {
  if (fields && garbage.text.find(value) == std::string::npos)
    garbage.text +=
        fmt::format("{}{} {} ({})", garbage.text.empty() ? "" : ", ", name, value, *fields);
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
    const size_t before = garbage.text.size();
    for (const char* key : {"id", "pci_id"})
      if (const auto field = line.fields.find(key); field != line.fields.end())
        AddFields(key, field->second,
                  key[0] == 'i' ? FieldsInUuid(field->second) : FieldsInPciId(field->second),
                  garbage);
    std::string uuid;
    if (!slog && RE2::PartialMatch(line.text, R"(ID: (GPU-[0-9a-f-]+))", &uuid))
      AddFields("uuid", uuid, FieldsInUuid(uuid), garbage);
    if (RE2::PartialMatch(line.text, nothing) && garbage.text.find("compute") == std::string::npos)
      garbage.text += std::string(garbage.text.empty() ? "" : ", ") +
                      "compute capability 0.0 (nothing at offset 360, where major stands)";
    if (garbage.text.size() > before && garbage.event == 0) garbage.event = line.event;
  }
  if (evidence.devices)
    for (const SeenDevice& device : *evidence.devices) {
      const size_t before = garbage.text.size();
      for (const auto& [key, value] : device.fields) {
        if (key == "uuid") AddFields(key, value, FieldsInUuid(value), garbage);
        if (key == "pci_id") AddFields(key, value, FieldsInPciId(value), garbage);
      }
      if (garbage.text.size() > before && garbage.event == 0) garbage.event = device.event;
    }
  return garbage;
}

constexpr std::string_view kOtherStruct =
    "the backend reads cudaDeviceProp in another layout than its libcudart filled it in: ";

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

void Set(FunnelRow& row, Cause cause, std::string reason, EventId event, Known known) {
  row.loss->cause = cause;
  row.loss->reason = std::move(reason);
  row.loss->known = known;
  if (event != 0) row.event = event;
}

// As the log tells it of the one device of this process: " 3.5".
std::string ComputeOf(const Evidence& evidence, const FunnelRow& row) {
  const auto mask = VariableOf(ProcessOf(evidence, row.pid), "CUDA_VISIBLE_DEVICES");
  for (const LogLine& line : evidence.log)
    if (const auto id = line.fields.find("id"), compute = line.fields.find("compute");
        mask && id != line.fields.end() && compute != line.fields.end() && id->second == *mask)
      return " " + compute->second;
  return "";
}

// What was counted and is not reported: what became of it.
void FollowDropped(const Evidence& evidence, FunnelRow& row) {
  if (!row.loss) return;
  if (row.loss->cause == Cause::kTooOld && row.loss->reason.ends_with("compute capability"))
    row.loss->reason += ComputeOf(evidence, row);
  if (row.loss->at != Step::kReported || row.loss->cause != Cause::kDropped) return;
  const bool cuda = StackOf(BaseNameOf(row.library)) == Family::kRuntime;
  const Garbage garbage = cuda ? GarbageOf(evidence, row) : Garbage();
  const FunnelRow* const second = FailedSecondPass(evidence, row);
  if (!garbage.text.empty()) {
    const std::string then = second == nullptr
                                 ? "the scanner reported none of it"
                                 : "the second pass dropped the device: " + second->loss->reason;
    return Set(row, Cause::kLayoutMismatch,
               fmt::format("{}{}; {}", kOtherStruct, garbage.text, then), garbage.event,
               Known::kDerived);
  }
  if (second != nullptr &&
      (second->cause() == Cause::kOverlap || second->cause() == Cause::kDuplicate))
    return Set(row, second->cause(), second->loss->reason, second->event, second->loss->known);
  if (second != nullptr)
    return Set(row, second->cause() == Cause::kTooOld ? Cause::kTooOld : Cause::kSecondPass,
               fmt::format("{} counted a device, and the second pass, which starts a process for "
                           "each, dropped it: {}",
                           Who(row), second->loss->reason),
               second->event, second->loss->known);
  const RowFacts facts = FactsOf(evidence, row.library, row.pid);
  if (IsSecondPass(evidence, row) && facts.last_call != 0 &&
      evidence.At(facts.last_call).subject.starts_with("cudaGetDeviceProperties"))
    return Set(row, Cause::kTooOld,
               fmt::format("{} ended right after it had read the device's properties, as a backend "
                           "does in the second pass that was not "
                           "built for its compute capability{}",
                           Who(row), ComputeOf(evidence, row)),
               facts.last_call, Known::kDerived);
  if (const LogLine* line = LineWith(evidence, row, "overlapping"))
    return Set(row, Cause::kOverlap,
               fmt::format("the same device is kept through another directory; the log says: {}",
                           line->message),
               line->event, Known::kSeen);
  for (const FunnelRow& other : evidence.funnel)
    if (other.library != row.library && IsReported(other))
      return Set(row, Cause::kDuplicate,
                 fmt::format("the same device is reported through {}", other.library), other.event,
                 Known::kDerived);
}

// What a preload does in place of the loader, the loader does not see.
void RemarkOnPreload(const Evidence& evidence, FunnelRow& row) {
  if (!row.loss || row.loss->at > Step::kEntryPoint || row.cause() == Cause::kUnlistable) return;
  for (const Process& process : evidence.processes)
    if (const auto preload = VariableOf(&process, "LD_PRELOAD");
        preload && !preload->empty() && (row.pid == 0 || row.pid == process.pid)) {
      row.remark = fmt::format(
          "LD_PRELOAD is \"{}\" in {} (pid {}): a dlopen that it answers itself never reaches the "
          "loader",
          *preload, process.role, process.pid);
      return;
    }
}

void RemarkOn(const Evidence& evidence, FunnelRow& row) {
  if (IsReported(row)) {
    if (const Garbage garbage = GarbageOf(evidence, row); !garbage.text.empty()) {
      row.odd = Cause::kLayoutMismatch;
      row.remark = std::string(kOtherStruct) + garbage.text;
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
      row.remark =
          fmt::format("{} counts the same devices through {} too", Who(row), other.library);
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
    row.remark = fmt::format(
        "{} (pid {}) counted a device (#{}); what another process counts does not help this one",
        process == nullptr ? "another process" : process->role, event.pid, event.id);
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
