// What the cases of one start share, and the outside world of one case: stage it, run a scanner in
// it, ask why.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/run/run.h"
#include "harness/run/workspace.h"
#include "harness/scenario/model/case.h"
#include "harness/stage/build.h"
#include "harness/stage/plan.h"
#include "harness/stage/shared_files.h"

namespace gpustage {

// A staged case. The tree goes with it.
struct StagedCase {
  StagedTree tree;
  bool private_copies = false;
  bool keep = false;
  std::string group_file;                  // as it was written last; "": as it was planned
  std::vector<BroughtFile> release_files;  // what the last run's scanner brought in place of the
                                           // tree's own, which waits aside

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

  // Nothing starts after this, and what runs is ended then. Its runs are skipped, with a reason
  // that IsOfDeadline knows.
  void EndBy(std::chrono::steady_clock::time_point start, std::chrono::seconds after);
  bool IsPastDeadline() const {
    return deadline_ && std::chrono::steady_clock::now() >= *deadline_;
  }
  std::string DeadlineReason(bool started) const;
  bool IsOfDeadline(const std::string& reason) const {
    return deadline_ && (reason == DeadlineReason(false) || reason == DeadlineReason(true));
  }

  // Why this machine cannot staged the case, as a sentence; "" when it can.
  std::string CannotStage(const Case& c) const;

  // The host files that the scanners of the case need, closures included.
  Result<std::vector<HostFile>> BaseFor(const Case& c);
  Result<std::unique_ptr<StagedCase>> Build(const StagePlan& plan);
  // What the run's scanner has of its own stands where the tree's was, until another run needs it
  // back.
  Status PutReleaseFiles(const Case& c, const RunSpec& spec, StagedCase& staged);
  // Does the run's change to the tree first.
  Result<RawRun> Run(const Case& c, const RunSpec& spec, StagedCase& staged);
  // Asks the system about what the evidence leaves open, reads the files that were loaded, and
  // fills the answers in.
  Status Explain(const Case& c, const RunSpec& spec, const StagedCase& staged, Evidence& evidence);

 private:
  Result<std::vector<HostFile>> Closure(const std::string& program);
  Result<std::vector<HostFile>> Library(const std::string& name);
  Status PutGroups(const Case& c, const RunSpec& spec, StagedCase& staged);
  Result<std::vector<TimedChange>> Meanwhile(const Case& c, const RunSpec& spec, StagedCase& staged,
                                             Status& done);
  // Paths inside of what this machine gave because a program of the case was linked to it, and no
  // scanner named.
  Result<std::vector<std::string>> Unasked(const Case& c);

  const Workspace& workspace_;
  const Recorders recorders_;
  const bool keep_trees_;
  const std::string prefix_;  // of this runner's names in the workspace
  SharedFiles shared_;
  std::mutex mutex_;
  std::map<std::string, std::vector<HostFile>> closures_;   // of programs, without themselves
  std::map<std::string, std::vector<HostFile>> libraries_;  // what is needed by name, itself too
  int trees_ = 0;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::chrono::seconds after_{0};
};

// The program that the case's first run with a program at `path` has there; "" when none has.
std::string ProgramAt(const Case& c, const std::string& path);

// How the scanner of a run is started.
Result<ScannerStart> StartOf(const Case& c, const RunSpec& spec);

// The paths of the tree that the scanner of a run may take for a GPU backend, links included; for a
// hand test the libraries that it is given.
std::vector<std::string> CandidateLibraries(const Case& c, const RunSpec& spec);

// What is known of the run's machine and tree before it starts.
Setting SettingOf(const Case& c, const RunSpec& spec);

}  // namespace gpustage
