// The readers of what others write: any bytes must give an answer, and no reader may crash, hang or
// grow without bound. libFuzzer drives them in `harness/dev full fuzz`, the corpora and simple
// mutations of them in ctest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpustage {

struct FuzzTarget {
  std::string_view name;  // also the folder of its corpus
  void (*read)(std::string_view bytes);
  // More seeds than the corpus: files that are there anyway, or bytes that are made here.
  std::vector<std::string> (*seeds)();
};

const std::vector<FuzzTarget>& FuzzTargets();
const FuzzTarget* FindFuzzTarget(std::string_view name);  // nullptr: there is none

}  // namespace gpustage
