#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>

#include "harness/base/files.h"
#include "harness/suite/scenario_words.h"
#include "tests/collection/collection.h"

namespace gpustage {
namespace {

constexpr size_t kAmongFirst = 3;
// A head may name the same device ("Radeon AI PRO R9700 (gfx1201)") and the same option.
constexpr size_t kHeadRow = 6;
constexpr double kBar = 0.9;

TEST(Find, ListsTheScenarioOfAThreadByItsTitleAmongTheFirstThree) {
  const Result<Finder> finder = Finder::Read(FindCatalog({}), WordsFile());
  ASSERT_THAT(finder, IsOk());
  const ByThread by_thread = ScenariosByThread(AllScenarioFiles());
  int asked = 0, found = 0;
  for (const Thread& thread : Threads()) {
    const auto own = by_thread.find(thread.source);
    if (own == by_thread.end()) continue;
    ++asked;
    const std::vector<FoundScenario> first = finder->Find({{{thread.title, 1}}, ""}, kAmongFirst);
    const bool listed = std::any_of(first.begin(), first.end(), [&](const FoundScenario& one) {
      return std::any_of(own->second.begin(), own->second.end(),
                         [&](const FoundScenario& wanted) { return wanted.id == one.id; });
    });
    if (listed) {
      ++found;
      continue;
    }
    std::cout << "not among the first three: " << thread.id << " (" << own->second.front().id
              << "), but";
    for (const FoundScenario& one : first) std::cout << " " << one.id;
    std::cout << "\n";
  }
  std::cout << found << " of " << asked << " titles list their scenario among the first three\n";
  RecordProperty("asked", asked);
  RecordProperty("found", found);
  EXPECT_GE(found, kBar * asked);
}

// As a reader counts them: "libnvToolsExt.so" is one, "unknown-error-after" is three.
std::vector<std::string> WordsInARow(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const bool part = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (part)
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!words.back().empty())
      words.emplace_back();
  }
  for (std::string& word : words) word.erase(word.find_last_not_of('.') + 1);
  std::erase(words, "");
  return words;
}

// "four words in a row" of both, or "".
std::string Shared(const std::string& one, const std::string& other, size_t row = 4) {
  const std::vector<std::string> a = WordsInARow(one), b = WordsInARow(other);
  for (size_t i = 0; i + row <= a.size(); ++i)
    if (std::search(b.begin(), b.end(), a.begin() + static_cast<long>(i),
                    a.begin() + static_cast<long>(i + row)) != b.end())
      return fmt::format("{}", fmt::join(a.begin() + static_cast<long>(i),
                                         a.begin() + static_cast<long>(i + row), " "));
  return "";
}

// A line of a log is quoted as it was written, also where the title quotes it, too.
std::string WithoutQuotes(const std::string& text) {
  std::string bare;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    bare += quoted || c == '"' ? ' ' : c;
  }
  return bare;
}

TEST(Find, KnowsNoTitle) {
  const Catalog catalog = FindCatalog({});
  const ByThread by_thread = ScenariosByThread(AllScenarioFiles());
  std::vector<Thread> threads = Threads();
  for (Thread& newer : NewerThreads()) threads.push_back(std::move(newer));
  for (const Thread& thread : threads) {
    const auto own = by_thread.find(thread.source);
    if (own == by_thread.end()) continue;
    for (const FoundScenario& scenario : own->second) {
      EXPECT_EQ(Shared(scenario.claim, thread.title), "") << "claim of " << scenario.id;
      EXPECT_EQ(Shared(scenario.id, thread.title), "") << "name of " << scenario.id;
      const Result<Scenario> read = ReadScenarioFile(scenario.file, catalog);
      ASSERT_THAT(read, IsOk());
      EXPECT_EQ(Shared(WithoutQuotes(WordsOf(*read)->head), thread.title, kHeadRow), "")
          << "head of " << scenario.id;
    }
  }
}

TEST(Find, SeesFourWordsInARowAndNotThree) {
  EXPECT_EQ(Shared("the runtime is a link to itself", "The runtime is a loop"), "the runtime is a");
  EXPECT_EQ(Shared("the runtime is a link to itself", "runtime is a loop"), "");
}

class FindIn : public testing::Test {
 protected:
  std::map<std::string, double> Of(const std::string& text) const {
    const Result<FindWords> words = FindWords::Read(WordsFile());
    EXPECT_THAT(words, IsOk());
    return words->Of(text);
  }
};

TEST_F(FindIn, ANameIsItselfAndItsParts) {
  const auto said = Of("libcudart.so.12: file too short");
  EXPECT_TRUE(said.contains("libcudart.so.12"));
  EXPECT_TRUE(said.contains("cudart"));
}

TEST_F(FindIn, FormsOfAWordAreOne) {
  for (const char* form : {"load", "loads", "loaded", "loading"})
    EXPECT_TRUE(Of(form).contains("load")) << form;
}

TEST_F(FindIn, APhraseFindsTheWordForIt) {
  const auto phrase = Of("no such file or directory"), word = Of("missing");
  EXPECT_TRUE(std::any_of(phrase.begin(), phrase.end(), [&](const auto& said) {
    return said.first.starts_with('=') && word.contains(said.first);
  }));
}

}  // namespace
}  // namespace gpustage
