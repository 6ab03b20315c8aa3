#include "harness/evidence/path/asked.h"

#include <map>
#include <set>
#include <utility>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"

namespace gpustage {
namespace {

class AllAsked {
 public:
  AllAsked(const Evidence& evidence, const std::vector<std::string>& candidates)
      : evidence_(evidence), promised_(candidates.begin(), candidates.end()) {}

  std::vector<Asked> All() {
    for (const Event& event : evidence_.events) {
      if (event.kind == EventKind::kSearch && event.first_name) {
        Finish(event.pid);
        Begin(event);
      } else if (event.kind == EventKind::kLoad) {
        Found(event);
      }
    }
    while (!open_.empty()) Finish(open_.begin()->first);
    return std::move(asked_);
  }

 private:
  bool IsOfGpu(const std::string& path) const {
    return promised_.contains(path) || FamilyOfLibrary(BaseNameOf(path)) != Family::kNone;
  }

  // Whether a library of a GPU, or of ggml's, asks: then this is a part of that one's story.
  bool IsOfStack(const Event& search) const {
    const std::string by =
        search.by.empty() ? LibraryGivenToLoader(evidence_, search.pid) : search.by;
    return FamilyOfLibrary(BaseNameOf(by)) != Family::kNone ||
           (BaseNameOf(by).starts_with("libggml") &&
            FamilyOfLibrary(BaseNameOf(search.subject)) != Family::kBackend);
  }

  void Begin(const Event& event) {
    const bool by_path = event.subject.starts_with('/');
    const std::string name = by_path ? LexicallyNormal(event.subject) : event.subject;
    if (IsOfGpu(name)) open_[event.pid] = {name, event.pid, IsOfStack(event)};
  }
  // Nothing was mapped for it.
  void Finish(int pid) {
    const auto open = open_.find(pid);
    if (open == open_.end()) return;
    Add(open->second);
    open_.erase(open);
  }
  void Found(const Event& load) {
    const std::string path = load.subject.empty() ? LibraryGivenToLoader(evidence_, load.pid)
                                                  : LexicallyNormal(load.subject);
    if (path.empty()) return;
    const auto open = open_.find(load.pid);
    if (open != open_.end()) {
      Asked asked = open->second;
      open_.erase(open);
      if (BaseNameOf(path) == BaseNameOf(asked.library)) asked.library = path;
      return Add(asked);
    }
    if (IsOfGpu(path)) Add({path, load.pid, false});
  }
  void Add(const Asked& asked) {
    for (Asked& known : asked_)
      if (known.library == asked.library && known.pid == asked.pid) {
        known.inner = known.inner && asked.inner;
        return;
      }
    asked_.push_back(asked);
  }

  const Evidence& evidence_;
  const std::set<std::string> promised_;
  std::map<int, Asked> open_;  // by process
  std::vector<Asked> asked_;
};

}  // namespace

std::vector<Asked> WhoAsked(const Evidence& evidence, const std::vector<std::string>& promised) {
  return AllAsked(evidence, promised).All();
}

}  // namespace gpustage
