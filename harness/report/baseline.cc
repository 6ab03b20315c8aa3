#include "harness/report/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace gpustage {
namespace {

std::string IdentityOf(const ReportedDevice& device) {
  return device.uuid.value_or(device.pci_id.value_or(device.name.value_or("")));
}

std::string BackendOf(const ReportedDevice& device) {
  if (!device.library_path) return device.library.value_or("");
  return fmt::format("{}, {}", device.library.value_or("?"), *device.library_path);
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "; ") + name;
  return text;
}

void Append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

// A device may be reported by two.
Baseline::Backends Baseline::BackendsOf(const ReportedRun& run) {
  Backends backends;
  if (run.devices)
    for (const ReportedDevice& device : *run.devices)
      if (!IdentityOf(device).empty() && !BackendOf(device).empty())
        backends[IdentityOf(device)].push_back(BackendOf(device));
  for (auto& [device, names] : backends) std::sort(names.begin(), names.end());
  return backends;
}

void Baseline::AddBefore(const ReportedRun& run) {
  if (run.verdict == VerdictKind::kSkip) return;
  by_name_[run.Name()] = before_.size();
  before_.push_back(
      {run.Name(), run.verdict, run.silent_failure.value_or(false), false, BackendsOf(run)});
}

void Baseline::AddNow(const ReportedRun& run) {
  if (run.verdict == VerdictKind::kSkip) return;
  const auto found = by_name_.find(run.Name());
  Before* const was = found == by_name_.end() ? nullptr : &before_[found->second];
  if (was != nullptr) was->runs_now = true;
  const bool was_bad = was != nullptr && IsBad(was->verdict), is_bad = IsBad(run.verdict);
  if (is_bad) (was_bad ? changes_.still_failing : changes_.newly_failing).push_back(run.Name());
  if (was_bad && run.verdict == VerdictKind::kPass) changes_.newly_passing.push_back(run.Name());
  // What is new and passes was written to be so.
  if (run.silent_failure.value_or(false) && !(was != nullptr && was->silent) &&
      (was != nullptr || is_bad))
    changes_.newly_silent.push_back(run.Name());
  if (was == nullptr) return;
  for (const auto& [device, backends] : BackendsOf(run))
    if (const auto then = was->backends.find(device);
        then != was->backends.end() && then->second != backends)
      changes_.moved.push_back({run.Name(), device, Joined(then->second), Joined(backends)});
}

BaselineChanges Baseline::Changes() && {
  for (const Before& run : before_)
    if (!run.runs_now) changes_.not_run.push_back(run.name);
  return std::move(changes_);
}

BaselineChanges Joined(BaselineChanges a, const BaselineChanges& b) {
  Append(a.newly_failing, b.newly_failing);
  Append(a.newly_passing, b.newly_passing);
  Append(a.newly_silent, b.newly_silent);
  Append(a.still_failing, b.still_failing);
  a.moved.insert(a.moved.end(), b.moved.begin(), b.moved.end());
  // Each shard lacks what the others ran.
  const std::set<std::string> not_run(b.not_run.begin(), b.not_run.end());
  std::erase_if(a.not_run, [&](const std::string& run) { return !not_run.contains(run); });
  return a;
}

}  // namespace gpustage
