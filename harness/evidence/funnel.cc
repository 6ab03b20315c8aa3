#include "harness/evidence/funnel.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include <fmt/format.h>

#include "harness/base/files.h"

namespace gpustage {
namespace {

constexpr Step kSteps[] = {Step::kListed,     Step::kMatched,     Step::kOpened,  Step::kLoaded,
                           Step::kEntryPoint, Step::kInitialised, Step::kCounted, Step::kReported};
// What a scanner asks a backend for first.
constexpr std::string_view kEntryPoints[] = {"ggml_backend_init", "cuInit", "cudaGetDeviceCount", "nvmlInit_v2"};
// Calls whose failure is the end of an initialisation.
constexpr std::string_view kInitCalls[] = {"cudaGetDeviceCount", "cuInit"};

template <typename List>
bool IsOneOf(const List& list, std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

// Fills one row from the events of its process.
class RowBuilder {
 public:
  RowBuilder(const Evidence& evidence, std::string library, int pid) : evidence_(evidence) {
    row_.library = std::move(library);
    row_.pid = pid;
    for (const Process& process : evidence.processes)
      if (process.pid == pid) row_.role = process.role;
    for (const Step step : kSteps) row_.steps[step] = StepState::kNotObservable;
  }

  FunnelRow Build() {
    Walk();
    if (!touched_ && evidence_.loader_observed) row_.steps[Step::kOpened] = StepState::kDidNotHappen;
    // Asked for and not mapped: the file itself is the trouble. What is wrong with it, the system is asked later.
    if (opened_ != 0 && loaded_ == 0) Lose(Step::kLoaded, "");
    if (loaded_ != 0 && unloaded_ && entry_ == 0) Lose(Step::kLoaded, MissingDependency());
    // A process that ends in order unloads what it had. One that did not was stopped in the middle of the load.
    if (loaded_ != 0 && entry_ == 0 && !any_unload_) Lose(Step::kLoaded, "its process ended in the middle of the load");
    if (loaded_ != 0 && !unloaded_ && entry_ == 0 && any_unload_)
      Lose(Step::kEntryPoint, "it was loaded, and no entry point such as ggml_backend_init was looked up and found in it");
    if (entry_ != 0) Calls();
    if (row_.steps[Step::kCounted] == StepState::kSeen || row_.steps[Step::kInitialised] == StepState::kSeen) Reported();
    Settle();
    return row_;
  }

 private:
  void Walk() {
    uint64_t object = 0;
    for (const Event& event : evidence_.events) {
      if (event.pid != row_.pid || row_.pid == 0) continue;
      any_unload_ = any_unload_ || event.kind == EventKind::kUnload;
      const bool here = LexicallyNormal(event.subject) == row_.library;
      if (event.kind == EventKind::kSearch && event.first_name && here) {
        See(Step::kOpened, event.id, opened_);
      } else if (event.kind == EventKind::kLoad && here) {
        See(Step::kOpened, event.id, opened_);
        See(Step::kLoaded, event.id, loaded_);
        object = event.object;
        unloaded_ = false;
      } else if (event.kind == EventKind::kUnload && object != 0 && event.object == object) {
        unloaded_ = true;
      } else if (event.kind == EventKind::kSymbol && IsOneOf(kEntryPoints, event.subject) &&
                 LexicallyNormal(event.detail) == row_.library) {
        See(Step::kEntryPoint, event.id, entry_);
      }
    }
  }

  void See(Step step, EventId id, EventId& first) {
    touched_ = true;
    row_.steps[step] = StepState::kSeen;
    row_.event = std::max(row_.event, id);
    if (first == 0) first = id;
  }

  void Lose(Step step, std::string reason) {
    row_.steps[step] = StepState::kDidNotHappen;
    row_.reason = std::move(reason);
  }

  // The first name that was looked for on behalf of this load and of which no file was mapped.
  std::string MissingDependency() {
    std::string wanted, requester;
    int places = 0;
    EventId at = 0;
    for (EventId id = loaded_; id <= evidence_.outcome_event(); ++id) {
      const Event& event = evidence_.At(id);
      if (event.pid != row_.pid) continue;
      if (event.kind == EventKind::kUnload) break;
      if (event.kind == EventKind::kLoad && !wanted.empty() && BaseNameOf(event.subject) == wanted) wanted.clear();
      if (event.kind != EventKind::kSearch) continue;
      if (!event.first_name) {
        ++places;
        continue;
      }
      wanted = BaseNameOf(event.subject);
      requester = event.detail.substr(event.detail.rfind(' ') + 1);
      places = 0;
      at = id;
    }
    if (wanted.empty()) return "";
    row_.event = at;
    return fmt::format("{}, needed by {}, was looked for in {} {} and not loaded", wanted, requester, places,
                       places == 1 ? "place" : "places");
  }

  // What the fakes were asked after the entry point was found.
  void Calls() {
    bool any = false;
    for (EventId id = entry_; id <= evidence_.outcome_event(); ++id) {
      const Event& event = evidence_.At(id);
      if (event.kind != EventKind::kCall || event.pid != row_.pid) continue;
      if (!any && IsOneOf(kInitCalls, event.subject) && event.value != 0)
        return Refused(event);
      if (IsOneOf(kInitCalls, event.subject) && event.value == 0) {
        any = true;
        row_.steps[Step::kInitialised] = StepState::kSeen;
        row_.event = id;
      }
      if (any && event.device >= 0 && event.value == 0) {
        row_.steps[Step::kCounted] = StepState::kSeen;
        row_.event = id;
      }
    }
  }

  void Refused(const Event& event) {
    row_.event = event.id;
    Lose(Step::kInitialised, fmt::format("{} gave {}", event.subject, event.value));
  }

  void Reported() {
    if (!evidence_.devices) return;
    for (const SeenDevice& device : *evidence_.devices) {
      const auto path = device.fields.find("library_path");
      const bool ours = path == device.fields.end() || LexicallyNormal(path->second) == row_.library ||
                        path->second.find(BaseNameOf(ParentOf(row_.library))) != std::string::npos;
      if (!ours) continue;
      row_.steps[Step::kReported] = StepState::kSeen;
      row_.event = device.event;
      return;
    }
    row_.steps[Step::kReported] = StepState::kDidNotHappen;
    if (row_.reason.empty())
      row_.reason = fmt::format("process {} counted a device, and the scanner reported none of it", row_.pid);
  }

  // A step before one that happened has happened too; the first that did not is where the device was lost.
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
    if (row_.event == 0) row_.event = evidence_.outcome_event();
  }

  const Evidence& evidence_;
  FunnelRow row_;
  EventId opened_ = 0, loaded_ = 0, entry_ = 0;
  bool unloaded_ = false, any_unload_ = false, touched_ = false;
};

}  // namespace

bool IsBackendName(const std::string& base_name) {
  constexpr std::string_view kBackends[] = {"cuda", "hip", "vulkan", "sycl", "opencl", "musa", "cann"};
  constexpr std::string_view kPrefix = "libggml-";
  if (!base_name.starts_with(kPrefix) || base_name.find(".so") == std::string::npos) return false;
  const std::string_view rest = std::string_view(base_name).substr(kPrefix.size());
  return std::any_of(std::begin(kBackends), std::end(kBackends),
                     [&](std::string_view name) { return rest.starts_with(name); });
}

std::vector<FunnelRow> BuildFunnel(const Evidence& evidence, const std::vector<std::string>& candidates) {
  std::set<std::string> libraries(candidates.begin(), candidates.end());
  std::set<std::pair<std::string, int>> touched;
  for (const Event& event : evidence.events) {
    const bool asked = event.kind == EventKind::kSearch && event.first_name && event.subject.starts_with('/');
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
