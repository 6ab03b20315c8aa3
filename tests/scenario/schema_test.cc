// The schema for editors and the reader know the same keys.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/scenario_files.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using nlohmann::json;

// An object of the schema, and a scenario with a place for one key of it.
struct Place {
  const char* name;
  const char* pointer;
  std::string before;
  std::string after;
};
void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }

class Schema : public testing::TestWithParam<Place> {
 protected:
  std::vector<std::string> Keys() const {
    const json schema = json::parse(*ReadFile(InSources("/harness/scenario/scenario.schema.json")));
    std::vector<std::string> keys;
    for (const auto& [key, value] :
         schema.at(json::json_pointer(GetParam().pointer)).at("properties").items())
      keys.push_back(key);
    return keys;
  }
  std::string MessageFor(const std::string& key) const {
    const auto cases = ScenarioFiles().Load("claim: c\nlayout: [driver]\n" + GetParam().before +
                                            key + ": x" + GetParam().after + "\n");
    return cases ? "" : cases.error().message;
  }
};

TEST_P(Schema, HasNoKeyThatTheReaderRefuses) {
  for (const std::string& key : Keys())
    EXPECT_THAT(MessageFor(key), testing::Not(testing::StartsWith("unknown key"))) << key;
}

// It lists them for a key that is near to none.
TEST_P(Schema, HasAsManyKeysAsTheReaderOffers) {
  const std::string offer = MessageFor("zzzzzzzzzzzz");
  size_t offered = static_cast<size_t>(std::count(offer.begin(), offer.end(), ',')) + 2;
  if (offer.ends_with(" more")) offered += std::stoul(offer.substr(offer.rfind(" or ") + 4)) - 1;
  EXPECT_EQ(offered, Keys().size()) << offer;
}

INSTANTIATE_TEST_SUITE_P(
    , Schema,
    testing::Values(
        Place{"Device", "/$defs/device/anyOf/1", "machine: {devices: [{profile: h100, ", "}]}"},
        Place{"Machine", "/$defs/machine", "machine: {", "}"},
        Place{"Fault", "/$defs/fault", "machine: {faults: [{", "}]}"},
        Place{"Axis", "/$defs/matrix/additionalProperties", "matrix: {a: {set: env.A, to: [x], ",
              "}}"},
        Place{"Constraint", "/$defs/constraint",
              "matrix: {a: {set: env.A, to: [x]}, constraints: [{", "}]}"},
        Place{"Run", "/$defs/run", "runs: [{", "}]"},
        Place{"Expectation", "/$defs/expectation", "expect: [{", "}]"},
        Place{"Fix", "/$defs/fix", "fix: {", "}"},
        Place{"Suspect", "/$defs/suspect",
              "matrix: {n: {set: env.N, to: [1]}}\nsuspects: {axis: n, looks: {l: {say: x}}, "
              "\"1\": {is: x, look: l, see: y, ",
              "}}"},
        Place{"Look", "/$defs/look",
              "matrix: {n: {set: env.N, to: [1]}}\nsuspects: {axis: n, looks: {l: {say: x, ",
              "}}}"},
        Place{"SuspectsFix", "/$defs/suspect/properties/fix",
              "runs: [{scanner: dlopen}]\nexpect: [{devices: 0}]\nmatrix: {n: {set: env.N, to: "
              "[1]}}\n"
              "suspects: {axis: n, looks: {l: {say: x}}, fixed: [{devices: 1}], \"1\": {is: x, "
              "look: l, see: y, fix: {",
              "}}}"},
        Place{"Log", "/$defs/expectation/properties/log", "expect: [{log: {", "}}]"},
        Place{"DeviceClaim", "/$defs/deviceClaim", "expect: [{device: {", "}}]"},
        Place{"LoadsClaim", "/$defs/loadsClaim/anyOf/1", "expect: [{loads: {", "}}]"},
        Place{"SearchesClaim", "/$defs/searchesClaim", "expect: [{searches: {", "}}]"},
        Place{"DlsymClaim", "/$defs/dlsymClaim", "expect: [{dlsym: {", "}}]"},
        Place{"LacksClaim", "/$defs/lacksClaim", "expect: [{lacks: {", "}}]"},
        Place{"TakesClaim", "/$defs/takesClaim", "expect: [{takes: {", "}}]"},
        Place{"CallsClaim", "/$defs/callsClaim", "expect: [{calls: {", "}}]"},
        Place{"ProcessClaim", "/$defs/processClaim", "expect: [{process: {", "}}]"},
        Place{"FilesClaim", "/$defs/filesClaim", "expect: [{files: {", "}}]"},
        Place{"LostClaim", "/$defs/lostClaim", "expect: [{lost: {", "}}]"},
        Place{"Broken", "/$defs/operation/oneOf/8/properties/broken",
              "tree: [{library: /a, fake: cudart-12, broken: {", "}}]"},
        Place{"Library", "/$defs/operation/oneOf/8", "tree: [{library: /a, ", "}]"},
        Place{"File", "/$defs/operation/oneOf/1", "tree: [{file: /a, ", "}]"}),
    [](const auto& row) { return std::string(row.param.name); });

// The words that a value may be: each is read, and the reader offers as many.
struct Words {
  const char* name;
  const char* pointer;
  std::string before, after;
};
void PrintTo(const Words& words, std::ostream* out) { *out << words.name; }

class SchemaWords : public testing::TestWithParam<Words> {
 protected:
  static std::vector<std::string> InSchema() {
    const json schema = json::parse(*ReadFile(InSources("/harness/scenario/scenario.schema.json")));
    const json& place = schema.at(json::json_pointer(GetParam().pointer));
    std::vector<std::string> words;
    for (const json& one : place.contains("enum") ? place["enum"] : place["oneOf"])
      words.push_back(one.is_object() ? one.at("const") : one);
    return words;
  }
  static std::string MessageFor(const std::string& word) {
    const auto cases = ScenarioFiles().Load("claim: c\nlayout: [driver]\n" + GetParam().before +
                                            word + GetParam().after + "\n");
    return cases ? "" : cases.error().message;
  }
};

TEST_P(SchemaWords, AreThoseOfTheReader) {
  const std::vector<std::string> words = InSchema();
  for (const std::string& word : words)
    EXPECT_THAT(MessageFor(word), testing::Not(testing::StartsWith("unknown "))) << word;
  const std::string offer = MessageFor("zzzzzzzzzzzz");
  ASSERT_THAT(offer, testing::StartsWith("unknown "));
  size_t offered = static_cast<size_t>(std::count(offer.begin(), offer.end(), ',')) + 2;
  if (offer.ends_with(" more")) offered += std::stoul(offer.substr(offer.rfind(" or ") + 4)) - 1;
  EXPECT_EQ(offered, words.size()) << offer;
}

INSTANTIATE_TEST_SUITE_P(
    , SchemaWords,
    testing::Values(Words{"PropsLayout", "/$defs/machine/properties/props_layout",
                          "machine: {props_layout: ", "}"},
                    Words{"Cover", "/$defs/matrix/properties/cover",
                          "matrix: {a: {set: env.A, to: [x, y]}, cover: ", "}"},
                    Words{"Rule", "/$defs/rule", "expect: [{loads: {library: x, by: ", "}}]"},
                    Words{"DlsymAnswer", "/$defs/dlsymClaim/properties/answer",
                          "expect: [{dlsym: {symbol: x, answer: ", "}}]"},
                    Words{"Known", "/$defs/lostClaim/properties/known",
                          "expect: [{lost: {library: x, at: loaded, known: ", "}}]"},
                    Words{"How", "/$defs/filesClaim/properties/how",
                          "expect: [{files: {path: /x, how: ", "}}]"},
                    Words{"FilesAnswer", "/$defs/filesClaim/properties/answer",
                          "expect: [{files: {path: /x, answer: ", "}}]"},
                    Words{"Step", "/$defs/step", "expect: [{lost: {library: x, at: ", "}}]"},
                    Words{"Cause", "/$defs/cause",
                          "expect: [{lost: {library: x, at: loaded, cause: ", "}}]"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace gpustage
