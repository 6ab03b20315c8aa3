#include "harness/evidence/path/funnel.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/cuda_codes.h"
#include "harness/evidence/path/relate.h"
#include "harness/evidence/path/row_facts.h"

namespace gpustage {
namespace {

constexpr Step kSteps[] = {Step::kListed,     Step::kMatched,     Step::kOpened,  Step::kLoaded,
                           Step::kEntryPoint, Step::kInitialised, Step::kCounted, Step::kReported};

// Draws the conclusions of one row.
class RowBuilder {
 public:
  RowBuilder(const Evidence& evidence, const std::string& library, int pid)
      : evidence_(evidence), facts_(FactsOf(evidence, library, pid)) {
    row_.library = library;
    row_.pid = pid;
    if (const Process* process = ProcessOf(evidence, pid)) row_.role = process->role;
    for (const Step step : kSteps) row_.steps[step] = StepState::kNotObservable;
  }

  FunnelRow Build() {
    See(Step::kOpened, facts_.opened);
    See(Step::kLoaded, facts_.same_as.empty() ? facts_.loaded : facts_.entry);
    See(Step::kEntryPoint, facts_.entry);
    if (!facts_.Touched()) {
      if (evidence_.loader_observed) row_.steps[Step::kOpened] = StepState::kDidNotHappen;
    } else if (facts_.entry == 0) {
      Loading();
    } else {
      Asking();
    }
    if (row_.steps[Step::kCounted] == StepState::kSeen ||
        row_.steps[Step::kInitialised] == StepState::kSeen)
      Reported();
    Settle();
    return row_;
  }

 private:
  void See(Step step, EventId id) {
    if (id == 0) return;
    row_.steps[step] = StepState::kSeen;
    row_.event = std::max(row_.event, id);
  }

  void Lose(Step step, Cause cause, std::string reason, EventId event = 0,
            Known known = Known::kSeen) {
    row_.steps[step] = StepState::kDidNotHappen;
    row_.cause = cause;
    row_.reason = std::move(reason);
    row_.known = known;
    if (event != 0) row_.event = event;
  }

  // It was asked for, and got no entry point. What is wrong with the file, the system is asked
  // later.
  void Loading() {
    if (facts_.loaded == 0) return Lose(Step::kLoaded, Cause::kUnknown, "");
    if (facts_.closed != 0) return Lose(Step::kLoaded, Cause::kUnknown, MissingDependency());
    // A process that ends in order unloads what it had. One that did not was stopped in the middle
    // of the load.
    if (!facts_.ended)
      return Lose(Step::kLoaded, Cause::kLoadKills, "its process ended in the middle of the load",
                  0, Known::kDerived);
    Lose(Step::kEntryPoint, Cause::kNoEntryPoint,
         "it was loaded, and no entry point such as ggml_backend_init was looked up and found in "
         "it");
  }

  // The name that was looked for last on behalf of this load, when no file was mapped for it.
  std::string MissingDependency() {
    const std::vector<Need> needs = NeedsOf(evidence_, row_);
    if (needs.empty() || !needs.back().found.empty()) return "";
    const Need& need = needs.back();
    row_.event = need.event;
    row_.cause = Cause::kMissingDependency;
    return fmt::format("{}, needed by {}, was looked for in {} {} and not loaded",
                       BaseNameOf(need.name),
                       need.requester.empty() ? row_.library : need.requester, need.tried.size(),
                       need.tried.size() == 1 ? "place" : "places");
  }

  // What the fakes were asked after the entry point was found.
  void Asking() {
    See(Step::kInitialised, facts_.initialised);
    if (facts_.count_error == 0) See(Step::kCounted, facts_.counted);
    if (facts_.null_entry != 0)
      return Lose(Step::kInitialised, Cause::kNullEntryPoint,
                  "ggml_backend_init was called and returned nothing (NULL)", facts_.null_entry);
    if (facts_.refused != 0 && facts_.initialised == 0) return Refused();
    if (facts_.count_error != 0) return CountError();
    if (facts_.refused != 0 && facts_.counted == 0) return Refused();
    if (facts_.died != 0 && facts_.counted == 0)
      return Died(facts_.initialised == 0 ? Step::kInitialised : Step::kCounted, "");
    if (facts_.counted != 0) return;
    if (facts_.initialised != 0)
      return Lose(Step::kCounted, Cause::kNoDevice,
                  fmt::format("{} succeeded, and no device was asked for: the driver counts none",
                              Function(facts_.initialised)),
                  facts_.initialised, Known::kDerived);
    if (facts_.closed != 0 || (facts_.ended && IsBackendName(BaseNameOf(row_.library))))
      Lose(Step::kInitialised, Cause::kNeverAsked,
           "its entry point was found, and no CUDA library was asked for a device after that",
           facts_.entry, Known::kDerived);
  }

  std::string Function(EventId id) const { return evidence_.At(id).subject; }

  void Refused() {
    const Event& call = evidence_.At(facts_.refused);
    const std::string gave =
        fmt::format("{} gave {}", call.subject, CodeText(call.subject, call.value));
    const auto mask = VariableOf(ProcessOf(evidence_, row_.pid), "CUDA_VISIBLE_DEVICES");
    row_.steps[Step::kInitialised] = StepState::kDidNotHappen;
    if (mask && call.value == 100 && call.detail.find("fault:") == std::string::npos)
      return Lose(
          Step::kInitialised, Cause::kMasked,
          fmt::format("{}; CUDA_VISIBLE_DEVICES is \"{}\" in {} (pid {}), which leaves no device",
                      gave, *mask, row_.role, row_.pid),
          facts_.refused, Known::kDerived);
    Lose(Step::kInitialised, Cause::kInitError, gave, facts_.refused);
  }

  void CountError() {
    const Event& call = evidence_.At(facts_.count_error);
    std::string reason =
        fmt::format("{} gave {}", call.subject, CodeText(call.subject, call.value));
    if (facts_.before_error != 0) {
      const Event& before = evidence_.At(facts_.before_error);
      reason +=
          fmt::format(", after {} gave {}", before.subject, CodeText(before.subject, before.value));
    }
    Lose(Step::kCounted, Cause::kCountError, std::move(reason), facts_.count_error);
  }

  void Died(Step step, const std::string& before) {
    const Event& call = evidence_.At(facts_.died);
    const std::string who = fmt::format("{} (pid {})", row_.role, row_.pid);
    const auto has = [&](const char* text) { return call.detail.find(text) != std::string::npos; };
    std::string how = fmt::format("{} never returned from {}", who, call.subject);
    if (call.subject == "ggml_abort") how = fmt::format("{} aborted: {}", who, call.detail);
    if (has("fault: segfault"))
      how = fmt::format("{} was killed by SIGSEGV in {}", who, call.subject);
    if (has("fault: abort")) how = fmt::format("{} was killed by SIGABRT in {}", who, call.subject);
    if (has("fault: exit"))
      how = fmt::format("{} ended itself in {}, exit status {}", who, call.subject,
                        call.detail.substr(call.detail.rfind(' ') + 1));
    const bool hung = has("fault: hang");
    if (hung) how = fmt::format("{} hung in {} until it was ended", who, call.subject);
    const bool too_old = has("ggml_cuda_has_arch");
    if (too_old)
      how = fmt::format("{} aborted: its backend was not built for the device's compute capability",
                        who);
    Lose(step,
         hung      ? Cause::kHung
         : too_old ? Cause::kTooOld
                   : Cause::kCrashed,
         too_old ? how : before + how, facts_.died);
  }

  void Reported() {
    if (!evidence_.devices || row_.steps[Step::kInitialised] == StepState::kDidNotHappen ||
        row_.steps[Step::kCounted] == StepState::kDidNotHappen)
      return;
    // A child of Ollama's second pass has one device only.
    const Process* const process = ProcessOf(evidence_, row_.pid);
    const auto mask = VariableOf(process, "GGML_CUDA_INIT")
                          ? VariableOf(process, "CUDA_VISIBLE_DEVICES")
                          : std::nullopt;
    for (const SeenDevice& device : *evidence_.devices) {
      const auto path = device.fields.find("library_path"), uuid = device.fields.find("uuid");
      if (mask && uuid != device.fields.end() && uuid->second != *mask) continue;
      const bool ours = path == device.fields.end() ||
                        LexicallyNormal(path->second) == row_.library ||
                        path->second == facts_.same_as ||
                        path->second.find(BaseNameOf(ParentOf(row_.library))) != std::string::npos;
      if (!ours) continue;
      if (facts_.died != 0) break;  // another start of it was luckier
      return See(Step::kReported, device.event);
    }
    const std::string counted = fmt::format("{} (pid {}) counted a device", row_.role, row_.pid);
    if (facts_.died != 0) return Died(Step::kReported, "it counted a device, and then ");
    if (facts_.closed != 0)
      return Lose(Step::kReported, Cause::kOtherApiVersion,
                  counted +
                      ", and then the scanner closed the library again, as it does with a backend "
                      "of another API version",
                  facts_.closed, Known::kDerived);
    Lose(Step::kReported, Cause::kDropped,
         fmt::format("{}, and the scanner reported none of it; its last call was {}", counted,
                     Function(facts_.last_call)),
         facts_.last_call);
  }

  // A step before one that happened has happened too; the first that did not is where the device
  // was lost.
  void Settle() {
    bool later_happened = false;
    for (auto step = std::rbegin(kSteps); step != std::rend(kSteps); ++step) {
      StepState& state = row_.steps[*step];
      const bool happened = state == StepState::kSeen || state == StepState::kDerived;
      if (later_happened && !happened) state = StepState::kDerived;
      if (happened && !row_.reached) row_.reached = *step;
      later_happened = later_happened || happened;
    }
    for (const Step step : kSteps)
      if (row_.steps[step] == StepState::kDidNotHappen) {
        row_.lost_at = step;
        break;
      }
    if (!row_.lost_at && !facts_.same_as.empty()) {
      row_.cause = Cause::kCountedTwice;
      row_.remark = fmt::format(
          "it is the same file as {}, so its devices are counted a second time", facts_.same_as);
    }
    if (row_.event == 0) row_.event = evidence_.outcome_event();
  }

  const Evidence& evidence_;
  const RowFacts facts_;
  FunnelRow row_;
};

}  // namespace

bool IsBackendName(const std::string& base_name) {
  constexpr std::string_view kBackends[] = {"cuda",   "hip",  "vulkan", "sycl",
                                            "opencl", "musa", "cann"};
  constexpr std::string_view kPrefix = "libggml-";
  if (!base_name.starts_with(kPrefix) || base_name.find(".so") == std::string::npos) return false;
  const std::string_view rest = std::string_view(base_name).substr(kPrefix.size());
  return std::any_of(std::begin(kBackends), std::end(kBackends),
                     [&](std::string_view name) { return rest.starts_with(name); });
}

std::vector<FunnelRow> BuildFunnel(const Evidence& evidence,
                                   const std::vector<std::string>& candidates) {
  std::set<std::string> libraries(candidates.begin(), candidates.end());
  std::set<std::pair<std::string, int>> touched;
  for (const Event& event : evidence.events) {
    const bool asked =
        event.kind == EventKind::kSearch && event.first_name && event.subject.starts_with('/');
    if (!asked && event.kind != EventKind::kLoad) continue;
    const std::string path = LexicallyNormal(event.subject);
    if (IsBackendName(BaseNameOf(path))) libraries.insert(path);
    if (libraries.contains(path)) touched.emplace(path, event.pid);
  }
  std::vector<FunnelRow> rows;
  for (const std::string& library : libraries) {
    bool any = false;
    for (const auto& [path, pid] : touched)
      if (path == library) {
        rows.push_back(RowBuilder(evidence, library, pid).Build());
        any = true;
      }
    if (!any) rows.push_back(RowBuilder(evidence, library, 0).Build());
  }
  return rows;
}

}  // namespace gpustage
