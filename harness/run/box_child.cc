#include "harness/run/box_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/run/file_watch.h"

namespace gpustage {
namespace {

// A runaway of forks ends here. Counted by the kernel over all processes of the uid.
constexpr rlim_t kMaxProcesses = 512;
constexpr rlim_t kMaxFileSize = rlim_t{1} << 30;

// What a service that runs as root may do to files, and no more: no mounts, no devices, no other
// processes.
constexpr unsigned kKeptCapabilities[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
                                          CAP_FOWNER, CAP_FSETID,       CAP_KILL,
                                          CAP_SETGID, CAP_SETUID};

bool Kept(unsigned capability) {
  for (const unsigned kept : kKeptCapabilities)
    if (kept == capability) return true;
  return false;
}

int DropCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (!Kept(capability)) {
      if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) return errno;
      continue;
    }
    data[capability / 32].permitted |= 1U << (capability % 32);
    data[capability / 32].effective |= 1U << (capability % 32);
  }
  return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

int RaiseLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  ifreq request = {};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int failure = ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
  close(fd);
  return failure;
}

}  // namespace

void BoxChild::Fail(BoxStep step, int error) const {
  const BoxReport told = {step, error, 0, 0};
  if (write(report, &told, sizeof told) != sizeof told) _exit(126);
  _exit(127);
}

// Other threads start boxes too: an end of their pipes kept here would keep them waiting for its
// close.
void BoxChild::CloseOthers() const {
  unsigned kept[] = {static_cast<unsigned>(out), static_cast<unsigned>(err),
                     static_cast<unsigned>(report),
                     static_cast<unsigned>(watch >= 0 ? watch : report)};
  for (size_t i = 0; i < 4; ++i)
    for (size_t j = i + 1; j < 4; ++j)
      if (kept[j] < kept[i]) {
        const unsigned swapped = kept[i];
        kept[i] = kept[j];
        kept[j] = swapped;
      }
  unsigned first = 3;
  for (const unsigned fd : kept) {
    if (fd < first) continue;
    if (fd > first) syscall(SYS_close_range, first, fd - 1, 0);
    first = fd + 1;
  }
  syscall(SYS_close_range, first, ~0U, 0);
}

int BoxChild::MountRoot() const {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  // pivot_root wants a mount point; exec of what lies in it and set-id bits are as on a real
  // system.
  if (mount(root.c_str(), root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return errno;
  for (size_t i = 0; i < bind_sources.size(); ++i) {
    const char* target = bind_targets[i].c_str();
    if (mount(bind_sources[i].c_str(), target, nullptr, MS_BIND | MS_REC, nullptr) != 0)
      return errno;
    // In a user namespace the flags that the host set are locked on and must be repeated.
    if (mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
              nullptr) != 0 &&
        mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
      return errno;
  }
  for (size_t i = 0; i < device_nodes.size(); ++i) {
    const char* target = device_nodes[i].c_str();
    if (mount(target + root.size(), target, nullptr, MS_BIND, nullptr) != 0) return errno;
  }
  if (!trees_proc.empty() &&
      mount(proc_target.c_str(), trees_proc.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return errno;
  if (fresh_proc) {
    if (mount("proc", proc_target.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
      return errno;
  } else if (mount("/proc", proc_target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return errno;
  }
  for (size_t i = 0; i < proc_sources.size(); ++i)
    if (mount(proc_sources[i].c_str(), proc_targets[i].c_str(), nullptr, MS_BIND, nullptr) != 0)
      return errno;
  if (!trees_proc.empty() && umount2(trees_proc.c_str(), MNT_DETACH) != 0) return errno;
  if (chdir(root.c_str()) != 0) return errno;
  if (syscall(SYS_pivot_root, ".", ".") != 0) return errno;
  if (umount2(".", MNT_DETACH) != 0) return errno;
  return chdir("/") == 0 ? 0 : errno;
}

// Last of all: from here on whoever listens must let us go on.
void BoxChild::OfferListener() const {
  const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  // Without it a signal would make the same call be told of twice (Linux 5.19).
  long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                          flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &watch_filter);
  if (listener < 0 && errno == EINVAL)
    listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &watch_filter);
  SendListener(watch, static_cast<int>(listener), listener < 0 ? errno : 0);
}

void BoxChild::RunScanner() const {
  if (terminal) {
    setsid();
    for (const int stream : {0, 1, 2}) dup2(out, stream);
    ioctl(0, TIOCSCTTY, 0);
  }
  if (!interactive) {
    setsid();
    const int null = open("/dev/null", O_RDONLY);
    if (null >= 0) dup2(null, 0);
    dup2(out, 1);
    dup2(err, 2);
    const rlimit processes = {kMaxProcesses, kMaxProcesses},
                 file_size = {kMaxFileSize, kMaxFileSize};
    setrlimit(RLIMIT_NPROC, &processes);
    setrlimit(RLIMIT_FSIZE, &file_size);
  }
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  syscall(SYS_close_range, 3, ~0U,
          4 /* CLOSE_RANGE_CLOEXEC: the report pipe must live until exec */);
  umask(022);
  for (int number = 1; number < 32; ++number) signal(number, SIG_DFL);

  // The raw calls: glibc's would make every thread of this copied process follow, and there are
  // none.
  if (set_groups && syscall(SYS_setgroups, groups.size(), groups.data()) != 0)
    Fail(BoxStep::kIdentity, errno);
  if (syscall(SYS_setgid, gid) != 0) Fail(BoxStep::kIdentity, errno);
  if (uid == 0) {
    if (const int failure = DropCapabilities(); failure != 0) Fail(BoxStep::kIdentity, failure);
  }
  if (syscall(SYS_setuid, uid) != 0) Fail(BoxStep::kIdentity, errno);
  if (chdir(working_directory.c_str()) != 0) Fail(BoxStep::kWorkingDirectory, errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail(BoxStep::kIdentity, errno);
  if (filter.len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0)
    Fail(BoxStep::kNetwork, errno);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (watch >= 0) OfferListener();
  execve(argv[0], argv.data(), environment.data());
  Fail(BoxStep::kExec, errno);
  _exit(127);
}

void BoxChild::RunInit() const {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  CloseOthers();
  // Whoever started us may have died before that was asked for: then nobody reads our report any
  // more.
  pollfd reader = {report, 0, 0};
  if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0) _exit(126);
  if (!interactive || terminal) setsid();  // what our terminal says is not meant for the init
  if (const int failure = MountRoot(); failure != 0) Fail(BoxStep::kMounts, failure);
  if (loopback) {
    if (const int failure = RaiseLoopback(); failure != 0) Fail(BoxStep::kNetwork, failure);
  }
  const pid_t scanner =
      static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (scanner == 0) RunScanner();
  BoxReport told;
  if (scanner < 0) Fail(BoxStep::kExec, errno);
  close(out);
  close(err);
  if (watch >= 0) close(watch);
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended == scanner) {
      told.wait_status = status;
      break;
    }
    if (ended < 0 && errno != EINTR) break;
  }
  if (getpid() == 1) kill(-1, SIGKILL);  // outside a pid namespace this would be everybody
  for (int status = 0; waitpid(-1, &status, 0) > 0;)
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ++told.left_over;
  // A failed exec has told its story already; this second report is read only after a first that
  // says kRunning.
  _exit(write(report, &told, sizeof told) == sizeof told ? 0 : 126);
}

}  // namespace gpustage
