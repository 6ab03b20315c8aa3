#include "harness/evidence/loader/needs.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "harness/base/files.h"

namespace gpustage {
namespace {

std::vector<std::string> SplitPath(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find_first_of(":;", start), list.size());
    parts.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// Whether the loader makes this candidate out of a directory of its list: the name in it, or in one
// of the folders for better processors that it has.
bool IsOfEntry(std::string directory, const std::string& candidate) {
  if (directory.empty()) directory = ".";  // the working directory
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  if (!candidate.starts_with(directory + "/")) return false;
  const std::string rest = candidate.substr(directory.size() + 1);
  if (rest.find('/') == std::string::npos) return true;
  constexpr std::string_view kBetter[] = {"glibc-hwcaps/", "tls/", "x86_64/", "haswell/",
                                          "avx512_1/"};
  return std::any_of(std::begin(kBetter), std::end(kBetter),
                     [&](std::string_view folder) { return rest.starts_with(folder); });
}

// Which entry of LD_LIBRARY_PATH a candidate came from, counted from 1; 0: none.
int EntryOf(const std::string& list, const std::string& candidate) {
  const std::vector<std::string> parts = SplitPath(list);
  for (size_t i = 0; i < parts.size(); ++i)
    if (IsOfEntry(parts[i], candidate)) return static_cast<int>(i + 1);
  return 0;
}

// A link to what is loaded already under another name: the loader opened it and saw that. Or a file
// that was found and refused.
void SeeOpened(const Evidence& evidence, int pid, Need& need) {
  for (const Tried& tried : need.tried)
    for (EventId id = std::max(need.event, 1); id <= evidence.outcome_event(); ++id) {
      const Event& event = evidence.At(id);
      if (event.kind != EventKind::kOpen || event.pid != pid || event.value != 0 ||
          event.subject != tried.path)
        continue;
      need.opened = tried;
      const std::string file = event.by.empty() ? event.subject : event.by;
      for (const Event& load : evidence.events)
        if (load.kind == EventKind::kLoad && load.pid == pid && load.id < event.id &&
            (load.subject == file || FileOf(evidence, load.id) == file)) {
          need.same_as = load.subject;
          return;
        }
      return;
    }
}

// The loader's flag is one for LD_LIBRARY_PATH and RPATH.
std::string RuleOfSearch(const Evidence& evidence, const Event& search) {
  switch (search.rule) {
    case SearchRule::kPathOrRpath: {
      const auto list = VariableOf(ProcessOf(evidence, search.pid), "LD_LIBRARY_PATH");
      const int entry = list ? EntryOf(*list, search.subject) : 0;
      return entry > 0 ? "LD_LIBRARY_PATH[" + std::to_string(entry) + "]" : "RPATH";
    }
    case SearchRule::kRunpath: return "RUNPATH";
    case SearchRule::kCache: return "ld.so.cache";
    case SearchRule::kDefault: return "default directory";
    case SearchRule::kNone:
    case SearchRule::kAsAsked: break;
  }
  return "";
}

}  // namespace

void NameRules(Evidence& evidence) {
  // Of each thread the last that it did; between a search and its load the loader opens the file.
  std::map<std::pair<int, int>, const Event*> last;
  for (Event& event : evidence.events) {
    if (event.kind == EventKind::kOpen || event.kind == EventKind::kLook) continue;
    const Event*& before = last[{event.pid, event.tid}];
    if (event.kind == EventKind::kSearch)
      event.found_by = RuleOfSearch(evidence, event);
    else if (event.kind == EventKind::kLoad && before != nullptr &&
             before->kind == EventKind::kSearch &&
             (before->subject == event.subject || before->first_name))
      event.found_by = before->found_by;
    before = &event;
  }
}

std::string FileOf(const Evidence& evidence, EventId load) {
  const Event& loaded = evidence.At(load);
  for (EventId id = load - 1; id > 0; --id) {
    const Event& event = evidence.At(id);
    if (event.pid != loaded.pid || event.tid != loaded.tid) continue;
    if (event.kind == EventKind::kOpen && event.subject == loaded.subject) return event.by;
    if (event.kind == EventKind::kLoad || event.kind == EventKind::kUnload) break;
  }
  return "";
}

std::vector<Need> NeedsOf(const Evidence& evidence, const FunnelRow& row) {
  std::vector<Need> needs;
  bool loading = false;
  const std::string program = LibraryGivenToLoader(evidence, row.pid);
  for (const Event& event : evidence.events) {
    if (event.pid != row.pid || row.pid == 0) continue;
    const bool own =
        event.kind == EventKind::kLoad &&
        LexicallyNormal(event.subject.empty() ? program : event.subject) == row.library;
    if (own) {
      needs.clear();  // a load that is tried again
      loading = true;
      continue;
    }
    if (!loading) continue;
    // It is torn down, or it stands and what comes is not its own.
    if (event.kind == EventKind::kUnload || event.kind == EventKind::kSymbol ||
        event.kind == EventKind::kSymbolMissing || event.kind == EventKind::kCall) {
      loading = false;
      continue;
    }
    if (event.kind == EventKind::kSearch && event.first_name) {
      // A path that is asked for is another library's story.
      if (event.subject.starts_with('/') && event.by.empty()) {
        loading = false;
        continue;
      }
      needs.push_back({event.subject, event.by, {}, "", "", event.id});
    } else if (event.kind == EventKind::kSearch && !needs.empty()) {
      needs.back().tried.push_back({event.subject, event.found_by});
    } else if (event.kind == EventKind::kLoad && !needs.empty() && needs.back().found.empty()) {
      needs.back().found = event.subject;
      if (!needs.back().tried.empty()) needs.back().rule = needs.back().tried.back().rule;
    }
  }
  for (Need& need : needs)
    if (need.found.empty()) SeeOpened(evidence, row.pid, need);
  return needs;
}

Need AskFor(const Evidence& evidence, const FunnelRow& row) {
  Need need;
  const bool bare = row.library.find('/') == std::string::npos;
  int tid = 0;
  for (const Event& event : evidence.events) {
    if (event.pid != row.pid || row.pid == 0) continue;
    if (need.event != 0 && event.tid != tid) continue;
    if (event.kind == EventKind::kSearch && event.first_name) {
      if (need.event != 0) break;
      const bool by_path = event.subject.find('/') != std::string::npos;
      if (by_path ? LexicallyNormal(event.subject) != row.library
                  : event.subject != BaseNameOf(row.library))
        continue;
      need = {event.subject, event.by, {}, "", "", event.id};
      tid = event.tid;
    } else if (need.event != 0 && event.kind == EventKind::kSearch) {
      need.tried.push_back({event.subject, event.found_by});
    } else if (need.event != 0 && event.kind == EventKind::kLoad) {
      if (!bare && LexicallyNormal(event.subject) != row.library) {
        need = {};  // another copy of that name
        continue;
      }
      need.found = event.subject;
      if (!need.tried.empty()) need.rule = need.tried.back().rule;
      break;
    }
  }
  return need;
}

std::string GivenToLoader(const Process& process) {
  if (!BaseNameOf(process.executable).starts_with("ld-")) return "";
  // Options of ld.so (8) that take a word.
  static const std::set<std::string> with_word = {
      "--library-path",         "--inhibit-rpath",     "--audit", "--preload",
      "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask", "--argv0"};
  for (size_t i = 1; i < process.argv.size(); ++i) {
    if (!process.argv[i].starts_with("--")) return LexicallyNormal(process.argv[i]);
    if (with_word.contains(process.argv[i])) ++i;
  }
  return "";
}

std::string LibraryGivenToLoader(const Evidence& evidence, int pid) {
  const Process* const process = ProcessOf(evidence, pid);
  const std::string given = process == nullptr ? "" : GivenToLoader(*process);
  return given.starts_with('/') ? given : "";
}

}  // namespace gpustage
