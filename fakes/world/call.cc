#include "fakes/world/call.h"

#include <cstdlib>

#include "fakes/world/fault.h"
#include "fakes/world/journal.h"
#include "fakes/world/stub.h"
#include "fakes/world/syscall.h"

namespace gpustage::world {
namespace {

// The third text of a record: what the scenario did to this call.
void Describe(const Fault& fault, TextWriter& out) {
  switch (fault.action) {
    case FaultAction::kReturn: out.Add("fault: return ").Decimal(fault.code); break;
    case FaultAction::kHang: out.Add("fault: hang"); break;
    case FaultAction::kDelay:
      out.Add("fault: delay ").Decimal(fault.milliseconds).Add(" ms");
      break;
    case FaultAction::kSegfault: out.Add("fault: segfault"); break;
    case FaultAction::kAbort: out.Add("fault: abort"); break;
    case FaultAction::kExit: out.Add("fault: exit ").Decimal(fault.code); break;
    case FaultAction::kLost: out.Add("fault: the device is lost"); break;
    case FaultAction::kMemoryLeft:
    case FaultAction::kErrno: break;
  }
}

// abort() is libc's on purpose: people replace it, and a driver that aborts calls it too.
void Perform(const Fault& fault) {
  volatile int* volatile nothing = nullptr;
  switch (fault.action) {
    case FaultAction::kHang: SleepForEver();
    case FaultAction::kSegfault: *nothing = 0; break;
    case FaultAction::kAbort: abort();
    case FaultAction::kExit: Exit(fault.code);
    case FaultAction::kReturn:
    case FaultAction::kDelay:
    case FaultAction::kLost:
    case FaultAction::kMemoryLeft:
    case FaultAction::kErrno: break;
  }
}

}  // namespace

bool Call::Begin(int32_t* result) {
  fault_ = FaultFor(function_, device_);
  if (fault_ == nullptr || fault_->action == FaultAction::kDelay) return false;
  *result = fault_->code;
  if (fault_->action == FaultAction::kLost) {
    if (*result == 0) *result = kDeviceLost;
    return true;
  }
  if (fault_->action != FaultAction::kReturn) {
    End(kNoResult);
    Perform(*fault_);
  }
  return true;
}

// The record of a delayed call is written before the delay, without its result: a scanner that is
// killed while it waits has called, and nothing has come back.
void Call::End(int64_t result) {
  const auto fidelity = static_cast<uint32_t>(fidelity_);
  Text<24> gives;
  if (gives_ >= 0) gives.Decimal(gives_);
  if (fault_ == nullptr && gives_ < 0) {
    Append(RecordKind::kCall, result, device_, fidelity, {function_, arguments_.c_str()});
    return;
  }
  Text<48> fault;
  if (fault_ != nullptr) Describe(*fault_, fault);
  const bool delayed = fault_ != nullptr && fault_->action == FaultAction::kDelay;
  int64_t* const value = Append(RecordKind::kCall, delayed ? kNoResult : result, device_, fidelity,
                                {function_, arguments_.c_str(), fault.c_str(), gives.c_str()});
  if (!delayed) return;
  SleepMilliseconds(fault_->milliseconds);
  if (value != nullptr) __atomic_store_n(value, result, __ATOMIC_RELEASE);
}

bool Call::AddName(const char*& names) {
  if (arguments_.length() > 0) arguments_.Add(", ");
  const char* const begin = names;
  while (*names != '\0' && *names != ',') ++names;
  const auto length = static_cast<size_t>(names - begin);
  arguments_.Add(begin, length).Add('=');
  while (*names == ',' || *names == ' ') ++names;
  return length == 6 && memcmp(begin, "device", 6) == 0;
}

void Call::AddQuoted(const char* text) {
  if (text == nullptr) {
    arguments_.Add("null");
  } else {
    arguments_.Add('"').Add(text).Add('"');
  }
}

bool FirstInProcess(int32_t& slot) {
  const int32_t pid = ProcessId();
  return __atomic_exchange_n(&slot, pid, __ATOMIC_RELAXED) != pid;
}

}  // namespace gpustage::world
