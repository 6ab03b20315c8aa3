#include "harness/run/host_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/run/ask.h"
#include "harness/run/box_filter.h"
#include "harness/run/clock.h"
#include "harness/run/file_watch.h"
#include "harness/run/journal_file.h"
#include "harness/run/watched_process.h"

namespace gpustage {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Streams {
  Fd out[2], err[2];
};
Result<Streams> MakeStreams() {
  Streams streams;
  for (Fd* ends : {streams.out, streams.err}) {
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0)
      return Error{fmt::format("no pipe could be made: {}", std::strerror(errno))};
    ends[0] = Fd(pipe[0]);
    ends[1] = Fd(pipe[1]);
  }
  return streams;
}

// In the child: system calls only.
[[noreturn]] void Begin(const Streams& streams, const std::vector<char*>& argv,
                        const std::vector<char*>& environment, const sock_fprog& filter,
                        int channel) {
  dup2(streams.out[1].get(), 1);
  dup2(streams.err[1].get(), 2);
  signal(SIGINT, SIG_DFL);
  signal(SIGQUIT, SIG_DFL);
  if (channel >= 0) {
    // Without a privilege of ours the kernel takes a filter from those alone who will gain none.
    if (geteuid() != 0) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    OfferListener(channel, filter);
  }
  execve(argv[0], argv.data(), environment.data());
  _exit(errno == ENOENT ? 127 : 126);
}

// Until all ends of the pipes are closed, or the program has ended and is silent.
void Gather(Streams& streams, OwnProcess& program, bool tee, RawRun& run, int& status) {
  bool ended = false;
  while (streams.out[0] || streams.err[0]) {
    pollfd waits[2] = {{streams.out[0].get(), POLLIN, 0}, {streams.err[0].get(), POLLIN, 0}};
    const int ready = poll(waits, 2, ended ? 0 : 50);
    if (!ended) ended = program.HasEnded(status);
    if (ready == 0 && ended) break;
    for (int i = 0; ready > 0 && i < 2; ++i) {
      if (waits[i].revents == 0) continue;
      Fd& from = i == 0 ? streams.out[0] : streams.err[0];
      char buffer[65536];
      const ssize_t n = read(from.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        from.Close();
        continue;
      }
      if (tee && write(STDERR_FILENO, buffer, static_cast<size_t>(n)) < 0) tee = false;
      run.output.push_back({Now() - run.start_ns, i == 0 ? Stream::kStdout : Stream::kStderr,
                            std::string(buffer, static_cast<size_t>(n))});
    }
  }
  if (!ended) status = program.Wait();
}

// What the program left running is ours to wait for (PR_SET_CHILD_SUBREAPER).
int EndChildren() {
  int ended = 0;
  for (;;) {
    const std::vector<pid_t> children = ChildrenOf(getpid());
    if (children.empty()) break;
    for (const pid_t child : children) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(-1, &status, 0) > 0) ++ended;
  }
  return ended;
}

Outcome OutcomeOf(int status, const std::string& program) {
  if (WIFSIGNALED(status)) return {Outcome::Kind::kKilled, WTERMSIG(status), ""};
  const int code = WEXITSTATUS(status);
  if (code == 127 && access(program.c_str(), F_OK) != 0)
    return {Outcome::Kind::kNotStarted, ENOENT, program + " could not be executed"};
  return {Outcome::Kind::kExited, code, ""};
}

}  // namespace

Result<RawRun> RunOnHost(const HostStart& start, const Root& ours, const Recorders& recorders) {
  std::vector<std::string> environment = start.environment;
  TRY(MakeJournal(ours));
  const uint32_t mark = std::random_device()();
  TRY(const std::string audit, PlaceAuditOnHost(ours, recorders.audit, mark));
  WatchLoader(audit, environment);
  TRY(Streams streams, MakeStreams());
  TRY(std::vector<sock_filter> filter, WatchFilter(mark));
  FileWatchSpec spec;
  spec.uid = geteuid();
  spec.gid = getegid();
  spec.take_ids = false;
  spec.fresh_proc = true;  // its processes have the numbers that we see
  spec.program = start.argv[0];
  for (const Fd* end : {&streams.out[1], &streams.err[1]})
    spec.own_streams.push_back(LinkOf(getpid(), fmt::format("fd/{}", end->get())));
  Fd pidfd;  // before the watch, which may signal until it is gone
  TRY(const std::unique_ptr<FileWatch> watch, FileWatch::Start(std::move(spec)));

  RawRun run;
  run.start_ns = Now();
  const std::vector<char*> argv = Pointers(start.argv), variables = Pointers(environment);
  const sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const auto was_interrupt = signal(SIGINT, SIG_IGN);  // it is meant for the program
  const pid_t child = fork();
  if (child == 0) Begin(streams, argv, variables, program, watch->channel());
  streams.out[1].Close();
  streams.err[1].Close();
  watch->CloseChannel();
  if (child < 0) return Error{fmt::format("no process could be made: {}", std::strerror(errno))};
  OwnProcess process(child);
  pidfd = Fd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  watch->SetBox(pidfd.get());
  int status = 0;
  const auto restore = [&] {
    signal(SIGINT, was_interrupt);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  };
  try {
    Gather(streams, process, true, run, status);
    run.left_over = EndChildren();
  } catch (...) {
    run = {};  // room to find the children in, for which the watch would wait
    process.End();
    EndChildren();
    restore();
    throw;
  }
  run.duration_ns = Now() - run.start_ns;
  restore();
  run.outcome = OutcomeOf(status, start.argv[0]);
  run.files = watch->Finish();
  run.level = EvidenceLevel::kAll;
  TRY(run.journal, ReadJournal(ours));
  run.journal_recorded = run.loader_recorded = true;
  return run;
}

namespace {

constexpr int kDriverLimitS = 20;  // a driver that initialises many GPUs takes some seconds

// Starts one of ours in the environment of a process that was watched.
RawRun RunOurs(const HostStart& start, const std::vector<std::string>& words, int limit_s) {
  RawRun run;
  std::vector<std::string> environment = start.environment;
  LeaveAlone(environment);
  Result<Streams> streams = MakeStreams();
  if (!streams) return run;
  const std::vector<char*> argv = Pointers(words), variables = Pointers(environment);
  const pid_t child = fork();
  if (child == 0) {
    if (limit_s > 0) alarm(static_cast<unsigned>(limit_s));
    Begin(*streams, argv, variables, {}, -1);
  }
  streams->out[1].Close();
  streams->err[1].Close();
  if (child < 0) return run;
  run.start_ns = Now();
  int status = 0;
  OwnProcess process(child);
  Gather(*streams, process, false, run, status);
  return run;
}

}  // namespace

std::vector<std::string> OurEnvironment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

std::string ProbeDriver(const HostStart& start, const std::string& family,
                        const std::string& library, const Recorders& recorders) {
  const std::string probe = ParentOf(recorders.ask) + "/driver_probe";
  std::string printed;
  for (const OutputChunk& chunk : RunOurs(start, {probe, family, library}, kDriverLimitS).output)
    if (chunk.stream == Stream::kStdout) printed += chunk.bytes;
  return printed;
}

std::map<std::string, std::string> AskDriver(const HostStart& start, const std::string& family,
                                             const std::string& library,
                                             const Recorders& recorders) {
  const std::string printed = ProbeDriver(start, family, library, recorders);
  std::map<std::string, std::string> values;
  for (size_t begin = 0; begin < printed.size();) {
    const size_t end = std::min(printed.find('\n', begin), printed.size());
    const std::string line = printed.substr(begin, end - begin);
    begin = end + 1;
    if (const size_t blank = line.find(' '); blank != std::string::npos)
      values.emplace(line.substr(0, blank), line.substr(blank + 1));
  }
  return values;
}

Result<std::vector<DlopenAnswer>> AskOnHost(const HostStart& start,
                                            const std::vector<std::string>& paths,
                                            const Recorders& recorders) {
  std::vector<std::string> words = {recorders.ask};
  words.insert(words.end(), paths.begin(), paths.end());
  return ReadAnswers(RunOurs(start, words, 0), paths);
}

}  // namespace gpustage
