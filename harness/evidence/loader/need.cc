#include "harness/evidence/loader/need.h"

#include <fmt/format.h>

#include <utility>

namespace gpustage {

std::string CountByRule(const Need& need) {
  std::vector<std::pair<std::string, int>> counts;
  for (const Tried& tried : need.tried) {
    std::string rule = tried.rule.substr(0, tried.rule.find('['));
    if (rule == "default directory") rule = "default directories";
    if (counts.empty() || counts.back().first != rule) counts.emplace_back(rule, 0);
    ++counts.back().second;
  }
  std::string text;
  for (const auto& [rule, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", rule, count);
  return text;
}

std::string ByRule(const std::string& rule) {
  return rule == "default directory" ? "in a default directory" : "by " + rule;
}

}  // namespace gpustage
