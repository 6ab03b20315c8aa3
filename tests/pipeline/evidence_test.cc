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
      EXPECT_EQ(row.lost_at.has_value(), !row.reason.empty())
          << name << ": " << row.library << ": " << row.reason;
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
