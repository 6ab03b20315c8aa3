// A program that is given in several versions: which of them a run asks for, and of which an
// expectation speaks.
#include <map>

#include "tests/scenario/refused.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(Versions, BehindANameAreARangeOrOneAndWhatIsOfIt) {
  EXPECT_EQ(ParseVersions("<0.30"), (VersionRange{"", "0.30"}));
  EXPECT_EQ(ParseVersions(">=0.30"), (VersionRange{"0.30", ""}));
  EXPECT_EQ(ParseVersions("0.17"), (VersionRange{"0.17", "0.18"}));
  EXPECT_EQ(ParseVersions("0.13.9"), (VersionRange{"0.13.9", "0.13.10"}));
  for (const char* word : {"", ">0.30", "<=0.30", "v0.30", "0.", "<", "latest", "0.30 "})
    EXPECT_EQ(ParseVersions(word), std::nullopt) << word;
}

TEST(Versions, AreMeantByNumber) {
  for (const char* wanted :
       {"ollama", "ollama@0.17.4", "ollama@0.17", "ollama@0", "ollama@<0.30", "ollama@>=0.17.4"})
    EXPECT_TRUE(Means(wanted, "ollama", "0.17.4")) << wanted;
  for (const char* wanted : {"olla", "ollama-model", "ollama@0.17.5", "ollama@0.1",
                             "ollama@<0.17.4", "ollama@>=0.30", "ollama@", "dlopen@0.17"})
    EXPECT_FALSE(Means(wanted, "ollama", "0.17.4")) << wanted;
  EXPECT_TRUE(Means("ollama@unknown", "ollama", "unknown"));
  EXPECT_FALSE(Means("ollama@0.17", "ollama", ""));
}

class VersionsTest : public testing::Test {
 protected:
  // "ollama" in two definitions, as fixtures/scanners has it.
  VersionsTest() {
    Define("ollama", "versions: {below: \"0.30\"}\n");
    Define("ollama@0.30", "versions: {from: \"0.30\"}\n");
  }

  void Define(const std::string& file, const std::string& lines) {
    files_.Write("scanners/" + file + ".yaml",
                 "scanner: ollama\nabout: a\nprogram: {given: ollama}\nargv: [" + file +
                     "]\nfits: driver\n" + lines);
  }

  void Give(const std::vector<std::string>& versions) {
    for (const std::string& version : versions)
      files_.catalog().given.push_back({"ollama", "/" + version, version});
  }

  // What the first case has: the name of each run, and why it is skipped.
  std::map<std::string, std::string> Runs(const std::string& lines) {
    std::map<std::string, std::string> runs;
    const auto cases = files_.Load(kPlain + lines);
    if (!cases) return {{"error", WholeMessage(cases.error())}};
    for (const RunSpec& run : cases->front().runs)
      if (run.scanner.name == "ollama") runs[run.name] = run.scanner.missing;
    return runs;
  }

  ScenarioFiles files_;
};

TEST_F(VersionsTest, HaveTheDefinitionThatIsForThem) {
  Give({"0.17.4", "0.32.14"});
  const auto cases = files_.Load(kPlain + "runs: [{scanner: ollama}]\n");
  ASSERT_THAT(cases, IsOk());
  const std::vector<RunSpec>& runs = cases->front().runs;
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_THAT(runs[0].scanner.argv, ElementsAre("ollama"));
  EXPECT_EQ(runs[0].name, "ollama@0.17.4");
  EXPECT_THAT(runs[1].scanner.argv, ElementsAre("ollama@0.30"));
  EXPECT_EQ(runs[1].name, "ollama@0.32.14");
}

TEST_F(VersionsTest, OfWhichThereIsNoneAreOneSentence) {
  EXPECT_THAT(
      Runs(""),
      ElementsAre(Pair("ollama", "no ollama here: give --ollama PATH, GPUSTAGE_OLLAMA or PATH")));
  EXPECT_THAT(Runs("runs: [{scanner: ollama}]\n"),
              ElementsAre(Pair("ollama", HasSubstr("no ollama here: "))));
}

TEST_F(VersionsTest, ThatAreGivenRunByThemselves) {
  Give({"0.32.14"});
  EXPECT_THAT(Runs(""), ElementsAre(Pair("ollama@0.32.14", "")));
}

TEST_F(VersionsTest, ThatAreAskedForAndAbsentAreSkipped) {
  Give({"0.17.4"});
  EXPECT_THAT(
      Runs("runs: [{scanner: ollama@0.13}, {scanner: ollama@0.17}, {scanner: ollama@>=0.30}]\n"),
      ElementsAre(
          Pair("ollama@0.13", "no ollama 0.13 here: give --ollama PATH, GPUSTAGE_OLLAMA or PATH"),
          Pair("ollama@0.17.4", ""),
          Pair("ollama@>=0.30",
               "no ollama from 0.30 on here: give --ollama PATH, GPUSTAGE_OLLAMA or PATH")));
}

TEST_F(VersionsTest, MayBeAnAxisThatIsPartlyHere) {
  Give({"0.17.4"});
  const auto cases = files_.Load(
      kPlain +
      "runs: [{scanner: ollama}]\nmatrix:\n  v: {set: runs.0.scanner, to: [{as: absent, value: "
      "ollama@0.99}, {as: here, value: ollama@0.17}]}\nexpect: [{run: ollama, devices: 1}]\n");
  ASSERT_THAT(cases, IsOk());
  ASSERT_EQ(cases->size(), 2U);
  EXPECT_THAT(cases->at(0).runs.front().scanner.missing, HasSubstr("no ollama 0.99 here"));
  EXPECT_THAT(cases->at(1).runs.front().scanner.missing, IsEmpty());
}

TEST_F(VersionsTest, OfAWrongNameAreAnError) {
  EXPECT_THAT(
      Runs("runs: [{scanner: olama@0.17}]\n"),
      ElementsAre(
          Pair("error", HasSubstr("3:18: unknown scanner \"olama\"; did you mean \"ollama\"?"))));
  EXPECT_THAT(
      Runs("runs: [{scanner: olama}]\n"),
      ElementsAre(
          Pair("error", HasSubstr("3:18: unknown scanner \"olama\"; did you mean \"ollama\"?"))));
  EXPECT_THAT(Runs("runs: [{scanner: dlopen@1}]\n"),
              ElementsAre(Pair("error", HasSubstr("3:18: unknown scanner \"dlopen\""))));
  EXPECT_THAT(
      Runs("runs: [{scanner: ollama@latest}]\n"),
      ElementsAre(Pair("error", HasSubstr("3:18: expected a version such as ollama@0.17"))));
  EXPECT_THAT(
      Runs("expect: [{run: ollama@>0.30, devices: 1}]\n"),
      ElementsAre(Pair("error", HasSubstr("3:16: expected a version such as ollama@0.17"))));
}

TEST_F(VersionsTest, AreExpectedOfByTheirNumbers) {
  Give({"0.17.4", "0.32.14"});
  const auto cases = files_.Load(kPlain +
                                 "expect: [{devices: 1}, {run: ollama@<0.30, devices: 2}, {run: "
                                 "ollama@>=0.30, devices: 3}, {run: ollama, devices: 4}]\n");
  ASSERT_THAT(cases, IsOk());
  const Case& c = cases->front();
  std::map<std::string, std::vector<int64_t>> expected;
  for (const RunSpec& run : c.runs)
    for (const Expectation& expectation : c.expect)
      if (!expectation.run || IsNamed(run, *expectation.run))
        expected[run.name].push_back(
            std::get<DevicesClaim>(expectation.claims.front().what).count.at_least);
  EXPECT_THAT(expected, ElementsAre(Pair("dlopen", ElementsAre(1)),
                                    Pair("ollama@0.17.4", ElementsAre(1, 2, 4)),
                                    Pair("ollama@0.32.14", ElementsAre(1, 3, 4))));
}

TEST_F(VersionsTest, OfWhichNothingIsExpectedAreSkipped) {
  Give({"0.17.4", "0.32.14"});
  EXPECT_THAT(
      Runs("expect: [{run: [dlopen, ollama@<0.30], devices: 1}]\n"),
      ElementsAre(Pair("ollama@0.17.4", ""),
                  Pair("ollama@0.32.14",
                       "nothing is expected of ollama@0.32.14 here, only of ollama@<0.30")));
  // A case that has no other run is one all the same.
  EXPECT_THAT(
      Runs("runs: [{scanner: ollama@0.32}]\nexpect: [{run: ollama@<0.30, devices: 1}]\n"),
      ElementsAre(Pair("ollama@0.32.14",
                       "nothing is expected of ollama@0.32.14 here, only of ollama@<0.30")));
}

TEST_F(VersionsTest, AreAllOfAFileOfTheUsers) {
  Give({"0.17.4", "0.32.14"});
  files_.Write("ollama.yaml",
               "scanner: ollama\nabout: a\nprogram: {given: ollama}\nargv: [mine]\nfits: driver\n");
  files_.catalog().scanner_files = {files_.Path("ollama.yaml")};
  const auto cases = files_.Load(kPlain + "runs: [{scanner: ollama}]\n");
  ASSERT_THAT(cases, IsOk());
  ASSERT_EQ(cases->front().runs.size(), 2U);
  for (const RunSpec& run : cases->front().runs) EXPECT_THAT(run.scanner.argv, ElementsAre("mine"));
}

}  // namespace
}  // namespace gpustage
