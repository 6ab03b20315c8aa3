#include "harness/evidence/store/recording.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "harness/base/files.h"
#include "harness/evidence/path/families.h"
#include "harness/evidence/scanners/ollama/ollama_log.h"

namespace gpustage {
namespace {

using nlohmann::json;

// What a program is linked with or not is no news of a GPU.
bool IsOfBaseSystem(const std::string& library) {
  constexpr std::string_view kStarts[] = {"ld-linux",    "libc.so",       "libm.so",
                                          "libdl.so",    "libpthread.so", "librt.so",
                                          "libgcc_s.so", "libstdc++.so",  "linux-vdso"};
  const std::string name = BaseNameOf(library);
  return std::any_of(std::begin(kStarts), std::end(kStarts),
                     [&](auto start) { return name.starts_with(start); });
}

std::map<std::string, std::vector<std::string>> LibrariesByRole(const Evidence& evidence) {
  std::map<int, std::string> roles;
  std::set<std::string> programs;
  for (const Process& process : evidence.processes) {
    roles[process.pid] = process.role;
    programs.insert(process.executable);
  }
  std::map<std::string, std::set<std::string>> found;
  for (const auto& [pid, role] : roles) found[role];
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kLoad || !event.subject.starts_with('/')) continue;
    const std::string path = LexicallyNormal(event.subject);
    if (!IsOfBaseSystem(path) && !programs.contains(path) && !path.starts_with("/.gpustage"))
      found[roles[event.pid]].insert(path);
  }
  std::map<std::string, std::vector<std::string>> libraries;
  for (const auto& [role, paths] : found) libraries[role] = {paths.begin(), paths.end()};
  return libraries;
}

std::vector<std::string> FunnelText(const Evidence& evidence) {
  std::set<std::string> rows;
  for (const FunnelRow& row : evidence.funnel) {
    std::string text = row.library;
    if (!row.role.empty()) text += " in " + row.role;
    text += row.reached ? ": reached " + ToString(*row.reached) : ": untouched";
    if (row.loss) text += ", lost at " + ToString(row.loss->at);
    rows.insert(std::move(text));
  }
  return {rows.begin(), rows.end()};
}

bool IsDone(const Outcome& outcome) {
  return outcome.kind == Outcome::Kind::kStopped ||
         (outcome.kind == Outcome::Kind::kExited && outcome.code == 0);
}

std::vector<std::string> DeviceTexts(const Recording& recording) {
  std::vector<std::string> texts;
  for (const auto& device : recording.devices) texts.push_back(json(device).dump());
  return texts;
}

std::vector<std::string> LibraryTexts(const Recording& recording) {
  std::vector<std::string> texts;
  for (const auto& [role, paths] : recording.libraries)
    for (const std::string& path : paths) texts.push_back(role + " " + path);
  return texts;
}

// What is in `a` more often than in `b`.
std::vector<std::string> Without(std::vector<std::string> a, std::vector<std::string> b) {
  std::vector<std::string> sorted = b, only;
  for (const std::string& text : a) {
    const auto found = std::find(sorted.begin(), sorted.end(), text);
    if (found == sorted.end())
      only.push_back(text);
    else
      sorted.erase(found);
  }
  return only;
}

}  // namespace

Recording RecordingOf(const Evidence& evidence) {
  Recording recording;
  recording.outcome = IsDone(evidence.outcome) ? "done" : ToString(evidence.outcome);
  if (evidence.devices)
    for (const SeenDevice& device : *evidence.devices) recording.devices.push_back(device.fields);
  std::sort(recording.devices.begin(), recording.devices.end());
  recording.log = CanonicalOllamaLog(evidence.log);
  recording.libraries = LibrariesByRole(evidence);
  recording.funnel = FunnelText(evidence);
  return recording;
}

Recording WithoutVersion(Recording recording) {
  std::vector<std::string> log;
  for (std::string& line : recording.log) {
    std::string settings;
    if (RE2::PartialMatch(line, R"(msg="server config" env="map\[(.*)\]")", &settings)) {
      std::istringstream words(settings);
      for (std::string word; words >> word;) log.push_back("server config " + word);
      continue;
    }
    RE2::Replace(&line, R"((source=\S+):\d+)", R"(\1)");
    RE2::Replace(&line, R"( \(version \S+\))", "");
    log.push_back(std::move(line));
  }
  recording.log = std::move(log);
  return recording;
}

Recording AsSeen(Recording recording, const Recording& older) {
  const auto key = [](const std::string& row) { return row.substr(0, row.rfind(": ")); };
  std::set<std::string> known, seen;
  for (const std::string& row : older.funnel) known.insert(key(row));
  for (std::string row : recording.funnel) {
    if (!known.contains(key(row)) || key(row).find(" in ") == std::string::npos) continue;
    const std::string library = row.substr(0, row.find(" in "));
    if (FamilyOfLibrary(BaseNameOf(library)) == Family::kManagement) continue;
    row.resize(std::min(row.size(), row.find(", lost at ")));
    RE2::Replace(&row, "reached reported$", "reached counted");
    seen.insert(std::move(row));
  }
  recording.funnel = {seen.begin(), seen.end()};
  return recording;
}

std::vector<RecordingDifference> Compare(const Recording& a, const Recording& b) {
  std::vector<RecordingDifference> differences;
  const auto compare = [&](const char* field, const std::vector<std::string>& of_a,
                           const std::vector<std::string>& of_b) {
    if (of_a != of_b) differences.push_back({field, Without(of_a, of_b), Without(of_b, of_a)});
  };
  compare("outcome", {a.outcome}, {b.outcome});
  compare("devices", DeviceTexts(a), DeviceTexts(b));
  compare("log", a.log, b.log);
  compare("libraries", LibraryTexts(a), LibraryTexts(b));
  compare("funnel", a.funnel, b.funnel);
  return differences;
}

}  // namespace gpustage
