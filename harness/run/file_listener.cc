#include "harness/run/file_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "harness/base/limits.h"
#include "harness/run/box_lookup.h"
#include "harness/run/clock.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS  // Linux 6.6; Debian 12 has headers of 6.1
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

namespace gpustage {

// A call with a path: which argument is what. -1: it has none.
struct NamedCall {
  int number;
  const char* name;
  FileAct act;
  int directory, path, flags, access;
  bool follows = true;
};

namespace {

constexpr size_t kMostHeld = 64;  // descriptors of ended processes, before they are looked through
constexpr size_t kLongestWrite = 64 << 10;  // of one write
constexpr char kOurLack[] = "gpustage itself ran out of descriptors or memory";
constexpr int kAtFdCwd = AT_FDCWD;

constexpr NamedCall kCalls[] = {
    {SYS_open, "open", FileAct::kOpen, -1, 0, 1, -1},
    {SYS_openat, "openat", FileAct::kOpen, 0, 1, 2, -1},
    {SYS_openat2, "openat2", FileAct::kOpen, 0, 1, -1, -1},
    {SYS_creat, "creat", FileAct::kOpen, -1, 0, -1, -1},
    {SYS_stat, "stat", FileAct::kLook, -1, 0, -1, -1},
    {SYS_lstat, "lstat", FileAct::kLook, -1, 0, -1, -1, false},
    {SYS_newfstatat, "newfstatat", FileAct::kLook, 0, 1, 3, -1},
    {SYS_statx, "statx", FileAct::kLook, 0, 1, 2, -1},
    {SYS_access, "access", FileAct::kLook, -1, 0, -1, 1},
    {SYS_faccessat, "faccessat", FileAct::kLook, 0, 1, -1, 2},
    {SYS_faccessat2, "faccessat2", FileAct::kLook, 0, 1, 3, 2},
    {SYS_readlink, "readlink", FileAct::kLook, -1, 0, -1, -1, false},
    {SYS_readlinkat, "readlinkat", FileAct::kLook, 0, 1, -1, -1, false},
};

uint64_t Argument(const seccomp_notif& told, int i) { return i < 0 ? 0 : told.data.args[i]; }
pid_t ThreadOf(const seccomp_notif& told) { return static_cast<pid_t>(told.pid); }

Error Failed(const char* call) {
  return Error{fmt::format("gpustage could not watch the scanner any longer: {}: {}", call,
                           std::strerror(errno))};
}

}  // namespace

Status FileListener::UntilEnd() {
  const uint64_t at_once = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;
  ioctl(listener_, SECCOMP_IOCTL_NOTIF_SET_FLAGS, at_once);  // cheaper where the kernel can
  for (;;) {
    std::vector<pollfd> waits = {{listener_, POLLIN, 0}};
    std::vector<pid_t> of = {0};
    for (const auto& [process, life] : lives_) {
      waits.push_back({life.pidfd.get(), POLLIN, 0});
      of.push_back(process);
    }
    if (poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return Failed("poll");
    }
    for (size_t i = 1; i < waits.size(); ++i)
      if (waits[i].revents != 0) NoteEnd(of[i]);
    if ((waits[0].revents & POLLNVAL) != 0) {
      errno = EBADF;
      return Failed("poll");
    }
    // POLLERR alone says that the kernel was interrupted when it looked (kernel/seccomp.c,
    // seccomp_notify_poll).
    if ((waits[0].revents & POLLIN) != 0)
      TRY(Hear());
    else if ((waits[0].revents & POLLHUP) != 0)
      return Ok();
  }
}

Status FileListener::Hear() {
  seccomp_notif told = {};
  if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &told) != 0)
    return errno == EINTR || errno == ENOENT ? Ok() : Failed("SECCOMP_IOCTL_NOTIF_RECV");
  if (!root_) {
    root_ = Fd(open(fmt::format("/proc/{}/root", told.pid).c_str(), O_PATH | O_CLOEXEC));
    root_link_ = LinkOf(static_cast<pid_t>(told.pid), "root");
    take_ids_();
  }
  const size_t before = log_.records.size();
  Write(told);
  // Gone while we looked, and its id may have been given to another, into which we have looked
  // then.
  if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_ID_VALID, &told.id) != 0 && errno == ENOENT) {
    log_.records.resize(std::min(before, log_.records.size()));
    threads_.erase(ThreadOf(told));
    return Ok();
  }
  seccomp_notif_resp go_on = {told.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  while (ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &go_on) != 0) {
    if (errno == ENOENT) break;  // it was killed meanwhile
    if (errno != EINTR) return Failed("SECCOMP_IOCTL_NOTIF_SEND");
  }
  return Ok();
}

void FileListener::Write(const seccomp_notif& told) {
  FileRecord record;
  record.time_ns = Now();
  const ThreadIds* const ids = Ids(ThreadOf(told));
  if (ids == nullptr) {
    if (IsOurLack(errno)) Incomplete(kOurLack);
    return;  // otherwise it was killed meanwhile
  }
  record.pid = ids->pid;
  record.tid = ids->tid;
  record.parent = ids->parent;
  const auto call = std::find_if(std::begin(kCalls), std::end(kCalls),
                                 [&](const NamedCall& c) { return c.number == told.data.nr; });
  if (call != std::end(kCalls)) return WriteNamed(told, *call, std::move(record));
  switch (told.data.nr) {
    case SYS_execve: return WriteExec(told, false, std::move(record));
    case SYS_execveat: return WriteExec(told, true, std::move(record));
    case SYS_getdents:
    case SYS_getdents64: return WriteList(told, std::move(record));
    case SYS_write:
    case SYS_writev: return WriteOutput(told, std::move(record));
    case SYS_exit:
      threads_.erase(ThreadOf(told));  // its id may be given to another
      return;
    case SYS_exit_group:
      lives_[ids->process].exit_code = static_cast<int>(told.data.args[0] & 0xff);
      return NoteChildren(ids->process);
    case SYS_wait4:
    case SYS_waitid: return NoteChildren(ids->process);
    default: return;
  }
}

void FileListener::WriteNamed(const seccomp_notif& told, const NamedCall& call, FileRecord record) {
  const std::optional<std::string> path =
      ReadText(ThreadOf(told), Argument(told, call.path), PATH_MAX);
  if (!path) return Unreadable();
  uint64_t flags = Argument(told, call.flags);
  if (call.number == SYS_creat) flags = O_WRONLY | O_CREAT | O_TRUNC;
  if (call.number == SYS_openat2) {
    const std::optional<std::string> how =
        ReadBytes(ThreadOf(told), told.data.args[2], sizeof flags);
    if (how && how->size() == sizeof flags) std::memcpy(&flags, how->data(), sizeof flags);
  }
  record.act = call.act;
  record.call = call.name;
  record.path =
      Absolute(ThreadOf(told), *path,
               call.directory < 0 ? kAtFdCwd : static_cast<int>(Argument(told, call.directory)));
  bool follow = call.follows, directory = false;
  int access = call.access < 0 ? 0 : static_cast<int>(Argument(told, call.access));
  if (call.act == FileAct::kOpen) {
    const uint64_t mode = flags & O_ACCMODE;
    record.writes = mode != O_RDONLY || (flags & O_CREAT) != 0;
    follow = (flags & O_NOFOLLOW) == 0;
    directory = (flags & O_DIRECTORY) != 0 && (flags & __O_TMPFILE) != __O_TMPFILE;
    if ((flags & O_PATH) == 0)
      access = (mode != O_WRONLY ? R_OK : 0) | (mode != O_RDONLY ? W_OK : 0);
  } else if (call.flags >= 0 && (flags & AT_SYMLINK_NOFOLLOW) != 0) {
    follow = false;
  }
  const bool link = call.number == SYS_readlink || call.number == SYS_readlinkat;
  Probe(record, {follow, directory, link, access});
  // It makes what is missing, and whether it may is for the directory to say.
  if ((flags & O_CREAT) != 0 && call.act == FileAct::kOpen && record.error == ENOENT)
    record.answered = false;
  Add(std::move(record));
}

void FileListener::WriteExec(const seccomp_notif& told, bool at, FileRecord record) {
  const pid_t thread = ThreadOf(told);
  const std::optional<std::string> path = ReadText(thread, told.data.args[at ? 1 : 0], PATH_MAX);
  record.act = FileAct::kExec;
  record.call = at ? "execveat" : "execve";
  record.path = Absolute(thread, path.value_or(spec_.program),
                         at ? static_cast<int>(told.data.args[0]) : kAtFdCwd);
  size_t room = limits::kExecBytes;
  record.argv = ReadTexts(thread, told.data.args[at ? 2 : 1], room);
  record.environment = ReadTexts(thread, told.data.args[at ? 3 : 2], room);
  if (room == 0) Incomplete("the words of an exec were cut at 2 MiB");
  Probe(record, {true, false, false, X_OK});
  Add(std::move(record));
}

void FileListener::WriteList(const seccomp_notif& told, FileRecord record) {
  record.act = FileAct::kList;
  record.call = told.data.nr == SYS_getdents ? "getdents" : "getdents64";
  record.path = PathOf(ThreadOf(told), fmt::format("fd/{}", static_cast<int>(told.data.args[0])));
  record.answered = !record.path.empty();
  Add(std::move(record));
}

void FileListener::WriteOutput(const seccomp_notif& told, FileRecord record) {
  const pid_t thread = ThreadOf(told);
  const std::string end = PathOf(thread, fmt::format("fd/{}", told.data.args[0]));
  if (end.empty() ||
      std::find(spec_.own_streams.begin(), spec_.own_streams.end(), end) != spec_.own_streams.end())
    return;
  record.act = FileAct::kWrite;
  record.call = told.data.nr == SYS_write ? "write" : "writev";
  record.path = end;
  record.stream = told.data.args[0] == 1 ? Stream::kStdout : Stream::kStderr;
  std::vector<iovec> parts = {{reinterpret_cast<void*>(told.data.args[1]), told.data.args[2]}};
  if (told.data.nr == SYS_writev) {
    const size_t count = std::min<size_t>(told.data.args[2], IOV_MAX);
    const std::optional<std::string> list =
        ReadBytes(thread, told.data.args[1], count * sizeof(iovec));
    parts.resize(list ? list->size() / sizeof(iovec) : 0);
    if (list) std::memcpy(parts.data(), list->data(), parts.size() * sizeof(iovec));
  }
  for (const iovec& part : parts) {
    const size_t room = kLongestWrite - record.bytes.size();
    if (const auto bytes = ReadBytes(thread, reinterpret_cast<uint64_t>(part.iov_base),
                                     std::min(part.iov_len, room)))
      record.bytes += *bytes;
  }
  record.answered = true;
  Add(std::move(record));
}

// A child that was forked and asks for nothing is known by its parent, who is held while we look:
// until it waits, what is dead is there.
void FileListener::NoteChildren(pid_t process) {
  for (const pid_t child : ChildrenOf(process)) {
    const bool has_ended =
        std::any_of(ended_.begin(), ended_.end(),
                    [&](const WatchedProcess& life) { return life.ids.process == child; });
    if (!has_ended) Ids(child);
  }
}

// Its number, and those of its threads, may be given away again.
void FileListener::NoteEnd(pid_t process) {
  const auto life = lives_.find(process);
  life->second.ended_ns = Now();
  ended_.push_back(std::move(life->second));
  lives_.erase(life);
  std::erase_if(threads_, [&](const auto& thread) { return thread.second.process == process; });
  if (++held_ >= kMostHeld) LetGo(false);
}

// How a process ended is told once somebody has waited for it; until then its descriptor is kept.
void FileListener::LetGo(bool all) {
  held_ = 0;
  for (WatchedProcess& life : ended_) {
    if (!life.pidfd) continue;
    const bool gone = IsGone(life.pidfd.get());
    life.status = WaitStatusOf(life.pidfd.get());
    if (life.status || gone || all) life.pidfd.Close();
  }
}

void FileListener::WriteEnds() {
  for (auto& [process, life] : lives_) ended_.push_back(std::move(life));
  LetGo(true);
  for (const WatchedProcess& life : ended_) {
    FileRecord record;
    record.act = FileAct::kExit;
    record.call = "exit";
    record.pid = record.tid = life.ids.pid;
    record.parent = life.ids.parent;
    record.time_ns = life.ended_ns != 0 ? life.ended_ns : Now();
    const std::optional<int>& status = life.status;
    record.answered = status || life.exit_code;
    record.code = status && WIFEXITED(*status) ? WEXITSTATUS(*status) : life.exit_code.value_or(0);
    record.signal = status && WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
    Add(std::move(record));
  }
}

const ThreadIds* FileListener::Ids(pid_t thread) {
  const auto found = threads_.find(thread);
  if (found != threads_.end()) return &found->second;
  const std::optional<ThreadIds> ids = IdsOf(thread);
  if (!ids) return nullptr;
  WatchedProcess& life = lives_[ids->process];
  if (!life.pidfd) {
    life.ids = *ids;
    life.pidfd = Fd(static_cast<int>(syscall(SYS_pidfd_open, ids->process, 0)));
    if (!life.pidfd && IsOurLack(errno)) Incomplete(kOurLack);
  }
  return &threads_.emplace(thread, *ids).first->second;
}

// Where we are in a chroot the kernel tells where that begins, too: "/srv/root/opt/file" of a box
// whose root is "/srv/root".
std::string FileListener::PathOf(pid_t thread, const std::string& name) const {
  std::string path = LinkOf(thread, name);
  if (root_link_.size() <= 1 || !path.starts_with(root_link_)) return path;
  if (path.size() == root_link_.size()) return "/";
  return path[root_link_.size()] == '/' ? path.substr(root_link_.size()) : path;
}

std::string FileListener::Absolute(pid_t thread, const std::string& path, int directory) const {
  if (!path.starts_with('/')) {
    std::string base =
        PathOf(thread, directory == kAtFdCwd ? "cwd" : fmt::format("fd/{}", directory));
    if (path.empty()) return base;
    if (!base.ends_with('/')) base += '/';
    return base + path;
  }
  return path;
}

void FileListener::Probe(FileRecord& record, const Wanted& wanted) {
  std::string path = record.path;
  constexpr std::string_view kSelf = "/proc/self";
  // Where it asks about itself, we must not find ourselves.
  if (path.starts_with(kSelf) && (path.size() == kSelf.size() || path[kSelf.size()] == '/')) {
    pid_t outside = record.pid;
    if (!spec_.fresh_proc)
      for (const auto& [process, life] : lives_)
        if (life.ids.pid == record.pid) outside = process;
    path = fmt::format("/proc/{}{}", outside, path.substr(kSelf.size()));
  }
  if (path.starts_with("/proc/thread-self") || !root_) return;
  LookUp found = LookUpInBox(root_.get(), path, wanted);
  record.answered = found.known;
  if (IsOurLack(found.error)) {
    Incomplete(kOurLack);
    record.answered = false;
    found.error = 0;
  }
  record.error = found.error;
  record.links = std::move(found.links);
  record.real = std::move(found.real);
}

void FileListener::Incomplete(const std::string& why) {
  log_.complete = false;
  if (log_.note.empty()) log_.note = why;
}

// A process that is gone meanwhile is no loss; one that we may not look into is.
void FileListener::Unreadable() {
  if (errno == EPERM)
    Incomplete(
        "the memory of the scanner's processes may not be read here (a container lacks "
        "SYS_PTRACE)");
}

void FileListener::Add(FileRecord record) {
  size_t bytes = sizeof record + record.path.size() + record.real.size() + record.bytes.size();
  for (const auto* texts : {&record.links, &record.argv, &record.environment})
    for (const std::string& text : *texts) bytes += sizeof text + text.size();
  if (log_.records.size() >= limits::kRecords || kept_bytes_ + bytes > limits::kRecordBytes)
    return Incomplete("more was asked than is kept");
  kept_bytes_ += bytes;
  log_.records.push_back(std::move(record));
}

}  // namespace gpustage
