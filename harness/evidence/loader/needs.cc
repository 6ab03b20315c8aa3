#include "harness/evidence/loader/needs.h"

#include <fmt/format.h>

#include <algorithm>

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

// Which entry of LD_LIBRARY_PATH a candidate came from, counted from 1; 0: none.
int EntryOf(const std::string& list, const std::string& candidate) {
  const std::vector<std::string> parts = SplitPath(list);
  int best = 0;
  size_t longest = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string part = parts[i];
    while (part.size() > 1 && part.ends_with('/')) part.pop_back();
    if (!candidate.starts_with(part + "/") || part.size() < longest ||
        (best != 0 && part.size() == longest))
      continue;
    best = static_cast<int>(i + 1);
    longest = part.size();
  }
  return best;
}

}  // namespace

// Events call the rule by the loader's flag, which is one for LD_LIBRARY_PATH and RPATH.
std::string RuleOfSearch(const Evidence& evidence, const Event& search) {
  const auto has = [&](const char* words) { return search.detail.starts_with(words); };
  if (has("by LD_LIBRARY_PATH")) {
    const auto list = VariableOf(ProcessOf(evidence, search.pid), "LD_LIBRARY_PATH");
    const int entry = list ? EntryOf(*list, search.subject) : 0;
    return entry > 0 ? fmt::format("LD_LIBRARY_PATH[{}]", entry) : "RPATH";
  }
  if (has("by RUNPATH")) return "RUNPATH";
  if (has("by ld.so.cache")) return "ld.so.cache";
  if (has("in the default")) return "default directory";
  return "";
}

std::string RequesterOf(const Event& search) {
  const std::string who = search.detail.substr(search.detail.rfind(", for ") + 6);
  return who == "the program" ? "" : who;
}

const Process* ProcessOf(const Evidence& evidence, int pid) {
  const Process* found = nullptr;  // the last: a program may become another
  for (const Process& process : evidence.processes)
    if (process.pid == pid) found = &process;
  return found;
}

std::optional<std::string> VariableOf(const Process* process, std::string_view name) {
  if (process == nullptr) return std::nullopt;
  for (const std::string& entry : process->environment)
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  return std::nullopt;
}

std::vector<Need> NeedsOf(const Evidence& evidence, const FunnelRow& row) {
  std::vector<Need> needs;
  bool loading = false;
  for (const Event& event : evidence.events) {
    if (event.pid != row.pid || row.pid == 0) continue;
    const bool own =
        event.kind == EventKind::kLoad && LexicallyNormal(event.subject) == row.library;
    if (own) {
      needs.clear();  // a load that is tried again
      loading = true;
      continue;
    }
    if (!loading) continue;
    // It is torn down, or it stands and what comes is not its own.
    if (event.kind == EventKind::kUnload || event.kind == EventKind::kSymbol ||
        event.kind == EventKind::kMiss || event.kind == EventKind::kCall) {
      loading = false;
      continue;
    }
    if (event.kind == EventKind::kSearch && event.first_name) {
      // A path that is asked for is another library's story.
      if (event.subject.starts_with('/') && RequesterOf(event).empty()) {
        loading = false;
        continue;
      }
      needs.push_back({event.subject, RequesterOf(event), {}, "", "", event.id});
    } else if (event.kind == EventKind::kSearch && !needs.empty()) {
      needs.back().tried.push_back({event.subject, RuleOfSearch(evidence, event)});
    } else if (event.kind == EventKind::kLoad && !needs.empty() && needs.back().found.empty()) {
      needs.back().found = event.subject;
      if (!needs.back().tried.empty()) needs.back().rule = needs.back().tried.back().rule;
    }
  }
  return needs;
}

std::string CountByRule(const Need& need) {
  std::vector<std::pair<std::string, int>> counts;
  for (const Tried& tried : need.tried) {
    std::string rule = tried.rule.substr(0, tried.rule.find('['));
    if (rule == "default directory") rule = "default directories";
    if (counts.empty() || counts.back().first != rule) counts.emplace_back(rule, 0);
    ++counts.back().second;
  }
  std::string text;
  for (const auto& [rule, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", rule, count);
  return text;
}

std::string ByRule(const std::string& rule) {
  return rule == "default directory" ? "in a default directory" : "by " + rule;
}

std::string RuleOfLoad(const Evidence& evidence, const Event& load) {
  for (EventId id = load.id - 1; id > 0; --id) {
    const Event& event = evidence.At(id);
    // Between the two the loader opens the file.
    if (event.pid != load.pid || event.tid != load.tid || event.kind == EventKind::kOpen ||
        event.kind == EventKind::kLook)
      continue;
    if (event.kind != EventKind::kSearch) return "";
    return event.subject == load.subject || event.first_name ? RuleOfSearch(evidence, event) : "";
  }
  return "";
}

}  // namespace gpustage
