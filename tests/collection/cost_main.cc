// What the collection costs: gpustage runs the scenarios of the reports at two jobs, and then the
// same programs are started as often, at two jobs, in the same trees, with nothing around them but
// the root directory.
//
//   collection_cost GPUSTAGE [--rounds N] [--only TEXT]
//
// A bare exec is timed from the fork to the end of the program (or to the line that says that it
// is done, which ends it). Trees are built and changed beside the time. What waits for a limit, and
// what changes the tree while it runs, is left out of both.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <thread>

#include "harness/base/files.h"
#include "harness/case_runner.h"
#include "harness/scenario/read/scenario.h"
#include "harness/stage/world_file.h"
#include "tests/collection/collection.h"
#include "tests/support/workspace.h"

namespace gpustage {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kJobs = 2;

struct Cost {
  double wall = 0, cpu = 0;  // seconds; of the processor with those of all that was waited for
};

double CpuOf(const rusage& used) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double Since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void RaiseLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
}

// Where something of this machine is shown, made beside the time.
std::vector<std::pair<std::string, std::string>> Shown(const ScannerStart& start,
                                                       const std::string& root) {
  std::vector<std::pair<std::string, std::string>> shown = {{"/proc", root + "/proc"}};
  for (const std::string& directory : start.host_directories)
    shown.emplace_back(directory, root + directory);
  for (const auto& [from, to] : shown)
    for (size_t slash = root.size() + 1; slash != std::string::npos;) {
      slash = to.find('/', slash + 1);
      mkdir(to.substr(0, slash).c_str(), 0755);
    }
  return shown;
}

[[noreturn]] void BecomeBare(const ScannerStart& start, const std::string& root, int output,
                             const std::vector<std::pair<std::string, std::string>>& shown,
                             char* const* argv, char* const* environment) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  bool ok = unshare(CLONE_NEWNS | (start.loopback ? CLONE_NEWNET : 0)) == 0 &&
            mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (start.loopback) RaiseLoopback();
  for (const auto& [from, to] : shown)
    ok = mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 && ok;
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0), dup2(output, 1), dup2(output, 2);
  ok = ok && chroot(root.c_str()) == 0 && chdir(start.working_directory.c_str()) == 0 &&
       setgroups(start.user.groups.size(), start.user.groups.data()) == 0 &&
       setresgid(start.user.gid, start.user.gid, start.user.gid) == 0 &&
       setresuid(start.user.uid, start.user.uid, start.user.uid) == 0;
  if (ok) execve(argv[0], argv, environment);
  _exit(127);
}

Result<Cost> BareExec(const ScannerStart& start, const std::string& root) {
  const auto shown = Shown(start, root);
  const std::vector<char*> argv = Pointers(start.argv), environment = Pointers(start.environment);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{"no pipe"};
  const auto began = Clock::now();
  const pid_t child = fork();
  if (child == 0) BecomeBare(start, root, ends[1], shown, argv.data(), environment.data());
  close(ends[1]);
  std::string line;
  char bytes[4096];
  bool done = false;
  for (ssize_t n = 0; !done && (n = read(ends[0], bytes, sizeof bytes)) > 0;) {
    for (ssize_t i = 0; i < n && start.done_when; ++i) {
      if (bytes[i] != '\n') {
        line += bytes[i];
        continue;
      }
      done = done || start.done_when(line + "\n");
      line.clear();
    }
  }
  if (done) kill(-child, SIGKILL);
  int status = 0;
  rusage used = {};
  wait4(child, &status, 0, &used);
  const double seconds = Since(began);
  kill(-child, SIGKILL);
  close(ends[0]);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && !done)
    return Error{fmt::format("{} could not be started bare", start.argv.front())};
  return Cost{seconds, CpuOf(used)};
}

struct Measure {
  std::atomic<int> execs = 0;
  Cost sum;
  std::mutex mutex;
  std::set<std::string> failed;
};

// Each run of a case in its tree, which its changes are done to before.
Status BareRuns(const Case& c, CaseRunner& runner, SharedFiles& shared, Measure& measure) {
  TRY(std::vector<HostFile> base, runner.BaseFor(c));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), runner.CanSetOwners()));
  TRY(const std::unique_ptr<StagedCase> staged, runner.Build(plan));
  for (const RunSpec& spec : c.runs) {
    if (!spec.scanner.missing.empty()) continue;
    TRY(const std::vector<PlanStep> steps,
        PlanChange(spec.change, staged->tree.next_instance, c.machine));
    for (const PlanStep& step : steps)
      staged->tree.next_instance = std::max(staged->tree.next_instance, step.instance + 1);
    TRY(ApplySteps(steps, staged->private_copies, shared, staged->tree));
    if (!staged->tree.own_cache) TRY(WriteLoaderCache(staged->tree.root));
    if (spec.machine) TRY(RestartAs(Changed(c.machine, *spec.machine), shared, staged->tree));
    TRY(const ScannerStart start, StartOf(c, spec));
    TRY(const Cost cost, BareExec(start, staged->tree.root.host_path()));
    ++measure.execs;
    const std::lock_guard lock(measure.mutex);
    measure.sum.wall += cost.wall;
    measure.sum.cpu += cost.cpu;
  }
  return Ok();
}

Cost Bare(const std::vector<Case>& cases, CaseRunner& runner, Measure& measure) {
  SharedFiles shared(TheWorkspace()->directory() + "/bare");
  std::atomic<size_t> next = 0;
  std::vector<std::thread> jobs;
  for (int job = 0; job < kJobs; ++job)
    jobs.emplace_back([&] {
      for (size_t i = next++; i < cases.size(); i = next++)
        if (const Status ran = BareRuns(cases[i], runner, shared, measure); !ran) {
          const std::lock_guard lock(measure.mutex);
          measure.failed.insert(cases[i].id + ": " + ran.error().message);
        }
    });
  for (std::thread& job : jobs) job.join();
  return {measure.sum.wall / kJobs, measure.sum.cpu};
}

Cost Watched(const std::string& gpustage, const std::string& evidence,
             const std::set<std::string>& files) {
  std::vector<std::string> words = {gpustage,     "run",   "-q", "--jobs", std::to_string(kJobs),
                                    "--evidence", evidence};
  words.insert(words.end(), files.begin(), files.end());
  const std::vector<char*> argv = Pointers(words);
  const auto began = Clock::now();
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0), dup2(null, 1), dup2(null, 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage used = {};
  wait4(child, &status, 0, &used);
  return {Since(began), CpuOf(used)};
}

bool CanBeBare(const Case& c, CaseRunner& runner) {
  for (const RunSpec& run : c.runs)
    if (!run.meanwhile.empty() || !run.scanner.stand_ins.empty()) return false;
  for (const Expectation& expectation : c.expect)
    for (const Claim& claim : expectation.claims)
      if (const auto* outcome = std::get_if<OutcomeClaim>(&claim.what);
          outcome != nullptr && outcome->kind == "timed_out")
        return false;
  return runner.CannotStage(c).empty();
}

int Main(const std::string& gpustage, int rounds, const std::string& only) {
  if (geteuid() != 0 || !TheWorkspace()) {
    fmt::print("skipped: a bare exec in a tree needs root\n");
    return 77;
  }
  CaseRunner runner(*TheWorkspace(), FindRecorders(), false);
  const Catalog catalog = FindCatalog({});
  const ByThread by_thread = ScenariosByThread(AllScenarioFiles());
  std::set<std::string> found, files;
  for (const Thread& thread : Threads())
    if (const auto own = by_thread.find(thread.source); own != by_thread.end())
      for (const FoundScenario& scenario : own->second)
        if (scenario.id.find(only) != std::string::npos) found.insert(scenario.file);
  std::vector<Case> cases;
  for (const std::string& file : found) {
    Result<std::vector<Case>> own = LoadCases(file, catalog);
    if (!own ||
        !std::all_of(own->begin(), own->end(), [&](const Case& c) { return CanBeBare(c, runner); }))
      continue;
    files.insert(file);
    std::move(own->begin(), own->end(), std::back_inserter(cases));
  }
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    Measure measure;
    const Cost watched = Watched(gpustage, "all", files);
    const Cost boxed = Watched(gpustage, "none", files);
    const Cost bare = Bare(cases, runner, measure);
    for (const std::string& failed : measure.failed) fmt::print("left out: {}\n", failed);
    ratios.push_back(watched.wall / bare.wall);
    fmt::print("round {}: {} scenarios, {} bare execs\n", round + 1, files.size(),
               measure.execs.load());
    for (const auto& [what, cost] : {std::pair{"watched", watched},
                                     std::pair{"--evidence none", boxed}, std::pair{"bare", bare}})
      fmt::print("  {:<16} {:6.1f} s {:5.2f}, of the processor {:6.1f} s {:5.2f}\n", what,
                 cost.wall, cost.wall / bare.wall, cost.cpu, cost.cpu / bare.cpu);
    std::fflush(stdout);
  }
  std::sort(ratios.begin(), ratios.end());
  fmt::print("collection     {:.2f} ({:.2f} to {:.2f}) of as many bare execs at {} jobs; bar 1.6\n",
             ratios[ratios.size() / 2], ratios.front(), ratios.back(), kJobs);
  return 0;
}

}  // namespace
}  // namespace gpustage

int main(int argc, char** argv) {
  int rounds = 3;
  std::string only;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::stoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--only") == 0) only = argv[i + 1];
  }
  return argc < 2 ? 2 : gpustage::Main(argv[1], rounds, only);
}
