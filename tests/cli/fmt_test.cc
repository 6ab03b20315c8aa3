#include <filesystem>
#include <random>

#include "harness/base/files.h"
#include "harness/scenario/yaml/yaml.h"
#include "harness/suite/format_file.h"
#include "harness/suite/lint.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

std::string Formatted(const std::string& text) {
  const Result<std::string> formatted = FormatScenario(text, "a.yaml");
  return formatted ? *formatted : "error: " + formatted.error().message;
}

TEST(FormatScenario, PutsTheClaimFirstAndKeepsCommentsWithTheirKeys) {
  EXPECT_EQ(Formatted("# of the file\n\ntags: [a]  \r\n# of the machine\nmachine: {}\n\n\n"
                      "# of the claim\nclaim: c  # and this\nexpect: []"),
            "# of the file\n\n# of the claim\nclaim: c  # and this\ntags: [a]\n"
            "# of the machine\nmachine: {}\n\nexpect: []\n");
}

TEST(FormatScenario, LeavesTheBlanksOfATextAsTheyAre) {
  const std::string text =
      "claim: c\ntree:\n  - file: /a\n    content: |\n      a  \n\n\n      b\n";
  EXPECT_EQ(Formatted(text), text);
}

TEST(FormatScenario, RefusesWhatIsNoYaml) {
  EXPECT_THAT(Formatted("claim: [c\n"), testing::StartsWith("error: "));
}

// Blanks and blank lines put in at random, where they mean nothing.
TEST(FormatScenario, ChangesNoWordOfTheCollection) {
  std::mt19937 random(1);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(InSources("/scenarios"))) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string text = *ReadFile(entry.path());
    const std::string once = Formatted(text);
    ASSERT_FALSE(once.starts_with("error: ")) << entry.path() << once;
    EXPECT_EQ(Formatted(once), once) << entry.path();
    const auto before = ParseYaml(text, "a.yaml"), after = ParseYaml(once, "a.yaml");
    ASSERT_TRUE(before && after);
    EXPECT_TRUE(SameText(*before, *after)) << entry.path();
    if (text.find("|\n") != std::string::npos || text.find(">\n") != std::string::npos) continue;
    std::string damaged;
    for (const char c : text) {
      if (c == '\n' && random() % 4 == 0) damaged += "  ";
      damaged += c;
    }
    EXPECT_EQ(Formatted(damaged), once) << entry.path();
  }
}

}  // namespace
}  // namespace gpustage
