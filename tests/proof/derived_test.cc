// What is derived of a failed load, from events and from the bytes of files alone, equals what the
// system says when it is asked: for every loss in the scenarios about libraries that do not load,
// and for every way in which a library can be broken.
#include <map>
#include <set>

#include "harness/case_runner.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/path/known.h"
#include "harness/evidence/records/decode.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"
#include "tests/proof/predict.h"
#include "tests/support/workspace.h"

namespace gpustage {
namespace {

constexpr int kKinds = static_cast<int>(Breakage::Kind::kConstructorCrashes) + 1;

// What the system alone can know: how it would have answered another user than root, who reads all
// of the tree here.
bool IsForbidden(const DlopenAnswer& answer) {
  return answer.open_error == EACCES || answer.load_error.ends_with("Permission denied");
}

class Derived : public WorkspaceTest {
 protected:
  static std::vector<Case> CasesOf(const std::string& path) {
    const Catalog catalog = FindCatalog({});
    const Result<std::vector<std::string>> files =
        DiscoverScenarios({catalog.scenarios + "/" + path});
    EXPECT_THAT(files, IsOk());
    std::vector<Case> cases;
    if (files)
      for (const std::string& file : *files) {
        const Result<std::vector<Case>> some = LoadCases(file, catalog);
        EXPECT_THAT(some, IsOk());
        if (some) cases.insert(cases.end(), some->begin(), some->end());
      }
    return cases;
  }

  static std::set<Breakage::Kind> BrokenIn(const Case& c) {
    std::set<Breakage::Kind> kinds;
    for (const TreeOp& op : c.tree)
      if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what))
        for (const Breakage& broken : placed->broken) kinds.insert(broken.kind);
    return kinds;
  }

  // Runs the case as the pipeline does, and compares every row that was lost in a load.
  void Compare(const Case& c) {
    if (!worker_.CannotStage(c).empty()) return;
    Result<std::vector<HostFile>> base = worker_.BaseFor(c);
    ASSERT_THAT(base, IsOk());
    const Result<StagePlan> plan = PlanStage(c, *std::move(base), worker_.CanSetOwners());
    ASSERT_THAT(plan, IsOk());
    const Result<std::unique_ptr<StagedCase>> stand = worker_.Build(*plan);
    ASSERT_THAT(stand, IsOk());
    for (const RunSpec& spec : c.runs) {
      if (!spec.scanner.missing.empty() || !spec.change.empty()) continue;
      const Result<RawRun> raw = worker_.Run(c, spec, **stand);
      ASSERT_THAT(raw, IsOk());
      Evidence evidence = Decode(*raw, spec.scanner, CandidateLibraries(c, spec));
      ASSERT_NO_FATAL_FAILURE(CompareRows(c, spec, **stand, evidence));
    }
  }

  void CompareRows(const Case& c, const RunSpec& spec, StagedCase& stand,
                   const Evidence& evidence) {
    Result<ScannerStart> start = StartOf(c, spec);
    ASSERT_THAT(start, IsOk());
    const std::vector<std::string> own = start->environment;
    bool lost_any = false;
    for (const FunnelRow& row : evidence.funnel) {
      if (row.lost_at() != Step::kLoaded || row.pid == 0) continue;
      if (!row.library.starts_with('/')) continue;  // a name that is nowhere is no file to be read
      lost_any = true;
      const Process* const process = ProcessOf(evidence, row.pid);
      start->environment = process == nullptr ? own : process->environment;
      const auto asked =
          Ask(*start, {row.library}, stand.tree.root, worker_.recorders(), worker_.isolation());
      ASSERT_THAT(asked, IsOk());
      const DlopenAnswer& answer = asked->front();
      if (answer.kind == '!' || IsForbidden(answer)) continue;
      const DlopenAnswer derived = Predict(evidence, row, stand.tree.root);
      const std::string name = c.id + " [" + spec.name + "] " + row.library;
      // Whoever asks adds in brackets where a symbol is that ld.so did not find: those are not its
      // words.
      EXPECT_EQ(derived.load_error, answer.load_error.substr(0, answer.load_error.find(" [")))
          << name;
      EXPECT_EQ(derived.signal, answer.signal) << name;
      EXPECT_EQ(derived.exit_code, answer.exit_code) << name;
      ++compared_;
    }
    for (const Breakage::Kind kind : BrokenIn(c)) (lost_any ? lost_ : seen_).insert(kind);
  }

  CaseRunner worker_{*TheWorkspace(), FindRecorders(), false};
  std::set<Breakage::Kind> lost_, seen_;  // kinds in cases with and without a loss in a load
  int compared_ = 0;
};

TEST_F(Derived, EqualsAskedForEveryBrokenKind) {
  for (const char* path : {"broken/no-library.yaml", "broken/needs.yaml", "broken/symbols.yaml",
                           "broken/version-nodes.yaml", "broken/loading.yaml", "broken/soname.yaml",
                           "broken/paths.yaml", "first-steps/broken-library.yaml",
                           "funnel/files.yaml", "funnel/needs.yaml"})
    for (const Case& c : CasesOf(path)) ASSERT_NO_FATAL_FAILURE(Compare(c));
  std::set<Breakage::Kind> all = seen_;
  all.insert(lost_.begin(), lost_.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kKinds));
  std::cout << compared_ << " losses compared, of " << lost_.size() << " of " << all.size()
            << " kinds; the others load\n";
  EXPECT_GT(compared_, 50);
}

}  // namespace
}  // namespace gpustage
