#include "harness/scenario/yaml/yaml.h"

#include "harness/scenario/yaml/quoted.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::Field;

std::string TextOf(std::string_view yaml) {
  const auto node = ParseYaml(yaml, "a.yaml");
  if (!node) return WholeMessage(node.error());
  const YamlNode* value = node->Find("a");
  return value != nullptr && value->IsText() ? value->text : "no text";
}

// ---- What is read

TEST(ParseYaml, KeepsPlainScalarsAsTheyAreWritten) {
  for (const char* text : {"999", "on", "yes", "true", "12.10", "0711", "0x1F", "1e3", "1_000",
                           "2024-01-01", ".inf", "12:30:45", "-0", "+1"})
    EXPECT_EQ(TextOf(std::string("a: ") + text), text);
}

TEST(ParseYaml, KeepsWhatTrapsOtherReaders) {
  EXPECT_EQ(TextOf("a: text # and a comment"), "text");
  EXPECT_EQ(TextOf("a: text# and no comment"), "text# and no comment");
  EXPECT_EQ(TextOf("a: http://host:1/x"), "http://host:1/x");
  EXPECT_EQ(TextOf("a: ''"), "");
  EXPECT_EQ(TextOf("a: \"\""), "");
}

TEST(ParseYaml, KnowsQuotedFromPlain) {
  const auto node = ParseYaml("[x, \"x\", 'x', \"\"]", "a.yaml");
  ASSERT_THAT(node, IsOk());
  EXPECT_THAT(node->items,
              ElementsAre(Field(&YamlNode::plain, true), Field(&YamlNode::plain, false),
                          Field(&YamlNode::plain, false), Field(&YamlNode::plain, false)));
}

TEST(ParseYaml, CountsLinesAndColumnsFromOneInBytes) {
  const auto node = ParseYaml("é: {ü: x}\nb:\n  - long word\n  - \"\\xFFq\"\n", "a.yaml");
  ASSERT_THAT(node, IsOk());
  EXPECT_EQ(node->entries[0].pos, (SourcePos{"a.yaml", 1, 1, 2}));
  EXPECT_EQ(node->entries[0].value.pos, (SourcePos{"a.yaml", 1, 5, 1}));
  EXPECT_EQ(node->entries[0].value.entries[0].value.pos, (SourcePos{"a.yaml", 1, 10, 1}));
  EXPECT_EQ(node->entries[1].value.items[0].pos, (SourcePos{"a.yaml", 3, 5, 9}));
  EXPECT_EQ(node->entries[1].value.items[1].pos, (SourcePos{"a.yaml", 4, 5, 7}));
}

TEST(ParseYaml, ReadsHexEscapesAsBytes) {
  EXPECT_EQ(TextOf("a: \"x\\xFFy\""), "x\xffy");
  EXPECT_EQ(TextOf("a: \"\\xC3\\xA9\""), "é");
  EXPECT_EQ(TextOf("a: \"\\u00FF\""), "ÿ");
  EXPECT_EQ(TextOf("a: \"ÿ\""), "ÿ");
  EXPECT_EQ(TextOf("a: '\\xFF'"), "\\xFF");
  EXPECT_EQ(TextOf("a: \\xFF"), "\\xFF");
  EXPECT_EQ(TextOf("a: \"\\\\xFF\""), "\\xFF");
}

TEST(ParseYaml, ReadsBytesInKeys) {
  const auto node = ParseYaml("{\"\\xFE\": x}", "a.yaml");
  ASSERT_THAT(node, IsOk());
  EXPECT_EQ(node->entries[0].key, "\xfe");
}

// To look for the end of the line from each word took the square of them: minutes for this one.
TEST(ParseYaml, ReadsAListOfManyWordsInALine) {
  std::string text = "a: [w";
  for (int i = 1; i < 200'000; ++i) text += ", w";
  const auto node = ParseYaml(text + "]\n", "a.yaml");
  ASSERT_THAT(node, IsOk());
  const std::vector<YamlNode>& words = node->entries[0].value.items;
  ASSERT_EQ(words.size(), 200'000u);
  EXPECT_EQ(words.back().pos, (SourcePos{"a.yaml", 1, 5 + 3 * 199'999, 1}));
}

TEST(ParseYaml, ReadsTabsInBlocksOfText) {
  EXPECT_EQ(TextOf("a: |\n  Model:\t H100\n  \tIRQ\n"), "Model:\t H100\n\tIRQ\n");
}

TEST(ParseYaml, TakesWindowsLineEnds) {
  EXPECT_EQ(TextOf("a: x\r\nb: y\r\n"), "x");
  EXPECT_THAT(ParseYaml("a: x\r\nb: y\r\nb: z\r\n", "a.yaml"),
              FailsWith("a.yaml:3:1: duplicate key \"b\"; line 2 has it already"));
}

// Expected values: YAML 1.2.2, examples 5.13, 7.4 to 7.9 and their explanations.
TEST(ReadQuoted, FoldsLinesAsTheSpecificationSays) {
  EXPECT_EQ(TextOf("a: \"folded \n  to a space,\n\n  to a line feed, or \\\n  \\ non-content\""),
            "folded to a space,\nto a line feed, or  non-content");
  EXPECT_EQ(TextOf("a: \" 1st non-empty\n\n   2nd non-empty \n   3rd non-empty \""),
            " 1st non-empty\n2nd non-empty 3rd non-empty ");
  EXPECT_EQ(TextOf("a: ' 1st non-empty\n\n   2nd non-empty \n   3rd non-empty '"),
            " 1st non-empty\n2nd non-empty 3rd non-empty ");
  EXPECT_EQ(TextOf("a: 'here''s to \"quotes\"'"), "here's to \"quotes\"");
}

TEST(ReadQuoted, KnowsAllEscapesOfTheSpecification) {
  EXPECT_EQ(
      TextOf("a: \"\\0\\a\\b\\t\\n\\v\\f\\r\\e\\ \\\"\\/\\\\\\N\\_\\L\\P\\x41\\u0041\\U00000041\""),
      std::string("\0\a\b\t\n\v\f\r\x1b \"/\\\xc2\x85\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9"
                  "AAA",
                  26));
  EXPECT_EQ(TextOf("a: \"\\u20AC \\U0001F600\""), "€ 😀");
}

TEST(ReadQuoted, SaysWhereTheQuoteEnds) {
  const auto quoted = ReadQuoted("x \"a\\\"b\" y", 2);
  ASSERT_TRUE(quoted.has_value());
  EXPECT_EQ(quoted->text, "a\"b");
  EXPECT_EQ(quoted->end, 8u);
  EXPECT_FALSE(ReadQuoted("\"a\\\"", 0).has_value());
  EXPECT_FALSE(ReadQuoted("'a''", 0).has_value());
}

// ---- What is refused, each with its whole message

struct Refused {
  const char* name;
  std::string text;
  const char* message;
};

void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

class StrictYaml : public testing::TestWithParam<Refused> {};

TEST_P(StrictYaml, Refuses) {
  EXPECT_THAT(ParseYaml(GetParam().text, "a.yaml"),
              FailsWith(std::string("a.yaml:") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    , StrictYaml,
    testing::Values(
        Refused{"DuplicateKey", "env: {A: 1}\nuser: x\nenv: {B: 2}\n",
                "3:1: duplicate key \"env\"; line 1 has it already"},
        Refused{"DuplicateKeyInBrackets", "env: {A: 1, B: 2, A: 3}",
                "1:19: duplicate key \"A\"; line 1 has it already"},
        Refused{"Anchor", "a: &x b\n",
                "1:4: anchors are not read here; write the value out, or put it in quotes if it "
                "begins with &"},
        Refused{"AnchorOfAMap", "a: &x\n  b: c\n",
                "1:4: anchors are not read here; write the value out, or put it in quotes if it "
                "begins with &"},
        Refused{"Alias", "a: b\nc: *x\n",
                "2:4: aliases are not read here; write the value out, or put it in quotes if it "
                "begins with *"},
        Refused{"Tag", "a: !!str 1\n",
                "1:4: tags are not read here; all values are text, put it in quotes if it begins "
                "with !"},
        Refused{"TagOfAList", "a: !set [b]\n",
                "1:4: tags are not read here; all values are text, put it in quotes if it begins "
                "with !"},
        Refused{"TagOfNothing", "a: ! b\n",
                "1:4: tags are not read here; all values are text, put it in quotes if it begins "
                "with !"},
        Refused{"Merge", "a: {b: c, <<: d}\n", "1:11: merges are not read; write the keys out"},
        Refused{"TabAsIndentation", "a:\n\tb: c\n",
                "2:1: a tab; indent with blanks, and write a tab in a value as \"\\t\""},
        Refused{"TabBehindAKey", "a:\tb\n",
                "1:3: a tab; indent with blanks, and write a tab in a value as \"\\t\""},
        Refused{"TabInQuotes", "a: \"b\tc\"\n",
                "1:6: a tab; indent with blanks, and write a tab in a value as \"\\t\""},
        Refused{"SecondDocument", "a: b\n---\nc: d\n",
                "2:1: a second document begins here; a file holds one"},
        Refused{"EmptyValue", "a: b\nc:\nd: e\n",
                "2:1: \"c\" has no value; the empty string is \"\""},
        Refused{"EmptyLastValue", "a: b\nc:\n",
                "2:1: \"c\" has no value; the empty string is \"\""},
        Refused{"KeyWithoutValueInBrackets", "{a, b: c}\n",
                "1:2: \"a\" has no value; the empty string is \"\""},
        Refused{"MissingKey", ": a\n", "1:1: a key is missing here"},
        Refused{"MissingKeyInBrackets", "{a: b, : c}\n", "1:8: a key is missing here"},
        Refused{"EmptyItem", "a:\n  - b\n  -\n  - c\n",
                "2:3: item 2 of this list has no value; the empty string is \"\""},
        Refused{
            "Null", "a: null\n",
            "1:4: null is no value here; write \"null\" for the text, \"\" for the empty string"},
        Refused{"Tilde", "a: [b, ~]\n",
                "1:8: ~ is no value here; write \"~\" for the text, \"\" for the empty string"},
        Refused{"EmptyFile", "", "1:1: the file is empty"},
        Refused{"OnlyComments", "# nothing\n", "1:1: the file is empty"},
        Refused{"OnlyADocumentEnd", "...\n", "1:1: expected a map, a list or text"},
        Refused{"CommaFirst", ", a: b\n", "1:1: expected a map, a list or text"},
        Refused{"ListAsKey", "? [a]\n: b\n", "1:3: a key must be text"},
        Refused{"MapAsKey", "{{a: b}: c}\n", "1:2: a key must be text"},
        Refused{"OpenBracket", "a: [b, c\n", "1:4: this bracket is never closed"},
        Refused{"OpenBrace", "a:\n  b: {c: d\n", "2:6: this bracket is never closed"},
        Refused{"OpenBraceAtTheStart", "{claim: c\n", "1:1: this bracket is never closed"},
        Refused{"OpenDoubleQuote", "a: \"b\n", "1:4: this \" is never closed"},
        Refused{"OpenSingleQuote", "a: 'b\n", "1:4: this ' is never closed"},
        Refused{"UnknownEscape", "a: \"b\\q\"\n", "1:8: not YAML: unknown escape character: q"},
        Refused{"ReservedCharacter", "a: `b\n",
                "1:4: a plain value cannot begin with `; put it in quotes"},
        Refused{"PercentSign", "a: %b\n",
                "1:4: a plain value cannot begin with %; put it in quotes"},
        Refused{"SecondColon", "a: b: c\n",
                "1:5: a second \": \" on one line, or wrong indentation; put a text that holds \": "
                "\" in quotes"},
        Refused{"TextBehindAQuote", "a: \"d\"e\n", "1:7: not YAML: end of map not found"},
        Refused{"ByteOrderMark",
                "\xef\xbb\xbf"
                "a: b\n",
                "1:1: the file begins with a byte order mark; save it as UTF-8 without one"},
        Refused{"Utf16",
                "\xff\xfe"
                "a",
                "1:1: the file is UTF-16; save it as UTF-8"},
        Refused{"Utf16WithoutAMark", std::string("c\0l\0a\0i\0m\0:\0 \0", 14),
                "1:1: the file looks like UTF-16; save it as UTF-8"},
        Refused{"Utf16OfTheOtherOrder", std::string("\0c\0l\0a\0i\0m\0:", 12),
                "1:1: the file looks like UTF-16; save it as UTF-8"},
        Refused{"Latin1", "a: caf\xe9\n",
                "1:7: byte 0xE9 is not UTF-8; save the file as UTF-8, or write \"\\xE9\" in double "
                "quotes"},
        Refused{"OverlongUtf8", "a: \xc0\xaf\n",
                "1:4: byte 0xC0 is not UTF-8; save the file as UTF-8, or write \"\\xC0\" in double "
                "quotes"},
        Refused{"Surrogate", "a: \xed\xa0\x80\n",
                "1:4: byte 0xED is not UTF-8; save the file as UTF-8, or write \"\\xED\" in double "
                "quotes"},
        Refused{"ControlCharacter", "a: b\nc: \x1b[0m\n",
                "2:4: byte 0x1B is a control character; write \"\\x1B\" in double quotes"},
        Refused{"NulByte", std::string("a: \0\n", 5),
                "1:4: byte 0x00 is a control character; write \"\\x00\" in double quotes"},
        Refused{"TooDeep", std::string(65, '[') + std::string(65, ']'),
                "1:65: nested deeper than 64 levels"},
        Refused{"FarTooDeep", std::string(5000, '[') + std::string(5000, ']'),
                "1:65: nested deeper than 64 levels"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReadYamlFile, NamesTheFileItCannotRead) {
  EXPECT_THAT(ReadYamlFile("/nowhere/a.yaml"),
              FailsWith("cannot read /nowhere/a.yaml: No such file or directory"));
}

}  // namespace
}  // namespace gpustage
