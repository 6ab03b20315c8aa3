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
#include <mutex>
#include <optional>

#include "harness/base/limits.h"
#include "harness/base/process.h"
#include "harness/base/root.h"
#include "harness/run/box_child.h"
#include "harness/run/box_filter.h"
#include "harness/run/box_places.h"
#include "harness/run/clock.h"
#include "harness/run/file_watch.h"
#include "harness/run/interrupt.h"
#include "harness/run/proc_files.h"
#include "harness/run/process_count.h"
#include "harness/run/watched_process.h"

namespace gpustage {
namespace {

// The kernel kills it for that alone; the filter's other refusals are errors (box_filter.cc).
constexpr char kOtherCalls[] =
    "a box takes the calls of 64-bit programs only, as SIGSYS says unless it was sent";

std::string SizeText(int64_t bytes) {
  return bytes >> 20 != 0 ? fmt::format("{} MiB", bytes >> 20) : fmt::format("{} KiB", bytes >> 10);
}

Outcome NotStarted(int error, std::string note) {
  return {Outcome::Kind::kNotStarted, error, std::move(note)};
}

std::string StepSentence(const BoxSpec& spec, const std::vector<ShownMount>& shown,
                         const BoxReport& told) {
  const char* why = std::strerror(told.error);
  switch (told.failed_at) {
    case BoxStep::kMounts: return fmt::format("the private root could not be made: {}", why);
    case BoxStep::kShown:
      return fmt::format("{} of this machine could not be shown inside: {}",
                         told.shown < 0 || static_cast<size_t>(told.shown) >= shown.size()
                             ? "something"
                             : shown[static_cast<size_t>(told.shown)].source,
                         why);
    case BoxStep::kMagicLink:
      return fmt::format(
          "{} leads through a link of /proc to a program of this machine, which is not lent",
          spec.argv[0]);
    case BoxStep::k32Bit:
      return fmt::format("{} is a 32-bit program, and a box runs 64-bit ones only", spec.argv[0]);
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
  Fd pidfd;  // what is before is gone after: the listener may still signal while the init ends
  std::unique_ptr<FileWatch> watch;
  ProcessCount count;
  OwnProcess init;  // ends first, for the watch waits for that
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

// From within a network that has nothing where there is one. 0 or an errno.
int Clone(const BoxSpec& spec, const Isolation& isolation, BoxChild& child, Started& started) {
  const bool apart = !spec.loopback && isolation.empty_network >= 0 &&
                     setns(isolation.empty_network, CLONE_NEWNET) == 0;
  unsigned long flags =
      CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD | SIGCHLD;
  if (spec.loopback || (isolation.network_namespace && !apart)) flags |= CLONE_NEWNET;
  if (isolation.own_users) flags |= CLONE_NEWUSER;
  int pidfd = -1;
  std::unique_lock alone(ForkLock());
  const auto pid = static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, &pidfd, nullptr, nullptr));
  if (pid == 0) child.RunInit();
  const int failure = pid < 0 ? errno : 0;
  alone.unlock();
  started.pidfd = Fd(pidfd);
  started.init = OwnProcess(pid);
  // Our own is the user's, whose program may have made this box.
  if (apart) GPUSTAGE_CHECK(setns(isolation.our_network, CLONE_NEWNET) == 0);
  return failure;
}

// Everything that the child needs, then the clone.
Result<Started> Start(const BoxSpec& spec, const Isolation& isolation, BoxChild& child) {
  TRY(const Root root, Root::Open(spec.root));
  TRY(PlanShown(spec, root, child));
  PlanSpaces(spec, root, child);
  TRY(child.proc_files, ProcFiles(root));
  child.proc_fds.resize(child.proc_files.size(), -1);
  TRY(std::vector<sock_filter> filter, BoxFilter(spec.loopback));
  child.filter = ProgramOf(filter);
  child.root = spec.root;
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
  child.memory_limit = spec.memory_limit;

  Started started;
  std::vector<sock_filter> watch_filter;
  if (spec.watch_files) {
    TRY(watch_filter, WatchFilter(spec.mark));
    TRY(started.watch, StartWatch(spec, isolation, child));
    child.watch_filter = ProgramOf(watch_filter);
    child.watch = started.watch->channel();
  }
  // The kernel counts those of this machine's root nowhere else.
  if (isolation.level == IsolationLevel::kRoot && child.uid == 0)
    started.count = ProcessCount::Make(limits::kProcesses);
  child.processes = started.count.procs();
  Pipe go;
  if (isolation.own_users && !MakePipe(go))
    return Error{fmt::format("no pipe could be made: {}", std::strerror(errno))};
  child.go = go.read.get();
  child.go_end = go.write.get();
  if (const int failure = Clone(spec, isolation, child, started); failure != 0)
    return Error{fmt::format("the box could not be made: {}", std::strerror(failure))};
  if (started.watch) {
    started.watch->SetBox(started.pidfd.get());
    started.watch->CloseChannel();
  }
  if (!isolation.own_users) return started;
  int failure = MapSameIds(started.init.pid());
  if (failure == 0 && write(go.write.get(), "g", 1) != 1) failure = errno;
  if (failure == 0) return started;
  return Error{fmt::format("the ids of the box could not be mapped: {}", std::strerror(failure))};
}

// What is reported until the box has ended. The first signal that is meant for us goes on to it.
std::string ReadAll(int fd, int box_pidfd) {
  std::string all;
  char buffer[256];
  for (bool told = false;;) {
    pollfd waits[2] = {{fd, POLLIN, 0}, {told ? -1 : InterruptFd(), POLLIN, 0}};
    if (poll(waits, 2, -1) < 0 && errno != EINTR) break;
    if (!told && Interrupted() != 0) {
      told = true;
      syscall(SYS_pidfd_send_signal, box_pidfd, Interrupted(), nullptr, 0);
    }
    if (waits[0].revents == 0) continue;
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EINTR)) break;
    if (n > 0) all.append(buffer, static_cast<size_t>(n));
  }
  return all;
}

// Gathers output until the box has ended, and ends it when a limit is reached.
class Watch {
 public:
  Watch(const BoxSpec& spec, RawRun& run, OwnProcess& init, Pipe& out, Pipe& err, Pipe& report)
      : spec_(spec), run_(run), init_(init), streams_{&out.read, &err.read, &report.read} {}

  void UntilEnd() {
    const int64_t deadline = run_.start_ns + spec_.time_limit.count() * 1'000'000;
    while (*streams_[0] || *streams_[1] || *streams_[2]) {
      pollfd waits[4] = {{}, {}, {}, {ended_ ? -1 : InterruptFd(), POLLIN, 0}};
      for (size_t i = 0; i < 3; ++i) waits[i] = {streams_[i]->get(), POLLIN, 0};
      DoWhatIsDue();
      int64_t next = done_at_ ? std::min(deadline, *done_at_) : deadline;
      if (due_ < spec_.meanwhile.size()) next = std::min(next, DueAt(due_));
      const int64_t left = std::max<int64_t>(0, next - Now()) / 1'000'000 + 1;
      const int ready =
          poll(waits, 4, ended_ ? -1 : static_cast<int>(std::min<int64_t>(left, 1 << 30)));
      if (ready < 0 && errno != EINTR) break;
      if (!ended_ && Now() >= deadline)
        End({Outcome::Kind::kTimedOut, SIGKILL,
             fmt::format("after {} s", static_cast<double>(spec_.time_limit.count()) / 1000)});
      if (!ended_ && Interrupted() != 0)
        End({Outcome::Kind::kKilled, SIGKILL, "gpustage was interrupted"});
      for (size_t i = 0; ready > 0 && i < 3; ++i)
        if (waits[i].revents != 0) Read(i);
      if (!ended_ && done_at_ && Now() >= *done_at_) End({Outcome::Kind::kStopped, 0, ""});
    }
    init_.Wait();
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
    init_.Signal(SIGKILL);
  }

  const BoxSpec& spec_;
  RawRun& run_;
  OwnProcess& init_;
  Fd* streams_[3];
  std::string pending_[2];
  std::string reports_;
  int64_t total_ = 0;
  size_t due_ = 0;                  // the change that comes next
  std::optional<int64_t> done_at_;  // it has said that it is done, and is ended then
  std::optional<Outcome> ended_;
};

// The init's words, or what its silence means.
Outcome OutcomeOf(const BoxSpec& spec, const BoxChild& child, const std::string& reports,
                  int& left_over) {
  BoxReport told;
  if (reports.size() < sizeof told) return NotStarted(EIO, "the box ended without a word");
  std::memcpy(&told, reports.data(), sizeof told);
  left_over = told.left_over;
  if (told.failed_at != BoxStep::kRunning)
    return NotStarted(told.error, StepSentence(spec, child.shown, told));
  // Our own limits are no answer of the scanner's, so they stand beside it.
  std::string note;
  if (told.full >= 0 && static_cast<size_t>(told.full) < child.spaces.size()) {
    const OwnSpace& space = child.spaces[static_cast<size_t>(told.full)];
    note = fmt::format("its {} was full, of which a box has {}", space.path, space.size);
  } else if (left_over + 2 >= limits::kProcesses) {
    note = fmt::format("it had as many processes as a box may, {}", limits::kProcesses);
  }
  if (!WIFSIGNALED(told.wait_status))
    return {Outcome::Kind::kExited, WEXITSTATUS(told.wait_status), note};
  const int signal = WTERMSIG(told.wait_status);
  if (signal == SIGSYS) note = kOtherCalls;
  return {Outcome::Kind::kKilled, signal, note};
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
  Result<Started> box = Start(spec, isolation, child);
  if (!box) {
    run.outcome = NotStarted(EIO, box.error().message);
    return run;
  }
  for (Pipe* pipe : {&out, &err, &report}) pipe->write.Close();
  Watch watch(spec, run, box->init, out, err, report);
  watch.UntilEnd();
  run.duration_ns = Now() - run.start_ns;
  if (box->watch) run.files = box->watch->Finish();
  run.outcome =
      watch.ended() ? *watch.ended() : OutcomeOf(spec, child, watch.reports(), run.left_over);
  if (run.outcome.note.empty()) run.outcome.note = FullTree(spec.root);
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
  Result<Started> box = Start(spec, isolation, child);
  if (!box) return failed(box.error().message);
  report.write.Close();
  const std::string reports = terminal != nullptr
                                  ? terminal->Relay(report.read.get(), box->pidfd.get())
                                  : ReadAll(report.read.get(), box->pidfd.get());
  box->init.Wait();
  run.duration_ns = Now() - run.start_ns;
  if (box->watch) run.files = box->watch->Finish();
  run.outcome = OutcomeOf(spec, child, reports, run.left_over);
  if (terminal != nullptr && terminal->ended_by())
    run.outcome = {Outcome::Kind::kKilled, *terminal->ended_by(), "with our terminal"};
  return run;
}

}  // namespace gpustage
