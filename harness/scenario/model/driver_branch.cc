#include "harness/scenario/model/driver_branch.h"

#include <cstdlib>

namespace gpustage {
namespace {

struct DriverBranch {
  int branch;
  int cuda;
};
// 565 reports 12.7, which no toolkit is.
constexpr DriverBranch kBranches[] = {
    {410, 10000}, {418, 10010}, {440, 10020}, {450, 11000}, {455, 11010}, {460, 11020},
    {465, 11030}, {470, 11040}, {495, 11050}, {510, 11060}, {515, 11070}, {520, 11080},
    {525, 12000}, {530, 12010}, {535, 12020}, {545, 12030}, {550, 12040}, {555, 12050},
    {560, 12060}, {565, 12070}, {570, 12080}, {575, 12090}, {580, 13000}, {590, 13010}};

}  // namespace

int CudaOfDriver(const std::string& driver) {
  int cuda = 0;
  for (const DriverBranch& known : kBranches)
    if (std::atoi(driver.c_str()) >= known.branch) cuda = known.cuda;
  return cuda;
}

}  // namespace gpustage
