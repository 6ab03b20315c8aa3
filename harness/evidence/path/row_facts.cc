#include "harness/evidence/path/row_facts.h"

#include <algorithm>
#include <iterator>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/evidence/path/funnel.h"

namespace gpustage {
namespace {

// What a scanner asks a backend for first.
constexpr std::string_view kEntryPoints[] = {"ggml_backend_init", "cuInit", "cudaGetDeviceCount",
                                             "nvmlInit_v2"};
// Calls whose failure is the end of an initialisation.
constexpr std::string_view kInitCalls[] = {"cudaGetDeviceCount", "cuInit"};

template <typename List>
bool IsOneOf(const List& list, std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

class Walk {
 public:
  Walk(const Evidence& evidence, const std::string& library, int pid)
      : evidence_(evidence), library_(library), pid_(pid) {}

  RowFacts Facts() {
    for (const Event& event : evidence_.events)
      if (event.pid == pid_ && pid_ != 0) Loader(event);
    if (facts_.entry != 0) Calls();
    return facts_;
  }

 private:
  bool IsHere(const std::string& path) const { return LexicallyNormal(path) == library_; }

  void Loader(const Event& event) {
    switch (event.kind) {
      case EventKind::kSearch:
        asked_ = event.first_name && IsHere(event.subject);
        if (asked_ && facts_.opened == 0) facts_.opened = event.id;
        break;
      case EventKind::kLoad:
        asked_ = false;
        if (!IsHere(event.subject)) break;
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
      default: break;
    }
  }

  void Symbol(const Event& event) {
    if (!IsOneOf(kEntryPoints, event.subject)) return;
    const std::string provider = LexicallyNormal(event.detail);
    // A dlopen that maps nothing and gives the symbols of another path has found the same file
    // there.
    if (asked_ && facts_.loaded == 0 && provider != library_ && IsBackendName(BaseNameOf(provider)))
      facts_.same_as = provider;
    if (facts_.entry == 0 && (provider == library_ || (asked_ && provider == facts_.same_as)))
      facts_.entry = event.id;
    asked_ = false;
  }

  // What it was asked about ends where the scanner goes on to the next backend. A second name of a
  // file is not asked anew.
  void Calls() {
    EventId end = evidence_.outcome_event(), start = facts_.entry;
    if (!facts_.same_as.empty())
      start = 1;
    else
      for (EventId id = facts_.entry;
           id <= evidence_.outcome_event() && end == evidence_.outcome_event(); ++id) {
        const Event& event = evidence_.At(id);
        const bool next = event.kind == EventKind::kSearch && event.pid == pid_ &&
                          event.first_name && event.subject.starts_with('/') &&
                          !IsHere(event.subject) && IsBackendName(BaseNameOf(event.subject));
        if (next) end = id;
      }
    for (EventId id = start; id <= evidence_.outcome_event(); ++id) {
      const Event& event = evidence_.At(id);
      if (event.kind != EventKind::kCall || event.pid != pid_) continue;
      facts_.last_call = id;
      if (event.value == world::kNoResult || event.subject == "ggml_abort") {
        facts_.died = facts_.died == 0 ? id : facts_.died;
      } else if (id <= end) {
        Call(event);
      }
    }
  }

  void Call(const Event& event) {
    const bool starts = IsOneOf(kInitCalls, event.subject);
    if (starts && event.value == 0 && facts_.initialised == 0) facts_.initialised = event.id;
    if (starts && event.value != 0) {
      const bool asked = facts_.counted != 0;
      if (asked && facts_.count_error == 0) {
        facts_.count_error = event.id;
        facts_.before_error = failed_;
      } else if (facts_.refused == 0) {
        facts_.refused = event.id;
      }
    }
    if (facts_.initialised != 0 && event.device >= 0 && event.value == 0 && facts_.counted == 0)
      facts_.counted = event.id;
    if (event.subject == "ggml_backend_init" &&
        event.detail.find("fault: return") != std::string::npos)
      facts_.null_entry = event.id;
    if (!starts && event.value != 0 && event.subject != "ggml_backend_init") failed_ = event.id;
  }

  const Evidence& evidence_;
  const std::string& library_;
  const int pid_;
  RowFacts facts_;
  uint64_t object_ = 0;
  bool asked_ = false;  // the last that the loader was asked for is this library
  EventId failed_ = 0;
};

}  // namespace

RowFacts FactsOf(const Evidence& evidence, const std::string& library, int pid) {
  return Walk(evidence, library, pid).Facts();
}

}  // namespace gpustage
