#include "harness/evidence/loader/linkage.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/evidence/evidence.h"
#include "harness/evidence/loader/needs.h"

namespace gpustage {
namespace {

bool IsLibc(const std::string& path) {
  const std::string name = BaseNameOf(path);
  return name == "libc.so.6" || name.starts_with("libdl.so.") ||
         name.starts_with("libpthread.so.") || name.starts_with("ld-linux");
}

// Everything that one process mapped, in order; the program has the name "".
struct Object {
  std::string path;
  const MappedFile* file = nullptr;  // null: it cannot be read
};

using FilesByPath = std::map<std::string, const MappedFile*>;

std::vector<std::string> SplitNames(const std::string& list) {
  std::vector<std::string> names;
  for (size_t start = 0; start < list.size();) {
    const size_t end = std::min(list.find_first_of(" :\n\t", start), list.size());
    if (end > start) names.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return names;
}

// The newest of `versions` that has the name of `wanted`: GLIBC_2.36 of GLIBC_2.99; "": none has.
std::string NewestLike(const std::string& wanted, const std::vector<std::string>& versions) {
  const std::string name = wanted.substr(0, wanted.find_first_of("0123456789"));
  std::string newest;
  for (const std::string& version : versions)
    if (version.starts_with(name) && version.find_first_of("0123456789") == name.size() &&
        strverscmp(version.c_str(), newest.c_str()) > 0)
      newest = version;
  return newest;
}

void AddVersion(const std::string& wanted, const std::vector<std::string>& has, Gap& gap) {
  if (gap.versions.empty()) gap.newest = NewestLike(wanted, has);
  gap.versions.push_back(wanted);
}

class OfProcess {
 public:
  OfProcess(const Evidence& evidence, const MappedBy& mapped, const AfterRun& after,
            const FilesByPath& files)
      : pid_(mapped.pid),
        program_(mapped.program),
        after_(after),
        preloads_(
            SplitNames(VariableOf(ProcessOf(evidence, mapped.pid), "LD_PRELOAD").value_or("") +
                       " " + after.preload)) {
    for (const std::string& path : mapped.objects) {
      const auto file = files.find(path.empty() ? mapped.program : path);
      objects_.push_back({path, file == files.end() ? nullptr : file->second});
    }
  }

  void FindGaps(std::vector<Gap>& gaps) const {
    for (const Object& object : objects_)
      if (object.file != nullptr) {
        Versions(object, gaps);
        Symbols(object, gaps);
      }
  }

  void FindOwnPaths(std::vector<OwnPath>& found) const {
    for (const Object& object : objects_)
      if (object.file != nullptr)
        for (const std::string& folder :
             FoldersOfRunpath(object.file->runpath, object.path.empty() ? program_ : object.path))
          found.push_back({pid_, object.path, folder});
  }

  void FindUnseenMisses(std::vector<UnseenMisses>& found) const {
    for (const Object& object : objects_)
      if (object.file != nullptr && object.file->asks_past_plt)
        found.push_back({pid_, object.path});
  }

  // The first in the scope of the program has it for everybody.
  void FindInterposers(const Evidence& evidence, std::vector<Interposer>& found) const {
    std::set<std::string> seen;
    for (const Event& event : evidence.events)
      if (event.pid == pid_ && event.kind == EventKind::kBinding) {
        found.push_back({pid_, event.subject, event.detail, event.id});
        seen.insert(event.subject);
      }
    const std::vector<const Object*> scope = StartScope();
    for (const char* function : kInterposable) {
      const auto first = std::find_if(scope.begin(), scope.end(), [&](const Object* o) {
        return Contains(o->file->provides, function);
      });
      if (first == scope.end() || IsLibc((*first)->path) || seen.contains(function)) continue;
      found.push_back({pid_, function, (*first)->path.empty() ? "the program" : (*first)->path, 0});
    }
  }

 private:
  static bool IsCalled(const Object& object, const std::string& name) {
    return gpustage::IsCalled(object.path, object.file == nullptr ? "" : object.file->soname, name);
  }

  // What was there when the program began: it, what was put before everything else, and what they
  // need.
  std::vector<const Object*> StartScope() const {
    std::vector<std::string> wanted = preloads_;
    std::vector<const Object*> scope;
    for (bool grown = true; grown;) {
      grown = false;
      for (const Object& object : objects_) {
        if (object.file == nullptr || std::find(scope.begin(), scope.end(), &object) != scope.end())
          continue;
        const bool is_wanted =
            std::any_of(wanted.begin(), wanted.end(),
                        [&](const std::string& name) { return IsCalled(object, name); });
        if (!object.path.empty() && !is_wanted) continue;
        scope.push_back(&object);
        wanted.insert(wanted.end(), object.file->needed.begin(), object.file->needed.end());
        grown = true;
      }
    }
    std::sort(scope.begin(), scope.end());  // the order of loading
    return scope;
  }

  void Versions(const Object& object, std::vector<Gap>& gaps) const {
    for (const WantedVersion& want : object.file->wanted_versions)
      for (const Object& provider : objects_) {
        if (provider.file == nullptr || !IsCalled(provider, want.file)) continue;
        const std::vector<std::string>& has = provider.file->versions;
        if (has.empty())
          GapTo(provider.path, object, gaps).unversioned = true;
        else if (!want.weak && std::find(has.begin(), has.end(), want.version) == has.end())
          AddVersion(want.version, has, GapTo(provider.path, object, gaps));
        break;
      }
  }

  void Symbols(const Object& object, std::vector<Gap>& gaps) const {
    for (const LackedSymbols& lacked : after_.lacked) {
      if (lacked.pid != pid_ || lacked.object != object.path) continue;
      for (const WantedSymbol& want : lacked.symbols) {
        const auto named = std::find_if(objects_.begin(), objects_.end(), [&](const Object& o) {
          return !want.file.empty() && IsCalled(o, want.file);
        });
        GapTo(named == objects_.end() ? "" : named->path, object, gaps)
            .symbols.push_back(ToString(want));
      }
    }
  }

  Gap& GapTo(const std::string& provider, const Object& requester, std::vector<Gap>& gaps) const {
    for (Gap& gap : gaps)
      if (gap.pid == pid_ && gap.requester == requester.path && gap.provider == provider)
        return gap;
    gaps.push_back({pid_, requester.path, provider, {}, {}});
    return gaps.back();
  }

  const int pid_;
  const std::string program_;
  const AfterRun& after_;
  const std::vector<std::string> preloads_;  // as they are named
  std::vector<Object> objects_;
};

}  // namespace

std::vector<MappedBy> MappedFiles(const Evidence& evidence) {
  std::vector<MappedBy> mapped;
  std::map<int, size_t> places;
  for (const Process& one : evidence.processes) {
    if (!places.emplace(one.pid, mapped.size()).second) continue;
    const Process& process = *ProcessOf(evidence, one.pid);
    const std::string given = GivenToLoader(process);
    mapped.push_back({one.pid, given.empty() ? process.executable : given, {}});
  }
  for (const Event& event : evidence.events) {
    const auto place = places.find(event.pid);
    if (place == places.end()) continue;
    std::vector<std::string>& objects = mapped[place->second].objects;
    if (event.kind == EventKind::kProcess) objects.clear();
    if (event.kind == EventKind::kLoad && !Contains(objects, event.subject))
      objects.push_back(event.subject);
  }
  return mapped;
}

Linkage LinkageOf(const Evidence& evidence, const AfterRun& after) {
  Linkage linkage;
  FilesByPath files;
  for (const MappedFile& file : after.mapped) files[file.path] = &file;
  for (const MappedBy& mapped : MappedFiles(evidence)) {
    const OfProcess of_process(evidence, mapped, after, files);
    of_process.FindGaps(linkage.gaps);
    of_process.FindOwnPaths(linkage.own_paths);
    of_process.FindInterposers(evidence, linkage.interposers);
    of_process.FindUnseenMisses(linkage.unseen_misses);
  }
  return linkage;
}

}  // namespace gpustage
