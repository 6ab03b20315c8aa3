// What watches a scanner must not change what it sees, and what it leaves behind must be sound.
#include "harness/evidence/decode.h"
#include "harness/evidence/journal.h"
#include "tests/pipeline/all_scenarios.h"

namespace gpustage {
namespace {

class Evidences : public AllScenarios {
 protected:
  // What a scanner answers, without what differs from run to run.
  struct Answers {
    Outcome outcome;
    std::optional<int64_t> count;
    std::vector<std::map<std::string, std::string>> devices;
    friend bool operator==(const Answers&, const Answers&) = default;
  };
  static Answers AnswersOf(const Evidence& evidence) {
    Answers answers{evidence.outcome, evidence.device_count, {}};
    if (evidence.devices)
      for (const SeenDevice& device : *evidence.devices) answers.devices.push_back(device.fields);
    return answers;
  }

  // The case's runs again with no recorder inside the scanner.
  static Result<std::vector<Answers>> RunUnwatched(const Case& c) {
    Worker& worker = TheWorker();
    TRY(std::vector<HostFile> base, worker.BaseFor(c));
    TRY(const StagePlan plan, PlanStage(c, std::move(base), worker.CanSetOwners()));
    TRY(const std::unique_ptr<Stand> stand, worker.Build(plan));
    std::vector<Answers> all;
    for (const RunSpec& spec : c.runs) {
      TRY(worker.Host(c, spec, *stand));
      TRY(ScannerStart start, StartOf(c, spec));
      start.record_loader = false;
      TRY(const RawRun raw,
          RunScanner(start, stand->tree.root, worker.recorders(), worker.isolation()));
      all.push_back(AnswersOf(Decode(raw, spec.scanner, {})));
    }
    return all;
  }

  static bool CanRunAgain(const CaseReport& report) {
    return std::all_of(report.runs.begin(), report.runs.end(),
                       [](const RunReport& run) { return Ran(run) && run.spec.change.empty(); });
  }
};

TEST_F(Evidences, ChangeNoAnswer) {
  int compared = 0;
  for (const CaseReport& report : Reports()) {
    if (!CanRunAgain(report)) continue;
    const auto again = RunUnwatched(report.c);
    ASSERT_THAT(again, IsOk()) << report.c.id;
    for (size_t i = 0; i < report.runs.size(); ++i, ++compared)
      EXPECT_EQ((*again)[i], AnswersOf(report.runs[i].evidence)) << NameOf(report, report.runs[i]);
  }
  EXPECT_GT(compared, 0);
}

TEST_F(Evidences, NumberTheirEventsInOrderOfTime) {
  for (const CaseReport& report : Reports())
    for (const RunReport& run : report.runs) {
      const std::vector<Event>& events = run.evidence.events;
      for (size_t i = 0; i < events.size(); ++i) {
        ASSERT_EQ(events[i].id, static_cast<EventId>(i + 1)) << NameOf(report, run);
        if (i > 0) ASSERT_GE(events[i].time_ns, events[i - 1].time_ns) << NameOf(report, run);
      }
    }
}

TEST_F(Evidences, ExplainEveryLoss) {
  for (const CaseReport& report : Reports())
    for (const RunReport& run : report.runs)
      for (const FunnelRow& row : run.evidence.funnel) {
        if (!row.lost_at) continue;
        EXPECT_NE(row.reason, "") << NameOf(report, run) << ": " << row.library << " at "
                                  << ToString(*row.lost_at);
        EXPECT_GE(row.event, 1) << NameOf(report, run);
      }
}

TEST_F(Evidences, HoldAWholeJournalOfEveryRun) {
  for (const CaseReport& report : Reports())
    for (const RunReport& run : report.runs)
      if (Ran(run) && run.evidence.outcome.kind == Outcome::Kind::kExited)
        EXPECT_TRUE(run.evidence.journal_complete) << NameOf(report, run);
}

}  // namespace
}  // namespace gpustage
