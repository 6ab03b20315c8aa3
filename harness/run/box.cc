#include "harness/run/box.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "harness/base/root.h"
#include "harness/run/box_child.h"
#include "harness/run/box_filter.h"
#include "harness/run/file_watch.h"
#include "harness/run/proc_files.h"
#include "harness/run/watched_process.h"

namespace gpustage {
namespace {

constexpr const char* kDeviceNodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                        "/dev/urandom"};

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::string SizeText(int64_t bytes) {
  return bytes >> 20 != 0 ? fmt::format("{} MiB", bytes >> 20) : fmt::format("{} KiB", bytes >> 10);
}

Outcome NotStarted(int error, std::string note) {
  return {Outcome::Kind::kNotStarted, error, std::move(note)};
}

std::string StepSentence(const BoxSpec& spec, const BoxReport& told) {
  const char* why = std::strerror(told.error);
  switch (told.failed_at) {
    case BoxStep::kMounts: return fmt::format("the private root could not be made: {}", why);
    case BoxStep::kNetwork: return fmt::format("the network could not be shut off: {}", why);
    case BoxStep::kIdentity: return fmt::format("uid {} could not be taken: {}", spec.uid, why);
    case BoxStep::kWorkingDirectory:
      return fmt::format("no working directory {}: {}", spec.working_directory, why);
    case BoxStep::kExec: return fmt::format("{} could not be executed: {}", spec.argv[0], why);
    case BoxStep::kRunning: break;
  }
  return "";
}

struct Pipe {
  Fd read, write;
};

bool MakePipe(Pipe& made) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  made.read = Fd(ends[0]);
  made.write = Fd(ends[1]);
  return true;
}

// The started init of a box.
struct Started {
  pid_t pid = -1;
  Fd pidfd;
  std::unique_ptr<FileWatch> watch;
};

sock_fprog ProgramOf(std::vector<sock_filter>& filter) {
  return {static_cast<unsigned short>(filter.size()), filter.data()};
}

// What the descriptor is, so that the same thing is known in another process: "pipe:[71]".
std::string LinkOfOurs(int fd) { return LinkOf(getpid(), fmt::format("fd/{}", fd)); }

Result<std::unique_ptr<FileWatch>> StartWatch(const BoxSpec& spec, const Isolation& isolation,
                                              const BoxChild& child) {
  FileWatchSpec watch;
  watch.uid = child.uid;
  watch.gid = child.gid;
  watch.groups = child.groups;
  watch.take_ids = isolation.level != IsolationLevel::kUserOneUid;
  watch.fresh_proc = isolation.fresh_proc;
  watch.program = spec.argv[0];
  watch.own_streams = {LinkOfOurs(child.out), LinkOfOurs(child.err), "/dev/tty"};
  return FileWatch::Start(std::move(watch));
}

// Everything that the child needs, then the clone.
Result<Started> Start(const BoxSpec& spec, const Isolation& isolation, BoxChild& child) {
  TRY(const Root root, Root::Open(spec.root));
  std::vector<std::string> nodes(std::begin(kDeviceNodes), std::end(kDeviceNodes));
  nodes.insert(nodes.end(), spec.device_nodes.begin(), spec.device_nodes.end());
  for (const std::string& node : nodes) {
    TRY(const Place place, root.MakePlace(node));
    if (Fd(openat(place.directory.get(), place.name.c_str(),
                  O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0666)))
      child.device_nodes.push_back(spec.root + node);
  }
  for (const std::string& directory : spec.host_directories) {
    TRY(root.MakeDirectory(directory));
    child.bind_sources.push_back(directory);
    child.bind_targets.push_back(spec.root + directory);
  }
  TRY(root.MakeDirectory("/proc"));
  TRY(const std::vector<std::string> proc_files, ProcFiles(root));
  if (!proc_files.empty()) {
    TRY(root.MakeDirectory(kTreesProc));
    child.trees_proc = spec.root + kTreesProc;
  }
  for (const std::string& file : proc_files) {
    child.proc_sources.push_back(child.trees_proc + file);
    child.proc_targets.push_back(spec.root + "/proc" + file);
  }
  TRY(std::vector<sock_filter> filter, BoxFilter(spec.loopback));
  child.filter = ProgramOf(filter);
  child.root = spec.root;
  child.proc_target = spec.root + "/proc";
  child.working_directory = spec.working_directory;
  for (const std::string& word : spec.argv) child.argv.push_back(const_cast<char*>(word.c_str()));
  child.argv.push_back(nullptr);
  for (const std::string& entry : spec.environment)
    child.environment.push_back(const_cast<char*>(entry.c_str()));
  child.environment.push_back(nullptr);
  const bool one_uid = isolation.level == IsolationLevel::kUserOneUid;
  child.uid = one_uid ? 0 : spec.uid;
  child.gid = one_uid ? 0 : spec.gid;
  if (!one_uid) child.groups = spec.groups;
  child.set_groups = !one_uid;
  child.fresh_proc = isolation.fresh_proc;
  child.loopback = spec.loopback;

  Started started;
  std::vector<sock_filter> watch_filter;
  if (spec.watch_files) {
    TRY(watch_filter, WatchFilter());
    TRY(started.watch, StartWatch(spec, isolation, child));
    child.watch_filter = ProgramOf(watch_filter);
    child.watch = started.watch->channel();
  }
  int pidfd = -1;
  unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_PIDFD | SIGCHLD;
  if (spec.loopback) flags |= CLONE_NEWNET;
  started.pid = static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, &pidfd, nullptr, nullptr));
  if (started.pid == 0) child.RunInit();
  if (started.pid < 0)
    return Error{fmt::format("the box could not be made: {}", std::strerror(errno))};
  started.pidfd = Fd(pidfd);
  if (started.watch) {
    started.watch->SetBox(pidfd);
    started.watch->CloseChannel();
  }
  return started;
}

std::string ReadAll(int fd) {
  std::string all;
  char buffer[256];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) all.append(buffer, static_cast<size_t>(n));
  return all;
}

// Gathers output until the box has ended, and ends it when a limit is reached.
class Watch {
 public:
  Watch(const BoxSpec& spec, RawRun& run, const Started& box, Pipe& out, Pipe& err, Pipe& report)
      : spec_(spec), run_(run), box_(box), streams_{&out.read, &err.read, &report.read} {}

  void UntilEnd() {
    const int64_t deadline = run_.start_ns + spec_.time_limit.count() * 1'000'000;
    while (*streams_[0] || *streams_[1] || *streams_[2]) {
      pollfd waits[3];
      for (size_t i = 0; i < 3; ++i) waits[i] = {streams_[i]->get(), POLLIN, 0};
      DoWhatIsDue();
      int64_t next = done_at_ ? std::min(deadline, *done_at_) : deadline;
      if (due_ < spec_.meanwhile.size()) next = std::min(next, DueAt(due_));
      const int64_t left = std::max<int64_t>(0, next - Now()) / 1'000'000 + 1;
      const int ready =
          poll(waits, 3, ended_ ? -1 : static_cast<int>(std::min<int64_t>(left, 1 << 30)));
      if (ready < 0 && errno != EINTR) break;
      if (!ended_ && Now() >= deadline)
        End({Outcome::Kind::kTimedOut, SIGKILL,
             fmt::format("after {} s", static_cast<double>(spec_.time_limit.count()) / 1000)});
      for (size_t i = 0; ready > 0 && i < 3; ++i)
        if (waits[i].revents != 0) Read(i);
      if (!ended_ && done_at_ && Now() >= *done_at_) End({Outcome::Kind::kStopped, 0, ""});
    }
    int status = 0;
    while (waitpid(box_.pid, &status, 0) < 0 && errno == EINTR) {
    }
  }

  std::optional<Outcome> ended() const { return ended_; }
  const std::string& reports() const { return reports_; }

 private:
  int64_t DueAt(size_t change) const {
    return run_.start_ns + spec_.meanwhile[change].after.count() * 1'000'000;
  }
  void DoWhatIsDue() {
    for (; !ended_ && due_ < spec_.meanwhile.size() && Now() >= DueAt(due_); ++due_)
      spec_.meanwhile[due_].change();
  }

  void Read(size_t which) {
    char buffer[65536];
    const ssize_t n = read(streams_[which]->get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) return streams_[which]->Close();
    const std::string_view bytes(buffer, static_cast<size_t>(n));
    if (which == 2) {
      reports_ += bytes;
      return;
    }
    if (ended_ && ended_->kind == Outcome::Kind::kKilled)
      return;  // what a flood still had in the pipe
    run_.output.push_back({Now() - run_.start_ns, which == 0 ? Stream::kStdout : Stream::kStderr,
                           std::string(bytes)});
    total_ += n;
    if (!ended_ && total_ > spec_.output_limit)
      End({Outcome::Kind::kKilled, SIGKILL,
           "it printed more than " + SizeText(spec_.output_limit)});
    if (!ended_ && spec_.done_when) LookForEnd(which, bytes);
    if (done_at_) done_at_ = Now() + spec_.settle.count() * 1'000'000;
  }

  void LookForEnd(size_t which, std::string_view bytes) {
    std::string& pending = pending_[which];
    pending += bytes;
    for (size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      if (!done_at_ && spec_.done_when(std::string_view(pending).substr(0, end))) done_at_ = Now();
      pending.erase(0, end + 1);
    }
  }

  // Killing the init of a pid namespace kills every process in it.
  void End(Outcome why) {
    ended_ = std::move(why);
    syscall(SYS_pidfd_send_signal, box_.pidfd.get(), SIGKILL, nullptr, 0);
  }

  const BoxSpec& spec_;
  RawRun& run_;
  const Started& box_;
  Fd* streams_[3];
  std::string pending_[2];
  std::string reports_;
  int64_t total_ = 0;
  size_t due_ = 0;                  // the change that comes next
  std::optional<int64_t> done_at_;  // it has said that it is done, and is ended then
  std::optional<Outcome> ended_;
};

// The init's words, or what its silence means.
Outcome OutcomeOf(const BoxSpec& spec, const std::string& reports, int& left_over) {
  BoxReport told;
  if (reports.size() < sizeof told) return NotStarted(EIO, "the box ended without a word");
  std::memcpy(&told, reports.data(), sizeof told);
  left_over = told.left_over;
  if (told.failed_at != BoxStep::kRunning) return NotStarted(told.error, StepSentence(spec, told));
  if (WIFSIGNALED(told.wait_status))
    return {Outcome::Kind::kKilled, WTERMSIG(told.wait_status), ""};
  return {Outcome::Kind::kExited, WEXITSTATUS(told.wait_status), ""};
}

}  // namespace

RawRun RunInBox(const BoxSpec& spec, const Isolation& isolation) {
  RawRun run;
  Pipe out, err, report;
  if (!MakePipe(out) || !MakePipe(err) || !MakePipe(report)) {
    run.outcome = NotStarted(errno, fmt::format("no pipe could be made: {}", std::strerror(errno)));
    return run;
  }
  BoxChild child;
  child.out = out.write.get();
  child.err = err.write.get();
  child.report = report.write.get();
  run.start_ns = Now();
  const Result<Started> box = Start(spec, isolation, child);
  if (!box) {
    run.outcome = NotStarted(EIO, box.error().message);
    return run;
  }
  for (Pipe* pipe : {&out, &err, &report}) pipe->write.Close();
  Watch watch(spec, run, *box, out, err, report);
  watch.UntilEnd();
  run.duration_ns = Now() - run.start_ns;
  if (box->watch) run.files = box->watch->Finish();
  run.outcome = watch.ended() ? *watch.ended() : OutcomeOf(spec, watch.reports(), run.left_over);
  return run;
}

RawRun RunInBoxInteractive(const BoxSpec& spec, const Isolation& isolation, Terminal* terminal) {
  RawRun run;
  const auto failed = [&run](std::string why) {
    run.outcome = NotStarted(errno, std::move(why));
    return run;
  };
  Pipe report;
  if (!MakePipe(report)) return failed("no pipe could be made");
  BoxChild child;
  child.report = report.write.get();
  child.interactive = true;
  if (terminal != nullptr) {
    child.terminal = true;
    child.out = child.err = terminal->inner();
    // So that it can be opened by name too; without that right it still works.
    if (fchown(terminal->inner(), spec.uid, spec.gid) != 0) errno = 0;
  }
  run.start_ns = Now();
  const Result<Started> box = Start(spec, isolation, child);
  if (!box) return failed(box.error().message);
  report.write.Close();
  const std::string reports = terminal != nullptr
                                  ? terminal->Relay(report.read.get(), box->pidfd.get())
                                  : ReadAll(report.read.get());
  int status = 0;
  while (waitpid(box->pid, &status, 0) < 0 && errno == EINTR) {
  }
  run.duration_ns = Now() - run.start_ns;
  if (box->watch) run.files = box->watch->Finish();
  run.outcome = OutcomeOf(spec, reports, run.left_over);
  if (terminal != nullptr && terminal->ended_by())
    run.outcome = {Outcome::Kind::kKilled, *terminal->ended_by(), "with our terminal"};
  return run;
}

}  // namespace gpustage
