#include "harness/stage/driver_exports.h"

namespace gpustage {
namespace {

struct Export {
  const char* name;
  int since;  // CUDA, 12080 is 12.8
};
constexpr Export kExports[] = {
#define MEANS(name, since, function) {#function, since},
#include "fakes/cuda_driver/proc_address.inc"
#undef MEANS
};

}  // namespace

std::vector<std::string> ExportsNewerThan(int cuda) {
  std::vector<std::string> names;
  for (const Export& known : kExports)
    if (known.since > cuda) names.emplace_back(known.name);
  return names;
}

}  // namespace gpustage
