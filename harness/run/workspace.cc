#include "harness/run/workspace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>
#include <optional>
#include <sstream>
#include <thread>

#include "harness/base/process.h"
#include "harness/base/root.h"
#include "harness/run/process_count.h"

namespace gpustage {
namespace {

// Room for the copies of real libraries (some 450 MB) and a few trees; pages are taken as they are
// written.
constexpr char kScratchOptions[] = "mode=0755,size=4g";
// What a tree may take (limits::kTreeBytes) and 1 GiB that its scanner writes.
constexpr char kTreeOptions[] = "mode=0755,size=3g,nr_inodes=256k";

// Runs `attempt` in a child; it returns 0 or an errno.
Trial Try(std::string what, const std::function<int()>& attempt) {
  const pid_t child = fork();
  if (child == 0) _exit(attempt() & 0xff);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    return {std::move(what), false, std::strerror(errno)};
  const int failure = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
  return {std::move(what), failure == 0, failure == 0 ? "" : std::strerror(failure)};
}

int MountPrivateTmpfs() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  return mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, nullptr) == 0 ? 0 : errno;
}

// More than a process has by default: each process that is watched has a descriptor here.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1 << 16);
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool WriteLine(const std::string& path, const std::string& text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Maps id 0 inside to us, in the calling process.
int MapOneId(uid_t uid, gid_t gid) {
  if (!WriteLine("/proc/self/setgroups", "deny")) return errno;
  if (!WriteLine("/proc/self/uid_map", fmt::format("0 {} 1", uid))) return errno;
  return WriteLine("/proc/self/gid_map", fmt::format("0 {} 1", gid)) ? 0 : errno;
}

std::optional<long> NumberIn(const std::string& text) {
  long number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

// The first id of the range that /etc/subuid or /etc/subgid lends this user; -1 when there is none
// of 65534 or more.
long SubordinateStart(const std::string& file, uid_t uid) {
  const Result<ProgramOutput> name = RunProgram({"id", "-un"});
  const Result<std::string> text = gpustage::ReadFile(file);
  if (!text) return -1;
  const std::string by_name =
      name && !name->out.empty() ? name->out.substr(0, name->out.find('\n')) : "";
  size_t at = 0;
  while (at < text->size()) {
    const size_t end = std::min(text->find('\n', at), text->size());
    const std::string line = text->substr(at, end - at);
    at = end + 1;
    const size_t first = line.find(':'), second = line.rfind(':');
    if (first == std::string::npos || first == second) continue;
    const std::string owner = line.substr(0, first);
    if (owner != by_name && owner != std::to_string(uid)) continue;
    const auto start = NumberIn(line.substr(first + 1, second - first - 1)),
               count = NumberIn(line.substr(second + 1));
    if (start && count && *count >= 65534) return *start;
  }
  return -1;
}

// Enters a user namespace in which 0 is us and 1..65534 are lent ids. newuidmap must map us from
// outside, so a child that stays outside does it.
int EnterWithLentIds(uid_t uid, gid_t gid) {
  const long first_uid = SubordinateStart("/etc/subuid", uid);
  const long first_gid = SubordinateStart("/etc/subgid", uid);
  if (first_uid < 0 || first_gid < 0) return ENODATA;
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) return errno;
  const std::string target = std::to_string(getpid());
  const pid_t mapper = fork();
  if (mapper < 0) return errno;
  if (mapper == 0) {
    close(go[1]);
    char byte;
    if (read(go[0], &byte, 1) != 1) _exit(EIO);
    const auto map = [&](const char* tool, unsigned self, long first) {
      const Result<ProgramOutput> ran = RunProgram(
          {tool, target, "0", std::to_string(self), "1", "1", std::to_string(first), "65534"});
      return ran && ran->exit_code == 0;
    };
    _exit(map("newuidmap", uid, first_uid) && map("newgidmap", gid, first_gid) ? 0 : EPERM);
  }
  close(go[0]);
  int failure = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : errno;
  if (failure == 0 && write(go[1], "g", 1) != 1) failure = errno;
  close(go[1]);
  int status = 0;
  waitpid(mapper, &status, 0);
  if (failure == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) failure = EPERM;
  return failure;
}

// Namespaces for the level, in the calling process. 0 or an errno.
int EnterNamespaces(IsolationLevel level) {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  switch (level) {
    case IsolationLevel::kRoot: return unshare(CLONE_NEWNS) == 0 ? 0 : errno;
    case IsolationLevel::kUserTwoUids:
      if (const int failure = EnterWithLentIds(uid, gid); failure != 0) return failure;
      return setgroups(0, nullptr) == 0 ? 0 : errno;
    case IsolationLevel::kUserOneUid:
      if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return errno;
      return MapOneId(uid, gid);
    case IsolationLevel::kNone: break;
  }
  return ENOTSUP;
}

int EnterAndMount(IsolationLevel level) {
  const int failure = EnterNamespaces(level);
  return failure != 0 ? failure : MountPrivateTmpfs();
}

// In the namespaces of `level`: a box mounts a /proc of its own, in a user namespace of its own
// where `own_users` says so.
int MountFreshProc(IsolationLevel level, bool own_users) {
  if (const int failure = EnterAndMount(level); failure != 0) return failure;
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) return errno;
  const int flags = CLONE_NEWPID | CLONE_NEWNS | SIGCHLD | (own_users ? CLONE_NEWUSER : 0);
  const auto child =
      static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
  if (child < 0) return errno;
  if (child == 0) {
    char byte;
    if (read(go[0], &byte, 1) != 1) _exit(EIO);
    _exit(mount("proc", "/tmp", "proc", 0, nullptr) == 0 ? 0 : errno);
  }
  int failure = own_users ? MapSameIds(child) : 0;
  if (failure == 0 && write(go[1], "g", 1) != 1) failure = errno;
  close(go[1]);
  if (failure != 0) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  return failure != 0 ? failure : WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int UnshareMore(IsolationLevel level, int flags) {
  if (const int failure = EnterNamespaces(level); failure != 0) return failure;
  return unshare(flags) == 0 ? 0 : errno;
}

// A character device on a file system whose nodes are dead.
int MakeDeadNode() {
  if (const int failure = EnterAndMount(IsolationLevel::kRoot); failure != 0) return failure;
  constexpr char kPath[] = "/tmp/node";
  if (mknod(kPath, S_IFCHR | 0666, makedev(1, 3)) != 0) return errno;
  const Fd fd(open(kPath, O_RDONLY | O_CLOEXEC));
  return !fd && errno == EACCES ? 0 : EBADF;
}

// Becomes a process whose calls somebody could listen to.
int OfferToListen() {
  sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog program = {1, &allow};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                 &program) >= 0
             ? 0
             : errno;
}

// A process that was cloned while a thread of ours took another's ids has no /proc for us before it
// runs and says otherwise (RunInit).
int WriteMap(const std::string& file, const std::string& map) {
  for (int tries = 0; tries < 500; ++tries) {
    if (WriteLine(file, map)) return 0;
    if (errno != EACCES) return errno;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return EACCES;
}

}  // namespace

int MapSameIds(pid_t process) {
  for (const char* name : {"uid_map", "gid_map"}) {
    const Result<std::string> ours = gpustage::ReadFile(fmt::format("/proc/self/{}", name));
    if (!ours) return EIO;
    std::istringstream lines(*ours);
    std::string same;
    for (uint64_t inside, outside, count; lines >> inside >> outside >> count;)
      same += fmt::format("{} {} {}\n", inside, inside, count);
    if (const int failure = WriteMap(fmt::format("/proc/{}/{}", process, name), same); failure != 0)
      return failure;
  }
  return 0;
}

std::string ToString(IsolationLevel level) {
  switch (level) {
    case IsolationLevel::kRoot: return "root";
    case IsolationLevel::kUserTwoUids: return "user namespace with lent ids";
    case IsolationLevel::kUserOneUid: return "user namespace with one id";
    case IsolationLevel::kNone: return "none";
  }
  return "";
}

Isolation ProbeIsolation() {
  Isolation found;
  const auto attempt = [&](std::string what, const std::function<int()>& how) {
    found.trials.push_back(Try(std::move(what), how));
    return found.trials.back().ok;
  };
  // Descriptors are named by it, and ids mapped.
  if (access("/proc/self/fd", F_OK) != 0) {
    found.trials.push_back({"the machine's own /proc", false, std::strerror(errno)});
    return found;
  }
  const bool root = geteuid() == 0;
  if (root &&
      attempt("mount namespace as root", [] { return EnterAndMount(IsolationLevel::kRoot); }))
    found.level = IsolationLevel::kRoot;
  else if (!root && attempt("user namespace, ids lent by newuidmap",
                            [] { return EnterAndMount(IsolationLevel::kUserTwoUids); }))
    found.level = IsolationLevel::kUserTwoUids;
  else if (attempt("user namespace, one id",
                   [] { return EnterAndMount(IsolationLevel::kUserOneUid); }))
    found.level = IsolationLevel::kUserOneUid;
  if (found.level == IsolationLevel::kNone) return found;
  const IsolationLevel level = found.level;
  // Without a pid namespace nothing of ours could promise that no process stays behind.
  if (!attempt("pid and ipc namespace",
               [=] { return UnshareMore(level, CLONE_NEWPID | CLONE_NEWIPC); })) {
    found.level = IsolationLevel::kNone;
    return found;
  }
  found.network_namespace =
      attempt("network namespace", [=] { return UnshareMore(level, CLONE_NEWNET); });
  attempt("what processes ask of the kernel, by seccomp notification", OfferToListen);
  found.device_nodes =
      level == IsolationLevel::kRoot && attempt("device nodes that nobody opens", MakeDeadNode);
  found.own_users = attempt("a user namespace a box", [=] { return MountFreshProc(level, true); });
  found.fresh_proc = found.own_users ||
                     attempt("a /proc of its own", [=] { return MountFreshProc(level, false); });
  return found;
}

Result<Workspace> Workspace::Enter(const Isolation& isolation, bool keep_trees) {
  if (isolation.level == IsolationLevel::kNone)
    return Error{"this machine allows no private root; gpustage doctor says why"};
  ClearStaleScratch();
  ClearStaleCounts();
  TRY(ScratchDirectory scratch, ScratchDirectory::Make(keep_trees));
  if (const int failure = EnterNamespaces(isolation.level); failure != 0)
    return Error{fmt::format("cannot enter namespaces ({}): {}", ToString(isolation.level),
                             std::strerror(failure))};
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return Error{fmt::format("cannot make mounts private: {}", std::strerror(errno))};
  if (!keep_trees &&
      mount("gpustage", scratch.path().c_str(), "tmpfs", MS_NOSUID, kScratchOptions) != 0)
    return Error{fmt::format("cannot mount a scratch file system: {}", std::strerror(errno))};
  RaiseDescriptorLimit();
  Workspace workspace(std::move(scratch), isolation);
  // From a user namespace there is no way back to the network that we had.
  if (isolation.network_namespace && isolation.level == IsolationLevel::kRoot)
    workspace.MakeEmptyNetwork();
  return workspace;
}

// By a thread that goes away: this process keeps its network.
void Workspace::MakeEmptyNetwork() {
  static constexpr char kOfThread[] = "/proc/thread-self/ns/net";
  our_network_ = Fd(open(kOfThread, O_RDONLY | O_CLOEXEC));
  std::thread([this] {
    if (unshare(CLONE_NEWNET) == 0) empty_network_ = Fd(open(kOfThread, O_RDONLY | O_CLOEXEC));
  }).join();
  if (!our_network_ || !empty_network_) return;
  isolation_.our_network = our_network_.get();
  isolation_.empty_network = empty_network_.get();
}

Status MakeOwnSpace(const std::string& directory) {
  if (mount("gpustage", directory.c_str(), "tmpfs", MS_NOSUID, kTreeOptions) == 0) return Ok();
  return Error{fmt::format("cannot mount a file system for a tree: {}", std::strerror(errno))};
}

void TakeDownTree(const std::string& directory) {
  umount2(directory.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);  // at once, where it has its own space
  RemoveTree(directory);
}

Workspace::~Workspace() {
  // Detached first: taking the trees down one by one would cost far more, and the directory below
  // could not be removed.
  if (!scratch_.path().empty()) umount2(scratch_.path().c_str(), MNT_DETACH);
}

}  // namespace gpustage
