#include "harness/stage/driver_exports.h"

#include "harness/scenario/model/driver_branch.h"

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

std::vector<std::string> ExportsNewerThan(const std::string& driver) {
  const int cuda = CudaOfDriver(driver);
  std::vector<std::string> names;
  for (const Export& known : kExports)
    if (cuda != 0 && known.since > cuda) names.emplace_back(known.name);
  return names;
}

}  // namespace gpustage
