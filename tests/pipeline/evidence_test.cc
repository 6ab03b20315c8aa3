// What watches a scanner must not change what it sees, and what it leaves behind must be sound.
#include "harness/evidence/records/decode.h"
#include "harness/evidence/records/journal.h"
#include "harness/words/words.h"
#include "tests/pipeline/all_scenarios.h"

namespace gpustage {
namespace {

class Evidences : public AllScenarios {
 protected:
  // What a scanner answers, without what differs from run to run: the free memory of a GPU that
  // shares this machine's.
  struct Answers {
    Outcome outcome;
    std::optional<int64_t> count;
    std::vector<std::map<std::string, std::string>> devices;
    VerdictKind verdict = VerdictKind::kPass;
    friend bool operator==(const Answers&, const Answers&) = default;
  };
  static Answers AnswersOf(const Case& c, const RunSpec& run, const Evidence& evidence) {
    const auto shares = [](const GpuDevice& device) { return device.integrated; };
    const bool shared = std::any_of(c.machine.devices.begin(), c.machine.devices.end(), shares);
    Answers answers{evidence.outcome, evidence.device_count, {}, Judge(c, run, evidence).kind};
    // Whose claims are all about what nobody watched has no verdict, and none that differs.
    if (answers.verdict == VerdictKind::kSkip) answers.verdict = VerdictKind::kPass;
    if (evidence.devices)
      for (const SeenDevice& device : *evidence.devices) {
        answers.devices.push_back(device.fields);
        if (shared) answers.devices.back().erase("memory_free");
      }
    return answers;
  }

  // A runner with no recorder inside the scanner.
  static CaseRunner& Unwatching() {
    static const auto runner = [] {
      Recorders nothing = TheWorker().recorders();
      nothing.level = EvidenceLevel::kNone;
      return std::make_unique<CaseRunner>(*TheWorkspace(), nothing, false);
    }();
    return *runner;
  }

  // The runs that were not skipped again.
  static Result<std::vector<Answers>> RunUnwatched(const CaseReport& report) {
    CaseRunner& runner = Unwatching();
    TRY(std::vector<HostFile> base, runner.BaseFor(report.c));
    TRY(const StagePlan plan, PlanStage(report.c, std::move(base), runner.CanSetOwners()));
    TRY(const std::unique_ptr<StagedCase> staged, runner.Build(plan));
    std::vector<Answers> all;
    for (const RunReport& run : report.runs) {
      if (!Ran(run)) continue;
      TRY(const RawRun raw, runner.Run(report.c, run.spec, *staged));
      all.push_back(AnswersOf(report.c, run.spec, Decode(raw, run.spec.scanner, {})));
    }
    return all;
  }
};

TEST_F(Evidences, ChangeNoAnswer) {
  int compared = 0;
  for (const CaseReport& report : Reports()) {
    std::vector<Answers> watched;
    bool changes = false;
    for (const RunReport& run : report.runs) {
      if (Ran(run)) watched.push_back(AnswersOf(report.c, run.spec, run.evidence));
      changes = changes || !run.spec.change.empty();
    }
    if (watched.empty() || changes) continue;
    const auto unwatched = RunUnwatched(report);
    ASSERT_THAT(unwatched, IsOk()) << report.c.id;
    EXPECT_EQ(*unwatched, watched) << report.c.id;
    compared += static_cast<int>(watched.size());
  }
  std::cout << compared << " runs compared\n";
  EXPECT_GT(compared, 0);
}

TEST_F(Evidences, NumberTheirEventsInOrderOfTime) {
  EachRun([](const RunReport& run, const std::string& name) {
    int64_t last = INT64_MIN;
    EventId expected = 1;
    for (const Event& event : run.evidence.events) {
      EXPECT_EQ(event.id, expected++) << name;
      EXPECT_GE(event.time_ns, last) << name << ToString(event);
      last = event.time_ns;
    }
  });
}

TEST_F(Evidences, ExplainEveryLoss) {
  EachRun([](const RunReport& run, const std::string& name) {
    for (const FunnelRow& row : run.evidence.funnel)
      EXPECT_TRUE(!row.loss || !row.loss->reason.empty()) << name << ": " << row.library;
  });
}

TEST_F(Evidences, HoldAWholeJournalOfEveryRunThatEnded) {
  EachRun([](const RunReport& run, const std::string& name) {
    const bool ended = run.evidence.outcome.kind == Outcome::Kind::kExited;
    EXPECT_TRUE(run.evidence.journal_complete || !ended) << name;
  });
}

}  // namespace
}  // namespace gpustage
