#include "harness/base/text.h"

#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::Optional;

const std::vector<std::string> kKeys = {"claim", "expect", "env", "layout", "machine"};

TEST(Quote, ShowsBytesThatATerminalWouldNot) {
  EXPECT_EQ(Quote("plain text"), "\"plain text\"");
  EXPECT_EQ(Quote("a\"b\\c\n\t"), "\"a\\\"b\\\\c\\n\\t\"");
  EXPECT_EQ(Quote(std::string("\xff\x01\0", 3)), "\"\\xFF\\x01\\x00\"");
}

TEST(NearestWord, TakesASwapOfNeighboursAsOneMistake) {
  EXPECT_THAT(NearestWord("expcet", kKeys), Optional(std::string("expect")));
  EXPECT_THAT(NearestWord("evn", kKeys), Optional(std::string("env")));
}

TEST(NearestWord, TakesTheNearestOfSeveral) {
  EXPECT_THAT(NearestWord("cuda_v13", {"cuda_v12", "cuda_v13x", "cuda_v1"}),
              Optional(std::string("cuda_v12")));
}

TEST(NearestWord, FindsNoneWhereNothingIsNear) {
  EXPECT_EQ(NearestWord("user", kKeys), std::nullopt);
  EXPECT_EQ(NearestWord("x", {}), std::nullopt);
}

TEST(DidYouMean, NamesAllWordsWhenNoneIsNear) {
  EXPECT_EQ(DidYouMean("expcet", kKeys), "; did you mean \"expect\"?");
  EXPECT_EQ(DidYouMean("user", {"set", "to", "default"}), "; it can be set, to or default");
  EXPECT_EQ(DidYouMean("user", {}), "; there is none");
}

TEST(DidYouMean, NamesThoseThatGoOnWhereTheWrongWordEnds) {
  const std::vector<std::string> words = {"driver-debian", "driver-fedora", "ollama-arch"};
  EXPECT_EQ(DidYouMean("drivr", words), "; did you mean driver-debian or driver-fedora?");
  EXPECT_EQ(DidYouMean("olama", words), "; did you mean \"ollama-arch\"?");
  // Three letters begin too much.
  EXPECT_EQ(DidYouMean("dri", words), "; it can be driver-debian, driver-fedora or ollama-arch");
}

TEST(MeantWord, IsTheOneThatWasProposed) {
  EXPECT_EQ(MeantWord("unknown key \"expcet\"" + DidYouMean("expcet", kKeys)), "expect");
  EXPECT_EQ(MeantWord("unknown key \"user\"" + DidYouMean("user", kKeys)), std::nullopt);
  EXPECT_EQ(MeantWord(""), std::nullopt);
}

TEST(DidYouMean, CutsALongList) {
  const std::vector<std::string> words(60, "profile");
  EXPECT_THAT(DidYouMean("x", words), testing::EndsWith("profile or 12 more"));
}

TEST(RenderError, PutsTheCaretUnderTheWord) {
  const std::string source =
      "claim: x\n\nruns: []\nuser: a\nexpect:\n  - {}\n    expcet: {devices: 0}\n";
  EXPECT_EQ(RenderError({"unknown key \"expcet\"; did you mean \"expect\"?",
                         SourcePos{"scenarios/a.yaml", 7, 5, 6}},
                        source),
            "scenarios/a.yaml:7:5: unknown key \"expcet\"; did you mean \"expect\"?\n"
            "    7 |     expcet: {devices: 0}\n"
            "      |     ^~~~~~");
}

TEST(RenderError, CountsCharactersBeforeTheCaretNotBytes) {
  EXPECT_EQ(RenderError({"wrong", SourcePos{"a", 1, 9, 3}}, "é: ö # xyz"),
            "a:1:9: wrong\n"
            "    1 | é: ö # xyz\n"
            "      |       ^~~");
}

TEST(RenderError, EndsTheMarkWithTheLine) {
  EXPECT_EQ(RenderError({"wrong", SourcePos{"a", 2, 4, 50}}, "x\nabcdef\ny"),
            "a:2:4: wrong\n"
            "    2 | abcdef\n"
            "      |    ^~~");
  EXPECT_EQ(RenderError({"wrong", SourcePos{"a", 1, 4, 1}}, "abc"),
            "a:1:4: wrong\n"
            "    1 | abc\n"
            "      |    ^");
}

TEST(RenderError, ShowsNothingThatMovesTheCursor) {
  EXPECT_EQ(RenderError({"a tab", SourcePos{"a", 1, 2, 1}}, "\t\tb\r\n"),
            "a:1:2: a tab\n"
            "    1 |   b\n"
            "      |  ^");
}

TEST(RenderError, ShowsALongLineAroundTheCaret) {
  const std::string line = std::string(200, 'a') + "WRONG" + std::string(200, 'b');
  const std::string text = RenderError({"wrong", SourcePos{"a", 1, 201, 5}}, line);
  const size_t caret = text.rfind('^') - text.rfind('|');
  const size_t shown = text.find("WRONG") - text.find('|');
  EXPECT_EQ(caret, shown);
  EXPECT_LT(text.size(), 350u);
}

TEST(RenderError, IsTheMessageAloneWithoutAPlace) {
  EXPECT_EQ(RenderError({"cannot read a.yaml", std::nullopt}, "x"), "cannot read a.yaml");
  EXPECT_EQ(RenderError({"the file is empty", SourcePos{"a", 1, 1}}, ""),
            "a:1:1: the file is empty");
  EXPECT_EQ(RenderError({"wrong", SourcePos{"a", 9, 1}}, "one line"), "a:9:1: wrong");
}

}  // namespace
}  // namespace gpustage
