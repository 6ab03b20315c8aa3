// machine: faults: of a scenario.
#include <fmt/format.h>

#include <limits>

#include "harness/scenario/fields.h"
#include "harness/scenario/readers.h"

namespace gpustage {
namespace {

// What fits into fakes/world/format.h.
constexpr size_t kMaxFaults = 64;
constexpr int kMaxDevices = 32;
constexpr size_t kLongestFunction = 63;
constexpr size_t kLongestProcess = 63;

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr int kHourInMilliseconds = 3600000;

Status ReadCalls(const YamlNode& node, FaultSpec& fault) {
  const YamlNode* call = node.Find("call");
  const YamlNode* from = node.Find("from_call");
  const YamlNode* to = node.Find("to_call");
  if (call != nullptr && (from != nullptr || to != nullptr))
    return ErrorAt(*call,
                   "\"call\" is one call; several are \"from_call\" and \"to_call\" without it");
  if (call != nullptr) {
    TRY(fault.first_call, ReadInt(*call, "the number of a call", 1, kMaxInt));
    fault.last_call = fault.first_call;
  }
  if (from != nullptr) {
    TRY(fault.first_call, ReadInt(*from, "the number of a call", 1, kMaxInt));
  }
  if (to != nullptr) {
    TRY(fault.last_call, ReadInt(*to, "the number of a call", 1, kMaxInt));
    if (*fault.last_call < fault.first_call)
      return ErrorAt(*to, fmt::format("to_call {} is before from_call {}", *fault.last_call,
                                      fault.first_call));
  }
  return Ok();
}

Status ReadAction(const YamlNode& node, FaultSpec& fault) {
  TRY(const YamlEntry* action,
      RequireOneOf(node, "a fault", {"return", "hang", "delay_ms", "crash", "abort", "exit"}));
  const YamlNode& value = action->value;
  if (action->key == "return") {
    fault.kind = FaultKind::kReturn;
    TRY(fault.code, ReadInt(value, "the code to return", -kMaxInt, kMaxInt));
  } else if (action->key == "exit") {
    fault.kind = FaultKind::kExit;
    TRY(fault.code, ReadInt(value, "an exit status", 0, 255));
  } else if (action->key == "delay_ms") {
    fault.kind = FaultKind::kDelay;
    TRY(fault.milliseconds, ReadInt(value, "milliseconds", 1, kHourInMilliseconds));
  } else {
    fault.kind = action->key == "hang"    ? FaultKind::kHang
                 : action->key == "crash" ? FaultKind::kSegfault
                                          : FaultKind::kAbort;
    TRY(const bool on, ReadBool(value, action->key));
    if (!on)
      return ErrorAt(value, fmt::format("write {}: true, or leave the fault out", action->key));
  }
  return Ok();
}

Result<FaultSpec> ReadFault(const YamlNode& node) {
  TRY(CheckKeys(node, "a fault",
                {"function", "device", "call", "from_call", "to_call", "process", "return", "hang",
                 "delay_ms", "crash", "abort", "exit", "sticky"}));
  FaultSpec fault;
  TRY(const YamlNode* function, Require(node, "a fault", "function"));
  fault.pos = function->pos;
  TRY(fault.function, ReadCString(*function, "the name of a function", kLongestFunction));
  if (const YamlNode* device = node.Find("device")) {
    TRY(fault.device, ReadInt(*device, "the ordinal of a device", 0, kMaxDevices - 1));
  }
  TRY(ReadCalls(node, fault));
  if (const YamlNode* process = node.Find("process")) {
    TRY(fault.process_has, ReadCString(*process, "a part of a command line", kLongestProcess));
  }
  TRY(ReadAction(node, fault));
  if (const YamlNode* sticky = node.Find("sticky")) {
    TRY(fault.sticky, ReadBool(*sticky, "sticky"));
    if (fault.kind != FaultKind::kReturn)
      return ErrorAt(*sticky, "only a fault with \"return\" can be sticky");
  }
  return fault;
}

}  // namespace

Result<std::vector<FaultSpec>> ReadFaults(const YamlNode& node) {
  TRY(CheckList(node, "faults"));
  if (node.items.size() > kMaxFaults)
    return ErrorAt(node, fmt::format("a machine has at most {} faults", kMaxFaults));
  std::vector<FaultSpec> faults;
  for (const YamlNode& item : node.items) {
    TRY(FaultSpec fault, ReadFault(item));
    faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace gpustage
