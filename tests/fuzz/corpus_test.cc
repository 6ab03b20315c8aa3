// Every file of the corpora again, and a few hundred mutations of each target's seeds.
#include <filesystem>
#include <random>

#include "harness/base/files.h"
#include "tests/fuzz/targets.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

constexpr int kMutations = 1000;  // of a target

class Corpus : public testing::TestWithParam<FuzzTarget> {
 protected:
  static std::vector<std::string> Seeds() {
    std::vector<std::string> seeds = GetParam().seeds();
    const std::string folder = InSources("/tests/fuzz/corpus/") + std::string(GetParam().name);
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      Result<std::string> bytes = ReadFile(entry.path());
      EXPECT_THAT(bytes, IsOk());
      if (bytes) seeds.push_back(*std::move(bytes));
    }
    return seeds;
  }
};

std::string Mutated(std::string text, const std::string& other, std::mt19937& random) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  for (size_t left = 1 + below(4); left > 0; --left) {
    const size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        if (!text.empty()) text[at] = static_cast<char>(random());
        break;
      case 1: text.erase(at, 1 + below(16)); break;
      case 2: text.insert(at, text.substr(at, 1 + below(64))); break;
      case 3: text.insert(at, other.substr(below(other.size()), 1 + below(64))); break;
      default: text.resize(at);
    }
  }
  return text;
}

TEST_P(Corpus, IsReadWithoutHarm) {
  const std::vector<std::string> seeds = Seeds();
  ASSERT_THAT(seeds, Not(testing::IsEmpty()));
  for (const std::string& seed : seeds) GetParam().read(seed);
  std::mt19937 random(20260801);
  for (int i = 0; i < kMutations; ++i)
    GetParam().read(
        Mutated(seeds[random() % seeds.size()], seeds[random() % seeds.size()], random));
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, testing::ValuesIn(FuzzTargets()), [](const auto& target) {
  std::string name(target.param.name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace gpustage
