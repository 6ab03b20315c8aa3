#include "harness/evidence/path/cuda_codes.h"

#include <fmt/format.h>

namespace gpustage {
namespace {

enum class Api { kDriver, kRuntime };

struct Row {
  Api api;
  int64_t code;
  CudaCode meaning;
};
constexpr Row kRows[] = {
#define CODE(api, code, name, text) {Api::api, code, {#name, text}},
#include "harness/evidence/path/cuda_codes.inc"
#undef CODE
};

}  // namespace

CudaCode CodeOf(std::string_view function, int64_t code) {
  const Api api =
      function.starts_with("cuda") || function.starts_with("__cuda") ? Api::kRuntime : Api::kDriver;
  for (const Row& row : kRows)
    if (row.api == api && row.code == code) return row.meaning;
  return {};
}

std::string CodeText(std::string_view function, int64_t code) {
  const CudaCode meaning = CodeOf(function, code);
  return meaning.name.empty() ? fmt::format("{}, a code that CUDA does not name", code)
                              : fmt::format("{} ({}: {})", code, meaning.name, meaning.text);
}

}  // namespace gpustage
