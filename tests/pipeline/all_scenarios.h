// Every case of scenarios/, run once for all tests of a process, with its evidence kept.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "harness/pipeline.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"
#include "tests/support/workspace.h"

namespace gpustage {

class AllScenarios : public WorkspaceTest {
 protected:
  static Result<std::vector<Case>> Cases() {
    const Catalog catalog = FindCatalog({});
    TRY(const std::vector<std::string> files, DiscoverScenarios({catalog.scenarios}));
    std::vector<Case> cases;
    for (const std::string& file : files) {
      TRY(const std::vector<Case> some, LoadCases(file, catalog));
      cases.insert(cases.end(), some.begin(), some.end());
    }
    return cases;
  }

  static CaseRunner& TheWorker() {
    static const auto runner =
        std::make_unique<CaseRunner>(*TheWorkspace(), FindRecorders(), false);
    return *runner;
  }

  static const std::vector<CaseReport>& Reports() {
    static const std::vector<CaseReport> reports = [] {
      std::vector<CaseReport> done;
      const Result<std::vector<Case>> cases = Cases();
      EXPECT_THAT(cases, IsOk());
      if (cases)
        for (const Case& c : *cases) done.push_back(RunCase(c, TheWorker()));
      return done;
    }();
    return reports;
  }

  static bool Ran(const RunReport& run) { return run.verdict.kind != VerdictKind::kSkip; }
  // Every run that was not skipped.
  template <typename Look>
  static void EachRun(const Look& look) {
    for (const CaseReport& report : Reports())
      for (const RunReport& run : report.runs)
        if (Ran(run)) look(run, NameOf(report, run));
  }

  // "first-steps/links@link=copy [ggml]".
  static std::string NameOf(const CaseReport& report, const RunReport& run) {
    return report.c.id + " [" + run.spec.name + "]";
  }
};

}  // namespace gpustage
