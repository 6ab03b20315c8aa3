// The tree that the subjects of tests/subjects/scan* look through, and a run of one of them in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/evidence/records/decode.h"
#include "harness/run/run.h"
#include "harness/stage/base_system.h"
#include "harness/stage/build.h"
#include "tests/proof/subject.h"
#include "tests/support/source_dir.h"
#include "tests/support/workspace.h"

namespace gpustage {

class ProofTest : public WorkspaceTest {
 protected:
  // Skips where the subject cannot be had.
  void Stage(const Subject& subject, std::vector<TreeOp> more = {},
             std::vector<std::string> programs = {}) {
    if (!FileExists(subject.program))
      GTEST_SKIP() << subject.name << ": no " << subject.program
                   << (subject.threads ? " (Debian's golang-go builds it)" : "");
    std::vector<HostFile> base = {{subject.program, subject.argv[0]}};
    programs.push_back(subject.program);
    programs.push_back(kRecorders.ask);
    for (const std::string& program : programs) Add(ClosureOf(program), base);
    if (!subject.host_directories.empty()) Add(HostLibrary("libffi.so.8"), base);
    Case c;
    c.user = "nobody";
    c.tree = {
        {MakeDirOp{"/opt/scan", 0755}, {}},
        {WriteFileOp{"/opt/scan/present", "present\n", 0644}, {}},
        {SymlinkOp{"/opt/middle", "scan/present"}, {}},
        {SymlinkOp{"/opt/link", "middle"}, {}},
        {MakeDirOp{"/opt/first", 0755}, {}},
        Library("outer", "/opt/scan"),
        Library("inner", "/opt/deps"),
        Library("named", "/opt/second"),
        Library("cached", "/opt/cached"),
        {WriteFileOp{"/etc/ld.so.conf",
                     "/opt/cached\n/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n", 0644},
         {}},
        // What strace and LD_DEBUG leave there is read after the run: no space of the box's own.
        {WriteFileOp{"/tmp/kept", "", 0644}, {}},
        {WriteFileOp{"/opt/scan.py", *ReadFile(InSources("/tests/subjects/scan.py")), 0644}, {}}};
    c.tree.insert(c.tree.end(), more.begin(), more.end());
    shared_.emplace(NewDirectory() + "/shared");
    const Result<StagePlan> plan = PlanStage(c, base);
    ASSERT_THAT(plan, IsOk());
    Result<StagedTree> tree = BuildStage(*plan, NewDirectory(), *shared_);
    ASSERT_THAT(tree, IsOk());
    tree_.emplace(*std::move(tree));
    start_.argv = subject.argv;
    start_.environment = {"LD_LIBRARY_PATH=/opt/first:/opt/second", "PATH=/usr/bin"};
    start_.user = {65534, 65534};
    start_.host_directories = subject.host_directories;
  }

  static TreeOp Library(const std::string& name, const std::string& directory) {
    const std::string file = "libscan_" + name + ".so";
    return {
        PlaceLibraryOp{
            directory + "/" + file, {LibrarySource::Kind::kFile, file, Built(file), ""}, {}, 0755},
        {}};
  }

  RawRun Run() {
    start_.mark = tree_->mark;
    Result<RawRun> run = RunScanner(start_, tree_->root, kRecorders, isolation());
    EXPECT_THAT(run, IsOk());
    return run ? *std::move(run) : RawRun{};
  }
  Evidence Watch() {
    const RawRun run = Run();
    const Evidence evidence = Decode(run, ScannerSpec{}, {});
    EXPECT_EQ(ToString(evidence.outcome), "exited 0") << PrintedBy(run);
    return evidence;
  }
  static std::string PrintedBy(const RawRun& run) {
    std::string text;
    for (const OutputChunk& chunk : run.output) text += chunk.bytes;
    return text;
  }

  std::optional<SharedFiles> shared_;
  std::optional<StagedTree> tree_;
  ScannerStart start_;

 private:
  static void Add(const Result<std::vector<HostFile>>& files, std::vector<HostFile>& base) {
    ASSERT_THAT(files, IsOk());
    base.insert(base.end(), files->begin(), files->end());
  }
};

}  // namespace gpustage
