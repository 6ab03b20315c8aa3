// machine: faults: of a scenario.
#include <fmt/format.h>

#include <cctype>
#include <cerrno>
#include <limits>
#include <utility>

#include "fakes/world/format.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/catalog/functions.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

// What fits into fakes/world/format.h.
constexpr size_t kMaxFaults = 64;
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

// Milliseconds since the process started.
Status ReadTimes(const YamlNode& node, FaultSpec& fault) {
  if (const YamlNode* from = node.Find("from_ms")) {
    TRY(fault.from_ms, ReadInt(*from, "milliseconds", 0, kHourInMilliseconds));
  }
  if (const YamlNode* to = node.Find("to_ms")) {
    TRY(fault.to_ms, ReadInt(*to, "milliseconds", 1, kHourInMilliseconds));
    if (*fault.to_ms <= fault.from_ms)
      return ErrorAt(*to,
                     fmt::format("to_ms {} is not after from_ms {}", *fault.to_ms, fault.from_ms));
  }
  return Ok();
}

struct Action {
  std::string_view word;
  FaultKind kind;
};
constexpr Action kActions[] = {
    {"return", FaultKind::kReturn},  {"hang", FaultKind::kHang},
    {"delay_ms", FaultKind::kDelay}, {"crash", FaultKind::kSegfault},
    {"abort", FaultKind::kAbort},    {"exit", FaultKind::kExit},
    {"lost", FaultKind::kLost},      {"memory_left", FaultKind::kMemoryLeft},
    {"errno", FaultKind::kErrno}};

// What the kernel is known to say of a node, and what a descriptor or a process may want.
constexpr std::pair<std::string_view, int> kErrors[] = {
    {"EPERM", EPERM},   {"ENOENT", ENOENT}, {"EINTR", EINTR},   {"EIO", EIO},
    {"ENXIO", ENXIO},   {"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM}, {"EACCES", EACCES},
    {"EBUSY", EBUSY},   {"ENODEV", ENODEV}, {"EINVAL", EINVAL}, {"ENFILE", ENFILE},
    {"EMFILE", EMFILE}, {"ENOTTY", ENOTTY}, {"ENOSYS", ENOSYS}, {"ETIMEDOUT", ETIMEDOUT}};
constexpr int kMostErrno = 133;

Result<int> ReadErrno(const YamlNode& node) {
  std::vector<std::string> words;
  for (const auto& [word, number] : kErrors) {
    if (node.IsText() && node.text == word) return number;
    words.emplace_back(word);
  }
  if (node.IsText() && !node.text.empty() && std::isdigit(node.text.front()) != 0)
    return ReadInt(node, "an errno", 1, kMostErrno);
  return UnknownWord(node, "errno", words);
}

Status ReadAction(const YamlNode& node, FaultSpec& fault) {
  TRY(const YamlEntry* action, RequireOneOf(node, "a fault", FaultWords()));
  const YamlNode& value = action->value;
  for (const Action& known : kActions)
    if (known.word == action->key) fault.kind = known.kind;
  switch (fault.kind) {
    case FaultKind::kReturn: {
      TRY(const int64_t code, ReadCode(value, "the code to return"));
      fault.code = static_cast<int>(code);
      break;
    }
    case FaultKind::kExit: {
      TRY(fault.code, ReadInt(value, "an exit status", 0, 255));
      break;
    }
    case FaultKind::kDelay: {
      TRY(fault.milliseconds, ReadInt(value, "milliseconds", 1, kHourInMilliseconds));
      break;
    }
    case FaultKind::kMemoryLeft: {
      TRY(fault.bytes, ReadBytes(value, "what is left of the memory"));
      break;
    }
    case FaultKind::kErrno: {
      TRY(fault.code, ReadErrno(value));
      break;
    }
    case FaultKind::kHang:
    case FaultKind::kSegfault:
    case FaultKind::kAbort:
    case FaultKind::kLost: {
      TRY(const bool on, ReadBool(value, action->key));
      if (!on)
        return ErrorAt(value, fmt::format("write {}: true, or leave the fault out", action->key));
      break;
    }
  }
  return Ok();
}

// A node that fails, in place of a function: its open is the call.
Status ReadNode(const YamlNode& node, FaultSpec& fault) {
  constexpr std::string_view kFolder = "/dev/";
  for (const char* other : {"function", "device", "sticky"})
    if (node.Find(other) != nullptr)
      return ErrorAt(
          *node.Find(other),
          fmt::format("a node that fails has no \"{}\": \"errno\" goes with \"node\"", other));
  TRY(const YamlNode* path, Require(node, "a fault with \"errno\"", "node"));
  fault.pos = path->pos;
  TRY(fault.function, ReadCString(*path, "the path of a node", kLongestFunction));
  const bool in_dev = fault.function.starts_with(kFolder);
  if (!in_dev || world::DeviceNumberOf(fault.function.c_str() + kFolder.size()).major == 0)
    return ErrorAt(*path, fmt::format("no driver has a node {}: there are /dev/nvidiactl, "
                                      "/dev/nvidia-uvm, /dev/nvidia0, /dev/kfd, "
                                      "/dev/dri/renderD128 and those of other numbers",
                                      Quote(fault.function)));
  return Ok();
}

// What befalls a device may begin with a call or at a time; all else happens to calls.
Status ReadFunction(const YamlNode& node, Fixtures& fixtures, FaultSpec& fault) {
  const bool befalls = fault.kind == FaultKind::kLost || fault.kind == FaultKind::kMemoryLeft;
  if (befalls && fault.last_call && node.Find("call") == nullptr)
    return ErrorAt(*node.Find("to_call"),
                   "what befalls a device begins with a call and ends with none");
  if (befalls) fault.last_call.reset();  // call: N is the one that it begins with
  if (befalls && node.Find("function") == nullptr) {
    if (fault.first_call != 1)
      return ErrorAt(node, "a fault with \"from_call\" needs \"function\"");
    return Ok();
  }
  TRY(const YamlNode* function, Require(node, "a fault", "function"));
  fault.pos = function->pos;
  TRY(fault.function, ReadCString(*function, "the name of a function", kLongestFunction));
  TRY(fixtures.CheckFunction(*function));
  if (!befalls && fault.device && !IsOfADevice(fault.function))
    return ErrorAt(
        *node.Find("device"),
        fmt::format("{} is about no device, so this fault meets no call", fault.function));
  return Ok();
}

Result<FaultSpec> ReadFault(const YamlNode& node, Fixtures& fixtures) {
  std::vector<std::string> keys = {"function", "node",    "device", "call",    "from_call",
                                   "to_call",  "from_ms", "to_ms",  "process", "sticky"};
  for (const std::string& word : FaultWords()) keys.push_back(word);
  TRY(CheckKeys(node, "a fault", keys));
  FaultSpec fault;
  fault.pos = node.pos;
  if (const YamlNode* device = node.Find("device")) {
    TRY(fault.device, ReadInt(*device, "the ordinal of a device", 0, world::kMaxDevices - 1));
  }
  TRY(ReadCalls(node, fault));
  TRY(ReadTimes(node, fault));
  if (const YamlNode* process = node.Find("process")) {
    TRY(fault.process_has, ReadCString(*process, "a part of a command line", kLongestProcess));
  }
  TRY(ReadAction(node, fault));
  if (fault.kind == FaultKind::kErrno) {
    TRY(ReadNode(node, fault));
    return fault;
  }
  if (const YamlNode* path = node.Find("node"))
    return ErrorAt(*path, "what a node does is its \"errno\"; the rest is a \"function\"'s");
  TRY(ReadFunction(node, fixtures, fault));
  if (const YamlNode* sticky = node.Find("sticky")) {
    TRY(fault.sticky, ReadBool(*sticky, "sticky"));
    if (fault.kind != FaultKind::kReturn)
      return ErrorAt(*sticky, "only a fault with \"return\" can be sticky");
  }
  return fault;
}

}  // namespace

std::vector<std::string> FaultWords() {
  std::vector<std::string> words;
  for (const Action& action : kActions) words.emplace_back(action.word);
  return words;
}

Result<std::vector<FaultSpec>> ReadFaults(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckList(node, "faults"));
  if (node.items.size() > kMaxFaults)
    return ErrorAt(node, fmt::format("a machine has at most {} faults", kMaxFaults));
  std::vector<FaultSpec> faults;
  for (const YamlNode& item : node.items) {
    TRY(FaultSpec fault, ReadFault(item, fixtures));
    faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace gpustage
