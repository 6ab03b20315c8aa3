// Every cause of a loss is shown by scenarios, under a real ggml where that can show it, and what
// is kept of a run is the run.
#include <set>
#include <sstream>

#include "harness/evidence/store/store.h"
#include "harness/report/trace.h"
#include "harness/scenario/model/cause.h"
#include "harness/words/words.h"
#include "tests/pipeline/all_scenarios.h"

namespace gpustage {
namespace {

class CausesOfScenarios : public AllScenarios {
 protected:
  // By the scanner of the run; "" is any.
  static std::set<std::string> ShownBy(const std::string& scanner) {
    std::set<std::string> shown;
    EachRun([&](const RunReport& run, const std::string&) {
      if (scanner.empty() || run.spec.scanner.name == scanner)
        for (const FunnelRow& row : run.evidence.funnel)
          if (row.loss || !row.remark.empty()) shown.insert(ToString(row.cause()));
    });
    return shown;
  }
  static bool Ran(const std::string& scanner) {
    bool ran = false;
    EachRun([&](const RunReport& run, const std::string&) {
      ran = ran || run.spec.scanner.name == scanner;
    });
    return ran;
  }
};

TEST_F(CausesOfScenarios, AreAllShownUnderTheModel) {
  const std::set<std::string> elsewhere = {
      "unknown",    // no cause
      "not-found",  // of a library that is asked for by its name: scenarios/reasons/names.yaml
      "hung",       // takes the model's 30 s; written by hand in tests/evidence
      "never-asked",
      "no-device",          // no backend of ours does so
      "duplicate",          // Ollama has a line for it, which is "overlap"
      "other-api-version",  // ours are of its version; a real older one stays mapped, which is
                            // "dropped"
  };
  const std::set<std::string> shown = ShownBy("ollama-model");
  for (const std::string& cause : CauseWords())
    EXPECT_TRUE(elsewhere.contains(cause) || shown.contains(cause)) << cause;
}

// ggml is told its directories, so what comes before the opening of a file has nothing to show
// there.
TEST_F(CausesOfScenarios, AreShownUnderARealGgml) {
  if (!Ran("ggml")) GTEST_SKIP() << "no real ggml here";
  const std::set<std::string> shown = ShownBy("ggml");
  for (const char* cause :
       {"unopenable",      "unreadable",     "not-elf",          "too-short",
        "wrong-class",     "wrong-machine",  "not-loadable",     "missing-dependency",
        "bad-dependency",  "missing-symbol", "missing-version",  "partial-library",
        "load-kills",      "no-entry-point", "null-entry-point", "other-api-version",
        "init-error",      "crashed",        "masked",           "count-error",
        "layout-mismatch", "counted-twice"})
    EXPECT_TRUE(shown.contains(cause)) << cause;
}

TEST_F(CausesOfScenarios, StandInSentencesWithoutNumbersAlone) {
  EachRun([](const RunReport& run, const std::string& name) {
    for (const FunnelRow& row : run.evidence.funnel) {
      if (!row.loss) continue;
      EXPECT_EQ(SentenceOf(row.loss->reason).find("errno"), std::string::npos)
          << name << ": " << SentenceOf(row.loss->reason);
      EXPECT_EQ(SentenceOf(row.loss->reason).find("-9223372036854775808"), std::string::npos)
          << name << ": " << SentenceOf(row.loss->reason);
      EXPECT_NE(row.loss->cause, Cause::kUnknown) << name << ": " << SentenceOf(row.loss->reason);
    }
  });
}

// What is kept is what was recorded: decoded again it prints what the live run printed, byte for
// byte.
TEST_F(CausesOfScenarios, AreDecodedAgainFromWhatIsKept) {
  TraceOptions all;
  all.timeline = true;
  for (const CaseReport& report : Reports())
    for (const RunReport& run : report.runs) {
      if (!AllScenarios::Ran(run)) continue;
      const KeptRun live = Keep(report, run);
      std::ostringstream kept;
      WriteEvidenceLines(live, run.recorded, kept);
      const Result<KeptRun> again = ParseEvidenceLines(kept.str(), "kept.jsonl");
      ASSERT_THAT(again, IsOk()) << NameOf(report, run);
      EXPECT_TRUE(*again == live) << NameOf(report, run);
      EXPECT_EQ(TraceText(*again, all), TraceText(live, all)) << NameOf(report, run);
      EXPECT_EQ(TraceJson({*again}, all), TraceJson({live}, all)) << NameOf(report, run);
    }
}

}  // namespace
}  // namespace gpustage
