#include "harness/evidence/path/row_facts.h"

#include <algorithm>
#include <iterator>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/cuda_codes.h"
#include "harness/evidence/path/families.h"
#include "harness/evidence/path/funnel.h"

namespace gpustage {
namespace {

class Walk {
 public:
  Walk(const Evidence& evidence, const std::string& library, int pid)
      : evidence_(evidence),
        library_(library),
        family_(FamilyOfLibrary(BaseNameOf(library))),
        stack_(StackOf(BaseNameOf(library))),
        pid_(pid),
        program_(LibraryGivenToLoader(evidence, pid)) {}

  RowFacts Facts() {
    for (const Event& event : evidence_.events)
      if (event.pid == pid_ && pid_ != 0) Loader(event);
    if (!facts_.same_as.empty())
      facts_.inits = static_cast<int>(
          std::count_if(evidence_.events.begin(), evidence_.events.end(), [&](const Event& event) {
            return event.kind == EventKind::kSymbol && event.pid == pid_ &&
                   event.subject == "ggml_backend_init" &&
                   LexicallyNormal(event.detail) == facts_.same_as;
          }));
    if (facts_.entry == 0 && facts_.loaded != 0 && facts_.by_name) EnterByCall();
    if (facts_.entry != 0) Calls();
    return facts_;
  }

 private:
  bool IsHere(const std::string& path) const { return IsSamePath(path, library_); }
  bool IsAskedFor(const Event& search) const {
    return IsHere(search.subject) ||
           (family_ != Family::kNone && search.subject == BaseNameOf(library_));
  }
  bool IsOfBackend() const { return family_ == Family::kBackend || family_ == Family::kNone; }
  bool IsOfCuda() const { return IsOfBackend() && stack_ == Family::kRuntime; }
  bool IsOurs(const Event& call) const {
    if (family_ == Family::kVulkanDriver && call.subject.starts_with("vk_icd") &&
        !IsLastDriver(call.id))
      return false;
    if (!IsOfBackend()) return Asks(family_, call.subject);
    const Family of = FamilyOfFunction(call.subject);
    const bool cuda = of == Family::kDriver || of == Family::kRuntime || of == Family::kBlas ||
                      of == Family::kManagement;
    if (of == Family::kBackend || of == Family::kNone) return true;
    return stack_ == Family::kRuntime ? cuda : Asks(stack_, call.subject);
  }

  // Vulkan's loader speaks to each driver right after it has loaded it: of several, the last one.
  bool IsLastDriver(EventId before) const {
    for (EventId id = before - 1; id > 0; --id) {
      const Event& load = evidence_.At(id);
      if (load.kind == EventKind::kLoad && load.pid == pid_ &&
          FamilyOfLibrary(BaseNameOf(load.subject)) == Family::kVulkanDriver)
        return IsHere(load.subject);
    }
    return true;
  }

  void Loader(const Event& event) {
    const bool ours = event.kind == EventKind::kSymbol || event.kind == EventKind::kSymbolMissing ||
                      event.kind == EventKind::kCall || event.kind == EventKind::kOutput;
    if (facts_.loaded != 0 && facts_.closed == 0 && ours) facts_.went_on = true;
    switch (event.kind) {
      case EventKind::kSearch:
        asked_ = event.first_name && IsAskedFor(event);
        if (asked_ && event.subject.find('/') == std::string::npos) facts_.by_name = true;
        if (asked_ && facts_.opened == 0) facts_.opened = event.id;
        break;
      case EventKind::kLoad:
        asked_ = false;
        if (!IsHere(event.subject.empty() ? program_ : event.subject)) break;
        if (facts_.opened == 0) facts_.opened = event.id;
        if (facts_.loaded == 0) facts_.loaded = event.id;
        object_ = event.object;
        facts_.closed = 0;
        break;
      case EventKind::kUnload:
        facts_.ended = facts_.ended || event.subject.empty();
        if (object_ != 0 && event.object == object_ && !facts_.ended) facts_.closed = event.id;
        break;
      case EventKind::kSymbol: Symbol(event); break;
      case EventKind::kSymbolMissing:
        if (IsHere(event.by) && !IsOfBackend() && IsEntryPoint(family_, event.subject))
          facts_.missed = event.id;
        break;
      default: break;
    }
  }

  void Symbol(const Event& event) {
    if (!IsEntryPoint(family_, event.subject)) return;
    const std::string provider = LexicallyNormal(event.detail);
    if (provider == library_) facts_.missed = 0;  // what is looked up after a miss made up for it
    // A dlopen that maps nothing and gives the symbols of another path has found the same file
    // there.
    if (asked_ && facts_.loaded == 0 && provider != library_ && IsBackendName(BaseNameOf(provider)))
      facts_.same_as = provider;
    if (facts_.entry == 0 && (provider == library_ || (asked_ && provider == facts_.same_as)))
      facts_.entry = event.id;
    asked_ = false;
  }

  // What is linked to is called without being looked up.
  void EnterByCall() {
    for (const Event& event : evidence_.events)
      if (event.kind == EventKind::kCall && event.pid == pid_ && event.id > facts_.loaded &&
          (IsOfBackend() ? IsOurs(event) && FamilyOfFunction(event.subject) != Family::kNone
                         : Asks(family_, event.subject))) {
        facts_.entry = event.id;
        return;
      }
  }

  // What a backend was asked about ends where the scanner goes on to the next one. A second name of
  // a file is not asked anew.
  EventId EndOfCalls() const {
    if (!IsOfBackend() || !facts_.same_as.empty()) return evidence_.outcome_event();
    for (EventId id = facts_.entry; id <= evidence_.outcome_event(); ++id) {
      const Event& event = evidence_.At(id);
      if (event.kind == EventKind::kSearch && event.pid == pid_ && event.first_name &&
          event.subject.starts_with('/') && !IsHere(event.subject) &&
          IsBackendName(BaseNameOf(event.subject)))
        return id;
    }
    return evidence_.outcome_event();
  }

  // Copies of one library that are opened by their paths, one after the other, are asked so, too:
  // the calls between two loads are the first one's. 0: there is no other copy.
  EventId NextCopy() const {
    if (IsOfBackend() || facts_.by_name || facts_.loaded == 0) return 0;
    EventId next = 0;
    bool other = false;
    for (const Event& event : evidence_.events) {
      if (event.kind != EventKind::kLoad || event.pid != pid_ || IsHere(event.subject) ||
          FamilyOfLibrary(BaseNameOf(event.subject)) != family_)
        continue;
      other = true;
      if (next == 0 && event.id > facts_.loaded) next = event.id;
    }
    return !other ? 0 : next != 0 ? next : evidence_.outcome_event();
  }

  void Calls() {
    const EventId copy = NextCopy();
    const EventId end = copy != 0 ? copy : EndOfCalls();
    const bool all = !facts_.same_as.empty() || !IsOfBackend();
    for (EventId id = copy != 0 ? facts_.loaded
                      : all     ? 1
                                : facts_.entry;
         id <= (copy != 0 ? end : evidence_.outcome_event()); ++id) {
      const Event& event = evidence_.At(id);
      if (event.kind != EventKind::kCall || event.pid != pid_ || !IsOurs(event)) continue;
      facts_.last_call = id;
      if (event.value == world::kNoResult || event.subject == "ggml_abort") {
        facts_.died = facts_.died == 0 ? id : facts_.died;
      } else if (id <= end) {
        Call(event);
      }
    }
    // A start that is not come to: what it asked before has failed.
    if (!IsOfBackend() && facts_.initialised == 0 && facts_.refused == 0)
      facts_.refused = first_failed_;
  }

  void Call(const Event& event) {
    if (facts_.counted != 0 && IsFailure(event.subject, event.value)) facts_.late = event.id;
    const bool starts = Starts(stack_, event.subject);
    if (starts && event.value == 0 && facts_.initialised == 0) facts_.initialised = event.id;
    if (starts && event.value != 0) {
      // Vulkan starts each driver by itself, and one that refuses takes nothing from another.
      const bool asked = facts_.counted != 0 && stack_ != Family::kVulkanLoader;
      if (asked && facts_.count_error == 0) {
        facts_.count_error = event.id;
      } else if (facts_.refused == 0) {
        facts_.refused = event.id;
      }
    }
    Count(event);
    if (event.subject == "ggml_backend_init" && event.fault.starts_with("return"))
      facts_.null_entry = event.id;
    if (starts || event.value == 0 || event.subject == "ggml_backend_init") return;
    if (first_failed_ == 0) first_failed_ = event.id;
  }

  void Count(const Event& event) {
    if (facts_.initialised == 0) return;
    const bool number = Counts(event.subject) && event.gives.has_value();
    if (event.value == 0 && facts_.counted == 0 &&
        (event.device >= 0 || (!IsOfCuda() && number && *event.gives > 0)))
      facts_.counted = event.id;
    // One driver of several that fails takes nothing from another.
    if (facts_.counted == event.id && stack_ == Family::kVulkanLoader) facts_.count_error = 0;
    if (event.value == 0 && Counts(event.subject) && !number) facts_.blind_count = event.id;
    if (event.value == 0 && number && *event.gives == 0 && facts_.none == 0) facts_.none = event.id;
    if (!IsOfCuda() && IsFailure(event.subject, event.value) && Counts(event.subject) &&
        facts_.count_error == 0 && facts_.counted == 0)
      facts_.count_error = event.id;
  }

  const Evidence& evidence_;
  const std::string& library_;
  const Family family_;
  const Family stack_;  // whose calls start and count
  const int pid_;
  const std::string program_;
  RowFacts facts_;
  uint64_t object_ = 0;
  bool asked_ = false;  // the last that the loader was asked for is this library
  EventId first_failed_ = 0;
};

}  // namespace

bool IsSamePath(const std::string& path, const std::string& normal) {
  if (path == normal) return true;
  return path.find("/.") == std::string::npos && path.find("//") == std::string::npos
             ? false
             : LexicallyNormal(path) == normal;
}

RowFacts FactsOf(const Evidence& evidence, const std::string& library, int pid) {
  return Walk(evidence, library, pid).Facts();
}

}  // namespace gpustage
