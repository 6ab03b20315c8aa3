// One call into a fake. Every exported function is
//
//   CUresult cuDeviceGetCount(int* count) {
//     return Answer(CALL(), [&] { ... });
//   }
//
// and Answer() does the rest: the fault that the scenario wants, the body, the record in the
// journal.
#pragma once

#include <type_traits>

#include "fakes/world/format.h"
#include "fakes/world/text.h"

namespace gpustage::world {

class Call {
 public:
  // `names` is the text of the arguments, "device, attrib"; one that is called device is the device
  // of the record.
  template <typename... Values>
  explicit Call(const char* function, [[maybe_unused]] const char* names, Values... values)
      : function_(function) {
    (AddArgument(names, values), ...);
  }

  Call&& On(int32_t device) && {
    device_ = device;
    return static_cast<Call&&>(*this);
  }
  Call&& Trust(Fidelity fidelity) && {
    fidelity_ = fidelity;
    return static_cast<Call&&>(*this);
  }
  void set_fidelity(Fidelity fidelity) { fidelity_ = fidelity; }
  bool sticky() const { return fault_ != nullptr && fault_->sticky != 0; }

  // True when a fault answers the call: `result` is its code and the body must not run. Faults that
  // end or hang the process are recorded here and do not return.
  bool Begin(int32_t* result);
  void End(int64_t result);
  void Gives(int64_t number) { gives_ = number; }  // the count that a function wrote

 private:
  template <typename T>
  void AddArgument(const char*& names, T value) {
    const bool is_device = AddName(names);
    if constexpr (std::is_same_v<T, const char*> || std::is_same_v<T, char*>) {
      AddQuoted(value);
    } else if constexpr (std::is_pointer_v<T>) {
      arguments_.Add("0x").Hex(reinterpret_cast<uintptr_t>(value));
    } else {
      arguments_.Decimal(static_cast<int64_t>(value));
      if (is_device) device_ = static_cast<int32_t>(value);
    }
  }
  bool AddName(const char*& names);  // moves past the name; true for "device"
  void AddQuoted(const char* text);

  const char* function_;
  const Fault* fault_ = nullptr;
  int32_t device_ = -1;
  Fidelity fidelity_ = Fidelity::kModelled;
  int64_t gives_ = -1;
  Text<224> arguments_;
};

// `body` takes nothing or the call, and returns the result.
template <typename Body>
int32_t Answer(Call& call, Body body) {
  int32_t result;
  if (!call.Begin(&result)) {
    if constexpr (std::is_invocable_v<Body, Call&>) {
      result = static_cast<int32_t>(body(call));
    } else {
      result = static_cast<int32_t>(body());
    }
  }
  call.End(result);
  return result;
}
template <typename Body>
int32_t Answer(Call&& call, Body body) {
  return Answer(call, body);
}

// For functions that give a text: null when a fault answers.
template <typename Body>
const char* AnswerText(Call&& call, Body body) {
  int32_t code;
  const char* const text = call.Begin(&code) ? nullptr : body();
  call.End(0);
  return text;
}

// For what is called thousands of times by static initialisers: true once in each process. `slot`
// starts at 0.
bool FirstInProcess(int32_t& slot);

#define CALL(...) ::gpustage::world::Call(__func__, #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__)

}  // namespace gpustage::world
