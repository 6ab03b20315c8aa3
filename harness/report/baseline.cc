#include "harness/report/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace gpustage {
namespace {

std::string IdentityOf(const ReportedDevice& device) {
  return device.uuid.value_or(device.pci_id.value_or(device.name.value_or("")));
}

std::string BackendOf(const ReportedDevice& device) {
  if (!device.library_path) return device.library.value_or("");
  return fmt::format("{}, {}", device.library.value_or("?"), *device.library_path);
}

// Backends by the device they report. A device may be reported by two.
std::map<std::string, std::vector<std::string>> BackendsOf(const ReportedRun& run) {
  std::map<std::string, std::vector<std::string>> backends;
  if (run.devices)
    for (const ReportedDevice& device : *run.devices)
      if (!IdentityOf(device).empty() && !BackendOf(device).empty())
        backends[IdentityOf(device)].push_back(BackendOf(device));
  for (auto& [device, names] : backends) std::sort(names.begin(), names.end());
  return backends;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "; ") + name;
  return text;
}

void AddMoves(const ReportedRun& before, const ReportedRun& now, std::vector<MovedDevice>& moved) {
  const auto were = BackendsOf(before);
  for (const auto& [device, backends] : BackendsOf(now))
    if (const auto was = were.find(device); was != were.end() && was->second != backends)
      moved.push_back({now.Name(), device, Joined(was->second), Joined(backends)});
}

void Append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

BaselineChanges ChangesSince(const std::vector<ReportedRun>& before, const std::string& file,
                             const std::vector<ReportedRun>& now) {
  BaselineChanges changes;
  changes.file = file;
  std::map<std::string, const ReportedRun*> old, ran;
  for (const ReportedRun& run : before) old[run.Name()] = &run;
  for (const ReportedRun& run : now) {
    if (run.verdict == VerdictKind::kSkip) continue;
    ran[run.Name()] = &run;
    const auto found = old.find(run.Name());
    const ReportedRun* const was =
        found == old.end() || found->second->verdict == VerdictKind::kSkip ? nullptr
                                                                           : found->second;
    const bool was_bad = was != nullptr && IsBad(was->verdict), is_bad = IsBad(run.verdict);
    if (is_bad) (was_bad ? changes.still_failing : changes.newly_failing).push_back(run.Name());
    if (was_bad && run.verdict == VerdictKind::kPass) changes.newly_passing.push_back(run.Name());
    const bool was_silent = was != nullptr && was->silent_failure.value_or(false);
    // What is new and passes was written to be so.
    if (run.silent_failure.value_or(false) && !was_silent && (was != nullptr || is_bad))
      changes.newly_silent.push_back(run.Name());
    if (was != nullptr) AddMoves(*was, run, changes.moved);
  }
  for (const ReportedRun& run : before)
    if (run.verdict != VerdictKind::kSkip && !ran.contains(run.Name()))
      changes.not_run.push_back(run.Name());
  return changes;
}

BaselineChanges Joined(BaselineChanges a, const BaselineChanges& b) {
  Append(a.newly_failing, b.newly_failing);
  Append(a.newly_passing, b.newly_passing);
  Append(a.newly_silent, b.newly_silent);
  Append(a.still_failing, b.still_failing);
  a.moved.insert(a.moved.end(), b.moved.begin(), b.moved.end());
  // Each shard lacks what the others ran.
  std::erase_if(a.not_run, [&](const std::string& run) {
    return std::find(b.not_run.begin(), b.not_run.end(), run) == b.not_run.end();
  });
  return a;
}

}  // namespace gpustage
