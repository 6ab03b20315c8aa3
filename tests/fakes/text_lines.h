// Lines of what a child said.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace gpustage::fakes_test {

inline std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace gpustage::fakes_test
