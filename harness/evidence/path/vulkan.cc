#include "harness/evidence/path/vulkan.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/chain.h"

namespace gpustage {
namespace {

// As the loader's own page names them: LoaderDriverInterface.md, "Driver Discovery".
constexpr const char* kChoices[] = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES",
                                    "VK_LOADER_DRIVERS_SELECT", "VK_LOADER_DRIVERS_DISABLE"};

bool IsManifestFolder(const std::string& path) { return path.ends_with("/vulkan/icd.d"); }

// A driver that the loader asked for, and did not get.
Fact LossOf(const Evidence& evidence, const FunnelRow& driver) {
  Fact fact;
  fact.event = driver.event;
  if (driver.cause() == Cause::kNotFound) {
    fact.kind = Fact::Kind::kNowhere;
    fact.subject = driver.library;
    fact.number = static_cast<int64_t>(AskFor(evidence, driver).tried.size());
    return fact;
  }
  const Event& shows = evidence.At(std::max(driver.event, 1));
  if (driver.library.starts_with('/') && driver.event != 0 && shows.kind == EventKind::kOpen &&
      shows.value == ENOENT) {
    fact.kind = Fact::Kind::kNowhere;
    fact.subject = driver.library;
    fact.number = 1;
    return fact;
  }
  const std::vector<Need>& needs = driver.needs;
  if (driver.lost_at() == Step::kLoaded && !needs.empty() && needs.back().found.empty()) {
    fact.kind = Fact::Kind::kNowhere;
    fact.subject = BaseNameOf(needs.back().name);
    fact.other = needs.back().requester.empty() ? driver.library : needs.back().requester;
    fact.number = static_cast<int64_t>(needs.back().tried.size());
    return fact;
  }
  fact.kind = Fact::Kind::kReason;
  fact.subject = BaseNameOf(driver.library);
  fact.reasons = {driver.loss->reason};
  return fact;
}

// What was read of manifests, and where they were looked for.
Fact ManifestsOf(const Evidence& evidence, int pid) {
  std::set<std::string> asked, listed, read;
  Fact fact;
  fact.kind = Fact::Kind::kManifest;
  for (const Event& event : evidence.events) {
    if (event.pid != pid) continue;
    const bool folder = IsManifestFolder(event.subject);
    if (event.kind == EventKind::kOpen && folder) asked.insert(event.subject);
    if (event.kind == EventKind::kList && folder && listed.insert(event.subject).second)
      fact.event = event.id;
    if (event.kind != EventKind::kOpen || event.value != 0 || !event.subject.ends_with(".json") ||
        event.subject.find("layer") != std::string::npos)
      continue;
    if (read.insert(event.subject).second) fact.event = event.id;
  }
  const auto joined = [](const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
  };
  fact.subject = joined(read);
  fact.other = joined(listed);
  fact.number = static_cast<int64_t>(asked.size());
  return fact;
}

// What of /vulkan/ the process may not read.
std::vector<Fact> Refused(const Evidence& evidence, int pid) {
  std::vector<Fact> facts;
  std::set<std::string> told;
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kOpen && event.pid == pid &&
        (event.value == EACCES || event.value == EPERM) &&
        event.subject.find("/vulkan/") != std::string::npos && told.insert(event.subject).second)
      facts.push_back(NodeOf(event));
  return facts;
}

}  // namespace

std::vector<Fact> WhyNoVulkanDriver(const Evidence& evidence, int pid) {
  std::vector<Fact> facts;
  const auto add = [&](Fact fact) {
    if (std::find(facts.begin(), facts.end(), fact) == facts.end())
      facts.push_back(std::move(fact));
  };
  std::vector<Fact> losses;
  bool any = false;
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows) {
      if (row.pid != pid || row.family != Family::kVulkanDriver) continue;
      any = true;
      if (row.loss) losses.push_back(LossOf(evidence, row));
    }
  // The manifests stand above what came of the drivers that they name.
  // A folder of the system's that may not be read may have one; that a home is shut says nothing.
  std::vector<Fact> refused = Refused(evidence, pid);
  std::erase_if(refused, [](const Fact& fact) {
    const bool manifest =
        IsManifestFolder(fact.subject) || IsManifestFolder(ParentOf(fact.subject));
    return !manifest || fact.subject.find("/.") != std::string::npos;
  });
  if ((!any || !losses.empty()) && evidence.files_observed) {
    Fact manifests = ManifestsOf(evidence, pid);
    const bool none = manifests.subject.empty() && manifests.other.empty();
    if (!none || refused.empty()) add(std::move(manifests));
  }
  if (!any)
    for (const Fact& fact : refused) add(fact);
  // What is chosen by a variable and cannot be had is the last that was seen.
  for (const char* const choice : kChoices)
    if (const auto value = VariableOf(ProcessOf(evidence, pid), choice)) {
      Fact mask;
      mask.kind = Fact::Kind::kMask;
      mask.subject = choice;
      mask.other = *value;
      add(std::move(mask));
    }
  for (Fact& loss : losses) add(std::move(loss));
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kCall && event.pid == pid && event.subject.starts_with("vk") &&
        event.value < 0 && event.value >= -1000100000) {
      const bool told = std::any_of(facts.begin(), facts.end(),
                                    [&](const Fact& fact) { return fact.event == event.id; });
      if (told) break;
      Fact called;
      called.kind = Fact::Kind::kCalled;
      called.subject = event.subject;
      called.number = event.value;
      called.event = event.id;
      add(std::move(called));
      break;
    }
  return facts;
}

std::vector<Fact> VulkanAround(const Evidence& evidence, int pid) {
  std::vector<Fact> facts = Refused(evidence, pid);
  std::vector<std::string> drivers;
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows)
      if (row.pid == pid && row.family == Family::kVulkanDriver && row.reached >= Step::kLoaded)
        drivers.push_back(row.library);
  if (drivers.empty()) return facts;
  Fact answered;
  answered.kind = Fact::Kind::kAnswered;  // of no name: whatever driver was asked
  answered.names = std::move(drivers);
  facts.push_back(std::move(answered));
  return facts;
}

std::vector<Fact> DroppedByVulkan(const Evidence& evidence, int pid) {
  std::vector<Fact> facts;
  for (auto event = evidence.events.rbegin(); event != evidence.events.rend(); ++event)
    if (event->kind == EventKind::kCall && event->pid == pid && !event->detail.empty() &&
        event->subject.starts_with("vkGetPhysicalDeviceProperties")) {
      Fact device;
      device.kind = Fact::Kind::kDevice;
      device.subject = event->detail;
      device.event = event->id;
      facts.push_back(std::move(device));
      break;
    }
  for (Fact& fact : VulkanAround(evidence, pid)) facts.push_back(std::move(fact));
  return facts;
}

}  // namespace gpustage
