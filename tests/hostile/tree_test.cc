// No operation on a tree, and nothing that is made or read in one before or after a run, reaches
// out of it or waits for ever, whatever stands where it works.
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>

#include "harness/run/journal_file.h"
#include "tests/hostile/hostile.h"
#include "tests/stage/stage_test.h"

namespace gpustage {
namespace {

// Puts it at a path of the host, which is a place inside a tree.
struct Obstacle {
  const char* name;
  std::function<int(const std::string& place, const Victim& victim)> put;
};

int PutLink(const std::string& to, const std::string& place) {
  return symlink(to.c_str(), place.c_str());
}

int PutSocket(const std::string& place) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {AF_UNIX, {}};
  if (place.size() >= sizeof address.sun_path) return -1;
  place.copy(address.sun_path, place.size());
  const int failed = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  close(fd);
  return failed;
}

const Obstacle kObstacles[] = {
    {"LinkToAHostFile", [](auto& p, auto& v) { return PutLink(v.secret(), p); }},
    {"LinkToAHostDirectory", [](auto& p, auto& v) { return PutLink(v.directory(), p); }},
    {"RelativeLinkToAHostFile",
     [](auto& p, auto& v) { return PutLink("../../../../../../../../.." + v.secret(), p); }},
    {"LinkThroughProcSelfRoot",
     [](auto& p, auto& v) { return PutLink("/proc/self/root" + v.secret(), p); }},
    {"LinkToProcSelfExe", [](auto& p, auto&) { return PutLink("/proc/self/exe", p); }},
    {"LinkToProcSelfCwd", [](auto& p, auto&) { return PutLink("/proc/self/cwd", p); }},
    {"LinkToItself", [](auto& p, auto&) { return PutLink(BaseNameOf(p), p); }},
    {"LinkToNothing", [](auto& p, auto&) { return PutLink("nowhere", p); }},
    {"Fifo", [](auto& p, auto&) { return mkfifo(p.c_str(), 0666); }},
    {"Socket", [](auto& p, auto&) { return PutSocket(p); }},
    {"Device", [](auto& p, auto&) { return mknod(p.c_str(), S_IFCHR | 0666, makedev(1, 5)); }},
    {"Directory", [](auto& p, auto&) { return mkdir(p.c_str(), 0700); }},
};

class HostileTree : public StageTest, public testing::WithParamInterface<Obstacle> {
 protected:
  void SetUp() override {
    StageTest::SetUp();
    if (IsSkipped()) return;
    victim_.emplace(NewDirectory());
    alarm(60);  // a hang is no red line: the program ends
  }
  void TearDown() override { alarm(0); }

  // A new tree in which the obstacle stands at `path`; false: it cannot be made here.
  bool Prepare(const std::string& path) {
    EXPECT_THAT(Build({{WriteFileOp{"/plain", "of the tree", {}}, {}}}), IsOk());
    EXPECT_THAT(MakeJournal(tree_->root), IsOk());
    const std::string place = Host(path);
    unlink(place.c_str());
    if (path == "/.gpustage") rename(place.c_str(), Host("/moved").c_str());
    return GetParam().put(place, *victim_) == 0;
  }

  // What is done ends, well or with an error of ours, and the host is as it was.
  void Holds(const std::string& what) { EXPECT_EQ(victim_->State(), victim_->before()) << what; }

  std::optional<Victim> victim_;
};

TEST_P(HostileTree, NoOperationReachesOutOfIt) {
  const std::string library = HostFileOf("library",
                                         "\x7f"
                                         "ELF of the host");
  const std::pair<const char*, TreeOp> operations[] = {
      {"dir", {MakeDirOp{"/x", {}}, {}}},
      {"dir with a mode", {MakeDirOp{"/x", 0777}, {}}},
      {"dir below", {MakeDirOp{"/x/y/z", 0777}, {}}},
      {"file", {WriteFileOp{"/x", "new", 0666}, {}}},
      {"file below", {WriteFileOp{"/x/y", "new", 0666}, {}}},
      {"file in the place of its file", {WriteFileOp{"/x/file", "new", 0666}, {}}},
      {"symlink", {SymlinkOp{"/x", "plain"}, {}}},
      {"symlink below", {SymlinkOp{"/x/y", "plain"}, {}}},
      {"hard link to it", {HardLinkOp{"/hard", "/x"}, {}}},
      {"hard link over it", {HardLinkOp{"/x", "/plain"}, {}}},
      {"copy from it", {CopyOp{"/copied", "/x"}, {}}},
      {"copy from below", {CopyOp{"/copied", "/x/file"}, {}}},
      {"copy over it", {CopyOp{"/x", "/plain"}, {}}},
      {"chmod", {ChmodOp{"/x", 0777}, {}}},
      {"chmod below", {ChmodOp{"/x/file", 0777}, {}}},
      {"chown", {ChownOp{"/x", "root", "video"}, {}}},
      {"chown below", {ChownOp{"/x/file", "root", "video"}, {}}},
      {"remove", {RemoveOp{"/x"}, {}}},
      {"remove below", {RemoveOp{"/x/file"}, {}}},
      {"library", Place("/x", library, 0777)},
      {"library below", Place("/x/y.so", library, 0777)},
  };
  for (const auto& [name, operation] : operations) {
    if (!Prepare("/x")) GTEST_SKIP() << "no " << GetParam().name << " can be made here";
    const Status done = Change({operation});
    Holds(name);
    if (!done) {
      EXPECT_THAT(done.error().message, testing::Not(testing::HasSubstr("of the host"))) << name;
    }
    // Nothing of the host has come in, either.
    EXPECT_NE(Content("/copied"), "of the host") << name;
  }
}

TEST_P(HostileTree, NoRecorderReachesOutOfIt) {
  for (const char* place : {"/.gpustage", "/.gpustage/journal", "/.gpustage/audit.so"}) {
    if (!Prepare(place)) GTEST_SKIP() << "no " << GetParam().name << " can be made here";
    const Result<std::string> read = ReadJournal(tree_->root);
    EXPECT_FALSE(read && read->find("of the host") != std::string::npos);
    Holds(place);
    (void)MakeJournal(tree_->root).ok();
    Holds(place);
    (void)PlaceAudit(tree_->root, GPUSTAGE_RECORDERS "/audit.so", 0).ok();
    Holds(place);
  }
}

TEST_P(HostileTree, TheCacheOfTheLoaderIsWrittenInsideOrNot) {
  for (const char* place : {"/etc/ld.so.conf", "/etc/ld.so.cache"}) {
    if (!Prepare(place)) GTEST_SKIP() << "no " << GetParam().name << " can be made here";
    (void)WriteLoaderCache(tree_->root).ok();
    Holds(place);
  }
}

INSTANTIATE_TEST_SUITE_P(Over, HostileTree, testing::ValuesIn(kObstacles),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace gpustage
