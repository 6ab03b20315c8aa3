#include "harness/logs/facts_of_discovery.h"

#include <algorithm>

#include "harness/base/files.h"

namespace gpustage {
namespace {

std::string FieldOf(const LineFact& fact, const std::string& name) {
  const auto field = fact.fields.find(name);
  return field == fact.fields.end() ? "" : field->second;
}

bool IsCuda(const std::string& directory) { return BaseNameOf(directory).starts_with("cuda"); }

std::set<std::string> TriedDirectories(const LogReading& log) {
  std::set<std::string> tried;
  for (const LineFact* fact : log.All(LineKind::kTried))
    if (const std::string dir = DirectoryOf(FieldOf(*fact, "dirs")); !dir.empty())
      tried.insert(dir);
  return tried;
}

bool AllLoaded(const LogReading& log, const std::set<std::string>& tried) {
  const auto loaded = log.Of("backend-loaded");
  if (loaded.empty()) return false;
  bool any = false;
  for (const std::string& dir : tried) {
    if (!IsCuda(dir)) continue;
    any = true;
    if (std::none_of(loaded.begin(), loaded.end(), [&](const LineFact* fact) {
          return FieldOf(*fact, "path").starts_with(dir + "/");
        }))
      return false;
  }
  return any || tried.empty();
}

}  // namespace

const std::set<std::string>& NamesOfDerivedFacts() {
  static const std::set<std::string> names = {"wanted-asked", "all-loaded", "nothing-wanted",
                                              "first-pass-empty", "first-pass-full"};
  return names;
}

std::string DirectoryOf(const std::string& list) {
  std::string text = list;
  std::erase_if(text, [](char c) { return c == '[' || c == ']' || c == '"'; });
  const size_t space = text.find_last_of(" :");
  return space == std::string::npos ? "" : text.substr(space + 1);
}

std::string WantedLibrary(const LogReading& log) {
  const auto setting = log.settings.find("OLLAMA_LLM_LIBRARY");
  if (setting != log.settings.end() && !setting->second.empty()) return setting->second;
  const LineFact* skipped = log.Find("skipped-by-request");
  return skipped == nullptr ? "" : FieldOf(*skipped, "requested");
}

const LineFact* BackendTwice(const LogReading& log) {
  const std::vector<const LineFact*> loaded = log.Of("backend-loaded");
  for (size_t i = 0; i < loaded.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const std::string now = FieldOf(*loaded[i], "path"), before = FieldOf(*loaded[j], "path");
      if (BaseNameOf(now) == BaseNameOf(before) && (ParentOf(now) == ParentOf(ParentOf(before)) ||
                                                    ParentOf(before) == ParentOf(ParentOf(now))))
        return loaded[i];
    }
  return nullptr;
}

std::set<std::string> DerivedFacts(const LogReading& log) {
  std::set<std::string> facts;
  const std::set<std::string> tried = TriedDirectories(log);
  const std::string wanted = WantedLibrary(log);
  const auto was_tried = [&](const std::string& name) {
    return std::any_of(tried.begin(), tried.end(),
                       [&](const std::string& dir) { return BaseNameOf(dir) == name; });
  };
  if (wanted.empty() ? was_tried("cuda_v12") && was_tried("cuda_v13")
                     : was_tried(wanted))  // a child alone may be one for lib/ollama itself
    facts.insert("wanted-asked");
  if (wanted.empty() && !log.settings.empty()) facts.insert("nothing-wanted");
  if (AllLoaded(log, tried)) facts.insert("all-loaded");
  if (const LineFact* counted = log.Find("counted"))
    facts.insert(FieldOf(*counted, "count") == "0" ? "first-pass-empty" : "first-pass-full");
  for (const char* later : {"verifying", "not-initialised", "enumerated-some"})
    if (log.Find(later) != nullptr) facts.insert("first-pass-full");
  return facts;
}

}  // namespace gpustage
