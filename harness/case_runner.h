// What the cases of one start share, and the outside world of one case: build its tree, run a
// scanner in it, ask the tree what the run leaves open.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/run/after.h"
#include "harness/run/deadline.h"
#include "harness/run/run.h"
#include "harness/run/workspace.h"
#include "harness/scanner_start.h"
#include "harness/scenario/model/case.h"
#include "harness/stage/build.h"
#include "harness/stage/host_files.h"
#include "harness/stage/plan.h"
#include "harness/stage/release_files.h"
#include "harness/stage/shared_files.h"

namespace gpustage {

// A staged case. The tree goes with it.
struct StagedCase {
  StagedTree tree;
  bool private_copies = false;
  bool keep = false;
  std::string group_file;      // as it was written last; "": as it was planned
  ReleaseFiles release_files;  // of the last run's scanner

  StagedCase(StagedTree staged, bool copies, bool kept)
      : tree(std::move(staged)), private_copies(copies), keep(kept) {}
  StagedCase(StagedCase&&) = delete;
  ~StagedCase();
};

// Thread-safe: one runner serves all jobs.
class CaseRunner {
 public:
  // Several may share a workspace; what is in it has names of its own for each.
  CaseRunner(const Workspace& workspace, Recorders recorders, bool keep_trees);

  const Isolation& isolation() const { return workspace_.isolation(); }
  bool CanSetOwners() const { return isolation().level != IsolationLevel::kUserOneUid; }
  const Recorders& recorders() const { return recorders_; }

  // Nothing starts after this, and what runs is ended then.
  void EndBy(const Deadline& deadline) { deadline_ = deadline; }
  const Deadline& deadline() const { return deadline_; }

  // Why this machine cannot stage the case, as a sentence; "" when it can.
  std::string CannotStage(const Case& c) const;

  // The host files that the scanners of the case need, closures included.
  Result<std::vector<HostFile>> BaseFor(const Case& c);
  Result<std::unique_ptr<StagedCase>> Build(const StagePlan& plan);
  // Does the run's change to the tree first.
  Result<RawRun> Run(const Case& c, const RunSpec& spec, StagedCase& staged);
  // What its scanner has of its own release stands where the tree's was.
  Status PutReleaseFiles(const Case& c, const RunSpec& spec, StagedCase& staged);
  Result<AfterRun> Ask(const Case& c, const RunSpec& spec, const StagedCase& staged,
                       const Questions& questions);

 private:
  Status PutGroups(const Case& c, const RunSpec& spec, StagedCase& staged);
  Result<std::vector<TimedChange>> Meanwhile(const Case& c, const RunSpec& spec, StagedCase& staged,
                                             Status& done);

  const Workspace& workspace_;
  const Recorders recorders_;
  const bool keep_trees_;
  const std::string prefix_;  // of this runner's names in the workspace
  SharedFiles shared_;
  HostFiles host_files_;
  std::mutex mutex_;
  int trees_ = 0;
  Deadline deadline_;
};

}  // namespace gpustage
