// What a scanner of ill will reaches from inside its box, as uid 0 and as nobody: nothing of the
// machine, nothing of another box. Each line of the kernel's own words is what safety.md quotes.
#include "tests/support/box.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <sstream>
#include <thread>

#include "fakes/world/format.h"
#include "harness/run/journal_file.h"
#include "harness/run/run.h"
#include "tests/hostile/hostile.h"
#include "tests/support/processes.h"

namespace gpustage {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class HostileBox : public BoxTest, public testing::WithParamInterface<uid_t> {
 protected:
  void SetUp() override {
    BoxTest::SetUp();
    if (IsSkipped()) return;
    spec_ = NewBox();
    alarm(90);  // a hang is no red line: the program ends
  }
  void TearDown() override { alarm(0); }

  BoxSpec NewBox() {
    BoxSpec spec;
    spec.root = NewDirectory();
    spec.uid = spec.gid = GetParam();
    spec.time_limit = std::chrono::seconds(30);
    EXPECT_THAT(CopyFile(HostileScanner(), spec.root + "/scanner"), IsOk());
    mkdir((spec.root + "/open").c_str(), 0777);
    chmod((spec.root + "/open").c_str(), 0777);
    return spec;
  }
  RawRun Do(std::vector<std::string> words) { return Do(spec_, std::move(words)); }
  static RawRun Do(BoxSpec spec, std::vector<std::string> words) {
    words.insert(words.begin(), "/scanner");
    spec.argv = std::move(words);
    return RunInBox(spec, isolation());
  }
  std::string Said(std::vector<std::string> words) { return Out(Do(std::move(words))); }

  // Another box, running until it is let go.
  struct Beside {
    BoxSpec spec;
    RawRun run;
    std::thread thread;
    void LetGo() {
      EXPECT_EQ(mkdir((spec.root + "/open/go").c_str(), 0777), 0);
      thread.join();
    }
  };
  void RunBeside(Beside& beside, std::vector<std::string> words) {
    beside.spec = NewBox();
    words.insert(words.end(), {"mkdir", "/open/ready", "wait", "/open/go"});
    beside.thread = std::thread([&beside, words] { beside.run = Do(beside.spec, words); });
    ASSERT_TRUE(Eventually([&] { return IsDirectory(beside.spec.root + "/open/ready"); }));
  }
};

INSTANTIATE_TEST_SUITE_P(As, HostileBox, testing::Values(0, 65534),
                         [](const auto& row) { return row.param == 0 ? "Root" : "Nobody"; });

TEST_P(HostileBox, TheSettingsOfTheKernelAreOutOfReach) {
  for (const char* path : {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
                           "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/pid_max",
                           "/proc/irq/default_smp_affinity", "/proc/sysrq-trigger"})
    EXPECT_THAT(
        Said({"open-for-writing", path}),
        AnyOf("open-for-writing EROFS\n", "open-for-writing EACCES\n", "open-for-writing ENOENT\n"))
        << path;
  EXPECT_EQ(Said({"hostname", "owned"}), "hostname EPERM\n");
}

TEST_P(HostileBox, TheMemoryAndTheKeysOfTheKernelAreMasked) {
  spec_.argv = {"/actor", "cat", "/proc/keys", "cat", "/proc/timer_list", "cat", "/proc/kcore"};
  EXPECT_THAT(CopyFile(ActorProgram(), spec_.root + "/actor"), IsOk());
  EXPECT_EQ(Out(RunInBox(spec_, isolation())), "");
}

TEST_P(HostileBox, NoHandleOpensAFile) {
  spec_.host_directories = {"/usr/share"};
  EXPECT_EQ(Said({"handle", "/usr/share"}), "handle EPERM\n");
}

TEST_P(HostileBox, NoKeyStaysBehind) {
  EXPECT_EQ(Said({"key", "gpustage-hostile", "keyctl"}), "key ENOSYS\nkeyctl ENOSYS\n");
}

TEST_P(HostileBox, TheNodesOfThisMachineKeepTheirModesAndOwners) {
  for (const char* node : {"/dev/null", "/dev/zero", "/dev/urandom"})
    EXPECT_THAT(Said({"chmod", node, "0666", "open-for-writing", node}),
                AnyOf("chmod EROFS\nopen-for-writing ok\n", "chmod EPERM\nopen-for-writing ok\n"));
}

TEST_P(HostileBox, NoNodeOfAGpuIsMade) {
  EXPECT_EQ(Said({"node", "/open/nvidia0"}), "node EPERM\n");
}

// With whatever GPU is here.
TEST_P(HostileBox, TheGpuOfThisMachineIsOutOfReach) {
  std::vector<std::string> nodes;
  for (const char* pattern : {"/dev/nvidia*", "/dev/nvidia-caps/*", "/dev/dri/*", "/dev/kfd"}) {
    glob_t found = {};
    if (glob(pattern, 0, nullptr, &found) == 0)
      nodes.insert(nodes.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
  }
  if (nodes.empty()) GTEST_SKIP() << "this machine has no node of a GPU";
  for (const std::string& node : nodes) EXPECT_EQ(Said({"open", node}), "open ENOENT\n") << node;
}

TEST_P(HostileBox, NothingIsTypedIntoATerminal) {
  EXPECT_EQ(Said({"type", "x", "console", "x"}), "type EPERM\nconsole EPERM\n");
}

TEST_P(HostileBox, AMountBelowAShownDirectoryIsReadOnlyToo) {
  const std::string shown = NewDirectory();
  ASSERT_EQ(mkdir((shown + "/below").c_str(), 0777), 0);
  ASSERT_EQ(mount("tmpfs", (shown + "/below").c_str(), "tmpfs", 0, "mode=0777"), 0);
  ASSERT_THAT(WriteFile(shown + "/below/file", "of the host"), IsOk());
  ASSERT_EQ(chmod((shown + "/below/file").c_str(), 0666), 0);
  spec_.host_directories = {shown};
  EXPECT_EQ(Said({"open", shown + "/below/file", "open-for-writing", shown + "/below/file", "mkdir",
                  shown + "/below/new", "rm", shown + "/below/file"}),
            "open ok\nopen-for-writing EROFS\nmkdir EROFS\nrm EROFS\n");
  umount2((shown + "/below").c_str(), MNT_DETACH);
}

TEST_P(HostileBox, WhatCannotBeShownIsNamed) {
  spec_.host_directories = {"/no/such/directory"};
  EXPECT_THAT(Do({"exit", "0"}).outcome.note, HasSubstr("/no/such/directory"));
  spec_.host_directories = {"/usr/../etc"};
  EXPECT_THAT(Do({"exit", "0"}).outcome.note, HasSubstr("/usr/../etc"));
}

// A link of the tree where something of this machine is shown leads nowhere else.
TEST_P(HostileBox, WhatIsShownStaysInsideWhateverTheLinks) {
  const Victim victim(NewDirectory());
  for (const char* place : {"/proc", "/dev", "/usr"}) {
    spec_ = NewBox();
    ASSERT_EQ(symlink(victim.path().c_str(), (spec_.root + place).c_str()), 0);
    spec_.host_directories = {"/usr/share"};
    Do({"open", "/x"});
    EXPECT_EQ(victim.State(), victim.before()) << place;
  }
}

// The journal of the case's second run is made where the first has left a link.
TEST_P(HostileBox, AFolderOfOursThatBecameALinkReachesNothing) {
  const Victim victim(NewDirectory());
  ASSERT_EQ(chmod(spec_.root.c_str(), 0777), 0);
  const Recorders recorders = {GPUSTAGE_RECORDERS "/audit.so", GPUSTAGE_RECORDERS "/ask"};
  ScannerStart start;
  start.user = {GetParam(), GetParam()};
  start.record_loader = false;
  const Result<Root> root = Root::Open(spec_.root);
  for (const std::string& target : {victim.secret(), victim.directory()}) {
    start.argv = {"/scanner", "rename", "/.gpustage", "/moved" + BaseNameOf(target),
                  "symlink",  target,   "/.gpustage"};
    (void)RunScanner(start, *root, recorders, isolation()).ok();
    start.argv = {"/scanner", "exit", "0"};
    (void)RunScanner(start, *root, recorders, isolation()).ok();
    EXPECT_EQ(victim.State(), victim.before());
    unlink((spec_.root + "/.gpustage").c_str());
  }
}

TEST_P(HostileBox, AFifoInPlaceOfTheJournalEndsWithASentence) {
  ASSERT_EQ(chmod(spec_.root.c_str(), 0777), 0);
  mkdir((spec_.root + "/.gpustage").c_str(), 0777);
  chmod((spec_.root + "/.gpustage").c_str(), 0777);
  ScannerStart start;
  start.user = {GetParam(), GetParam()};
  start.record_loader = false;
  start.argv = {"/scanner", "rm", "/.gpustage/journal", "fifo", "/.gpustage/journal"};
  const Result<Root> root = Root::Open(spec_.root);
  EXPECT_THAT(RunScanner(start, *root, {GPUSTAGE_RECORDERS "/audit.so", GPUSTAGE_RECORDERS "/ask"},
                         isolation()),
              FailsWith("cannot read the journal: not a regular file"));
}

// A FIFO that a first run left where a node is shown to the second.
TEST_P(HostileBox, AFifoInPlaceOfANodeIsNotWaitedFor) {
  ASSERT_EQ(mkdir((spec_.root + "/dev").c_str(), 0755), 0);
  ASSERT_EQ(mkfifo((spec_.root + "/dev/null").c_str(), 0666), 0);
  EXPECT_EQ(Do({"exit", "3"}).outcome, (Outcome{Outcome::Kind::kExited, 3, ""}));
}

TEST_P(HostileBox, AnAbstractSocketOfTheHostIsOutOfReach) {
  const std::string name = UniqueWord();
  sockaddr_un address = {AF_UNIX, {}};
  name.copy(address.sun_path + 1, name.size());
  const int host = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(bind(host, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(host, 1), 0);
  EXPECT_THAT(Said({"connect", name}), AnyOf("connect ECONNREFUSED\n", "connect EPERM\n"));
  close(host);
}

TEST_P(HostileBox, AnAbstractSocketOfAnotherBoxIsOutOfReach) {
  const std::string name = UniqueWord();
  Beside beside;
  RunBeside(beside, {"listen", name});
  EXPECT_THAT(Said({"connect", name}), AnyOf("connect ECONNREFUSED\n", "connect EPERM\n"));
  beside.LetGo();
  EXPECT_THAT(Out(beside.run), HasSubstr("listen ok\n"));
}

TEST_P(HostileBox, ProcessesHaveALimitThatNoOtherBoxFeels) {
  Beside beside;
  RunBeside(beside, {"children", "3000", "/scanner"});
  const std::string here = Said({"children", "100", "/scanner"});
  beside.LetGo();
  EXPECT_EQ(here, "children 100 ok\n");
  EXPECT_THAT(Out(beside.run), AnyOf(HasSubstr("children 50"), HasSubstr("children 51")));
  EXPECT_THAT(Out(beside.run), HasSubstr(" EAGAIN\n"));
}

TEST_P(HostileBox, ThreadsAreCountedToo) { EXPECT_EQ(Said({"threads", "3000"}), "threads some\n"); }

TEST_P(HostileBox, DescriptorsAreAsManyEverywhere) {
  EXPECT_EQ(Said({"descriptors"}), "descriptors 1021 EMFILE\n");
}

TEST_P(HostileBox, WhatAnExecSaysIsReadAsFarAsTheKernelTakesIt) {
  spec_.watch_files = true;
  const RawRun run = Do({"exec", "exec", "exec"});
  EXPECT_EQ(run.outcome, (Outcome{Outcome::Kind::kExited, 0, ""}));
  int execs = 0;
  for (const FileRecord& record : run.files.records) {
    size_t bytes = 0;
    for (const auto* words : {&record.argv, &record.environment})
      for (const std::string& word : *words) bytes += word.size();
    EXPECT_LE(bytes, size_t{2} << 20);
    execs += record.path == "/nonexistent" ? 1 : 0;
  }
  EXPECT_EQ(execs, 3);
  EXPECT_FALSE(run.files.complete);
}

// A program that was written before its tree was made cannot name the mark of our own calls.
TEST_P(HostileBox, NoProgramIsWrittenWithTheMarkOfOurCalls) {
  spec_.watch_files = true;
  spec_.mark = 0x1234;
  const auto mark = [](uint32_t of) {
    std::ostringstream text;
    text << std::hex << world::OwnCall(of);
    return text.str();
  };
  const RawRun run = Do({"open-marked", "/of-none", mark(0), "open-marked", "/of-another",
                         mark(0x1235), "open-marked", "/of-this", mark(0x1234)});
  std::vector<std::string> seen;
  for (const FileRecord& record : run.files.records)
    if (record.path.starts_with("/of-")) seen.push_back(record.path);
  EXPECT_THAT(seen, testing::ElementsAre("/of-none", "/of-another"));
}

// Ours are few, and that is not the scanner's answer.
TEST_P(HostileBox, OurLackOfDescriptorsIsNotItsAnswer) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few = {96, before.rlim_max};
  spec_.watch_files = true;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const RawRun run = Do({"children", "200", "/scanner", "open", "/scanner"});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(Out(run), HasSubstr("open ok\n"));
  for (const FileRecord& record : run.files.records)
    EXPECT_NE(record.error, EMFILE) << record.call << " " << record.path;
  EXPECT_FALSE(run.files.complete);
}

// With as many as we may have, all of them are seen.
TEST_P(HostileBox, EveryOfManyChildrenIsSeen) {
  spec_.watch_files = true;
  const RawRun run = Do({"children", "400", "/scanner"});
  EXPECT_EQ(Out(run), "children 400 ok\n");
  EXPECT_TRUE(run.files.complete) << run.files.note;
  int opened = 0;
  for (const FileRecord& record : run.files.records)
    opened += record.act == FileAct::kOpen && record.path == "/scanner" ? 1 : 0;
  EXPECT_EQ(opened, 400);
}

TEST_P(HostileBox, WhatFillsItsSpaceFillsNobodyElsesAndIsNamed) {
  for (const char* directory : {"/var", "/var/tmp"}) {
    mkdir((spec_.root + directory).c_str(), 0777);
    chmod((spec_.root + directory).c_str(), 01777);
  }
  struct statfs before, after;
  ASSERT_EQ(statfs(spec_.root.c_str(), &before), 0);
  const RawRun run = Do({"fill", "/var/tmp/big", "300"});
  ASSERT_EQ(statfs(spec_.root.c_str(), &after), 0);
  EXPECT_EQ(Out(run), "fill some ENOSPC\n");
  EXPECT_EQ(run.outcome.note, "its /var/tmp was full, of which a box has 256m");
  EXPECT_LT(before.f_bavail - after.f_bavail, 16u << 20 >> 12);
}

// A scenario's own files there are seen, and the next run of the case finds what it wrote.
TEST_P(HostileBox, WhatATreeHasWhereProgramsWriteIsSeen) {
  ASSERT_EQ(mkdir((spec_.root + "/tmp").c_str(), 0777), 0);
  ASSERT_THAT(WriteFile(spec_.root + "/tmp/file", "x"), IsOk());
  EXPECT_EQ(Said({"open", "/tmp/file"}), "open ok\n");
}

TEST_P(HostileBox, ItsMemoryHasTheLimitThatItsDefinitionSays) {
  EXPECT_EQ(Said({"data", "200"}), "data ok\n");
  spec_.memory_limit = 64 << 20;
  EXPECT_EQ(Said({"data", "200"}), "data ENOMEM\n");
}

}  // namespace
}  // namespace gpustage
