// Whether an expectation can fail at all: each one of scenarios/ is turned round, and exactly the
// runs that it governs fail. Judging is pure, so every case runs once and is judged again from its
// evidence.
#include <map>
#include <set>
#include <utility>

#include "harness/words/words.h"
#include "tests/pipeline/all_scenarios.h"

namespace gpustage {
namespace {

class Inversion : public AllScenarios {
 protected:
  // One claim of one file, whatever cases it stands in: its place, and its words where a matrix
  // gives it several.
  using Key = std::pair<std::string, std::string>;
  static Key KeyOf(const Claim& claim) { return {ToString(claim.pos), ToString(claim)}; }

  static bool Governs(const Key& key, const Case& c, const RunSpec& run) {
    for (const Expectation* expectation : ExpectationsFor(c, run))
      for (const Claim& claim : expectation->claims)
        if (KeyOf(claim) == key) return true;
    return false;
  }

  static Case Inverted(Case c, const Key& key) {
    for (Expectation& expectation : c.expect)
      for (Claim& claim : expectation.claims)
        if (KeyOf(claim) == key) claim.inverted = true;
    return c;
  }

  static std::set<Key> Keys() {
    std::set<Key> keys;
    for (const CaseReport& report : Reports())
      for (const Expectation& expectation : report.c.expect)
        for (const Claim& claim : expectation.claims) keys.insert(KeyOf(claim));
    return keys;
  }

  // The failure's event is one of the run's own, and its words are that event's.
  static void ExpectProof(const Verdict& verdict, const Evidence& evidence,
                          const std::string& name) {
    ASSERT_GE(verdict.event, 1) << name;
    ASSERT_LE(verdict.event, evidence.outcome_event()) << name;
    EXPECT_EQ(verdict.because, ToString(evidence.At(verdict.event))) << name;
  }
};

TEST_F(Inversion, OfAnyClaimFailsTheRunsThatItGovernsAndNoOther) {
  int failed = 0, never = 0;
  for (const Key& key : Keys()) {
    int governed = 0;
    for (const CaseReport& report : Reports()) {
      const Case inverted = Inverted(report.c, key);
      if (inverted == report.c) continue;  // the same words and the same evidence: the same verdict
      for (const RunReport& run : report.runs) {
        if (!Ran(run) || IsBad(run.verdict.kind)) continue;
        const std::string name = NameOf(report, run) + " " + key.first + " " + key.second;
        const Verdict verdict = Judge(inverted, run.spec, run.evidence);
        if (!Governs(key, report.c, run.spec)) {
          EXPECT_EQ(verdict, run.verdict) << name;
          continue;
        }
        ++governed;
        if (run.verdict.kind == VerdictKind::kPass) {
          EXPECT_EQ(ToString(verdict.kind), "fail") << name;
          ExpectProof(verdict, run.evidence, name);
        } else {
          // A known bug: it fails as before, or by passing at last.
          EXPECT_THAT(ToString(verdict.kind), testing::AnyOf("xfail", "xpass")) << name;
        }
      }
    }
    governed > 0 ? failed += governed : ++never;
  }
  RecordProperty("claims", static_cast<int>(Keys().size()));
  RecordProperty("runs_failed", failed);
  RecordProperty("claims_of_skipped_runs_only", never);
  std::cout << Keys().size() << " claims turned round made " << failed << " runs fail; " << never
            << " claims govern skipped runs only\n";
  EXPECT_GT(failed, 0);
}

TEST_F(Inversion, FindsAClaimForEveryRun) {
  EachRun([](const RunReport& run, const std::string& name) {
    EXPECT_FALSE(run.verdict.checks.empty()) << name;
  });
}

TEST_F(Inversion, NeedsNoRunThatThePipelineCouldNotJudge) {
  EachRun([](const RunReport& run, const std::string& name) {
    EXPECT_NE(ToString(run.verdict.kind), "error") << name << ": " << run.verdict.because;
  });
}

}  // namespace
}  // namespace gpustage
