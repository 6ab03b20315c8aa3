// Conditions of a recording: what a program printed under each, and how it ended. The form is
// narrow: "- when: TEXT", "  lines:", "  - LINE", "  exit: N", texts bare or in single quotes.
#pragma once

#include <fstream>
#include <ostream>
#include <string>
#include <vector>

namespace gpustage::fakes_test {

struct RecordedCondition {
  std::string when;
  std::vector<std::string> lines;
  int exit = 0;

  friend std::ostream& operator<<(std::ostream& out, const RecordedCondition& condition) {
    return out << condition.when;
  }
};

// 'it''s' -> it's
inline std::string Unquoted(std::string text) {
  if (text.size() < 2 || text.front() != '\'') return text;
  text = text.substr(1, text.size() - 2);
  for (size_t at = 0; (at = text.find("''", at)) != std::string::npos; ++at) text.erase(at, 1);
  return text;
}

inline std::vector<RecordedCondition> ReadConditions(const std::string& file) {
  std::vector<RecordedCondition> conditions;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("- when: ")) conditions.push_back({Unquoted(line.substr(8)), {}, 0});
    if (conditions.empty()) continue;
    if (line.starts_with("  - ")) conditions.back().lines.push_back(Unquoted(line.substr(4)));
    if (line.starts_with("  exit: ")) conditions.back().exit = std::stoi(line.substr(8));
  }
  return conditions;
}

}  // namespace gpustage::fakes_test
