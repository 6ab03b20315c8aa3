// What a text is about, as words that can be compared: without endings, without words that say
// nothing, and with what the field calls the same.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

class FindWords {
 public:
  // fixtures/find/words.yaml
  static Result<FindWords> Read(const std::string& file);

  // How often each word is said. "libcudart.so.12" is itself, and what it is made of; words that
  // mean the same share one more ("=12"), which counts less.
  std::map<std::string, double> Of(std::string_view text) const;

 private:
  std::set<std::string> silent_;
  std::map<std::string, std::set<std::string>> same_;  // words, joined by spaces -> the groups
  size_t longest_ = 1;                                 // of them, in words
};

}  // namespace gpustage
