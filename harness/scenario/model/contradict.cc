#include "harness/scenario/model/contradict.h"

namespace gpustage {
namespace {

bool Disjoint(const CountRange& a, const CountRange& b) {
  return (a.at_most && *a.at_most < b.at_least) || (b.at_most && *b.at_most < a.at_least);
}

template <typename T>
bool Differ(const std::optional<T>& a, const std::optional<T>& b) {
  return a && b && *a != *b;
}

bool Both(const DevicesClaim& a, const DevicesClaim& b) { return Disjoint(a.count, b.count); }
bool Both(const DeviceClaim& a, const DeviceClaim& b) {
  if (a.index != b.index) return false;
  for (const auto& [name, value] : a.fields)
    if (const auto other = b.fields.find(name); other != b.fields.end() && other->second != value)
      return true;
  return false;
}
// One line has this text, and none has a part of it.
bool Both(const LogClaim& a, const LogClaim& b) {
  if (a.present == b.present || a.pattern.regex != b.pattern.regex) return false;
  const LogClaim &has = a.present ? a : b, &lacks = a.present ? b : a;
  return has.pattern.regex ? has.pattern == lacks.pattern
                           : has.pattern.text.find(lacks.pattern.text) != std::string::npos;
}
bool Both(const OutcomeClaim& a, const OutcomeClaim& b) {
  return a.kind != b.kind || Differ(a.code, b.code);
}
bool Both(const SilentClaim& a, const SilentClaim& b) { return a.silent != b.silent; }
bool Both(const LoadsClaim& a, const LoadsClaim& b) {
  if (a.library != b.library || a.in != b.in) return false;
  if (a.present != b.present)
    return !a.from && !a.by && !a.build_id && !b.from && !b.by && !b.build_id;
  return a.present && Differ(a.from, b.from);
}
bool Both(const CallsClaim& a, const CallsClaim& b) {
  CallsClaim other = b;
  other.count = a.count;
  return a == other && Disjoint(a.count, b.count);
}
bool Both(const LostClaim& a, const LostClaim& b) { return a.library == b.library && a.at != b.at; }
bool Both(const ReachedClaim& a, const LostClaim& b) {
  return a.library == b.library && a.step >= b.at;
}
bool Both(const LostClaim& a, const ReachedClaim& b) { return Both(b, a); }
template <typename A, typename B>
bool Both(const A&, const B&) {
  return false;
}

}  // namespace

bool Contradict(const Claim& a, const Claim& b) {
  return std::visit([](const auto& one, const auto& other) { return Both(one, other); }, a.what,
                    b.what);
}

}  // namespace gpustage
