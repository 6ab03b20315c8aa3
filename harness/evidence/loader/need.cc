#include "harness/evidence/loader/need.h"

namespace gpustage {

std::vector<PlacesOfRule> PlacesOf(const Need& need) {
  std::vector<PlacesOfRule> places;
  for (const Tried& tried : need.tried) {
    const std::string rule = tried.rule.substr(0, tried.rule.find('['));
    if (places.empty() || places.back().rule != rule) places.push_back({rule, 0});
    ++places.back().count;
  }
  return places;
}

}  // namespace gpustage
