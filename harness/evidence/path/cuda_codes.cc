#include "harness/evidence/path/cuda_codes.h"

#include "harness/evidence/path/families.h"

namespace gpustage {
namespace {

enum class Api {
  kDriver,
  kRuntime,
  kManagement,
  kVulkan,
  kHip,
  kHsa,
  kSmi,
  kOpenCl,
  kLevelZero,
  kNone
};

struct CodeRow {
  Api api;
  int64_t code;
  CudaCode meaning;
};
constexpr CodeRow kCodeRows[] = {
#define CODE(api, code, name, text) {Api::api, code, {#name, text}},
#include "harness/evidence/path/cuda_codes.inc"
#undef CODE
};

Api ApiOf(Family family) {
  switch (family) {
    case Family::kDriver: return Api::kDriver;
    case Family::kRuntime: return Api::kRuntime;
    case Family::kManagement: return Api::kManagement;
    case Family::kVulkanLoader:
    case Family::kVulkanDriver: return Api::kVulkan;
    case Family::kHip: return Api::kHip;
    case Family::kHsa: return Api::kHsa;
    case Family::kSmi: return Api::kSmi;
    case Family::kOpenCl: return Api::kOpenCl;
    case Family::kLevelZero: return Api::kLevelZero;
    default: return Api::kNone;
  }
}

}  // namespace

CudaCode CodeOf(std::string_view function, int64_t code) {
  // AMD's newer SMI has codes of its own.
  const Api api = function.starts_with("amdsmi") ? Api::kNone : ApiOf(FamilyOfFunction(function));
  for (const CodeRow& row : kCodeRows)
    if (row.api == api && row.code == code) return row.meaning;
  return {};
}

bool IsFailure(std::string_view function, int64_t code) {
  if (ApiOf(FamilyOfFunction(function)) != Api::kVulkan) return code != 0;
  // A question whether a format is supported may be answered by no: VK_ERROR_FORMAT_NOT_SUPPORTED.
  return code < 0 && !function.starts_with("vkGetPhysicalDevice");
}

}  // namespace gpustage
