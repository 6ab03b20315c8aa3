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
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iterator>
#include <utility>

#include "harness/base/limits.h"
#include "harness/run/box_exec.h"
#include "harness/run/file_watch.h"
#include "harness/run/interrupt.h"

namespace gpustage {
namespace {

constexpr rlim_t kMaxFileSize = rlim_t{1} << 30;
// Whatever we have ourselves; Go programs raise the first to the second.
constexpr rlimit kDescriptors = {1024, 4096};

// What a service that runs as root may do to files, and no more: no mounts, no devices, no other
// processes.
// CAP_DAC_READ_SEARCH is not among them: with it open_by_handle_at(2) leaves every root.
constexpr unsigned kKeptCapabilities[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID,
                                          CAP_KILL,  CAP_SETGID,       CAP_SETUID};

// As container runtimes have it: for uid 0 these are settings of the machine and not of the box.
constexpr const char* kReadOnlyProc[] = {"/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs",
                                         "/proc/sysrq-trigger"};
constexpr const char* kMaskedProc[] = {"/proc/kcore", "/proc/keys", "/proc/timer_list"};

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

// In one network namespace all boxes share the abstract names of AF_UNIX sockets. Where the kernel
// can (Landlock ABI 6, Linux 6.12), each has its own; struct landlock_ruleset_attr as of then.
void KeepAbstractSocketsApart() {
  const struct {
    uint64_t files, network, scoped;
  } rules = {0, 0, 1 /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET */};
  const int ruleset =
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0));
  if (ruleset < 0) return;
  syscall(SYS_landlock_restrict_self, ruleset, 0);
  close(ruleset);
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

// A /proc of the box's own, in no place yet. -1: it is not to be had.
int FreshProc() {
  const int context = fsopen("proc", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int made = -1;
  if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
    made =
        fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  const int failure = errno;
  close(context);
  errno = failure;
  return made;
}

int Attach(int fd, const char* target) {
  const int moved =
      move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0
          ? 0
          : errno;
  close(fd);
  return moved;
}

}  // namespace

void BoxChild::Fail(BoxStep step, int error, int shown_at) const {
  const BoxReport told = {step, error, 0, 0, shown_at, -1};
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

// Before "/" is the tree, while what is to be shown still has its name.
void BoxChild::TakeShown() {
  for (size_t i = 0; i < shown.size(); ++i) {
    ShownMount& one = shown[i];
    const int which = static_cast<int>(i);
    one.fd = open_tree(AT_FDCWD, one.source.c_str(),
                       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (one.node ? 0 : AT_RECURSIVE));
    if (one.fd < 0) Fail(BoxStep::kShown, errno, which);
    mount_attr only_read = {};
    only_read.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | (one.node ? 0 : MOUNT_ATTR_NODEV);
    if (mount_setattr(one.fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &only_read, sizeof only_read) != 0)
      Fail(BoxStep::kShown, errno, which);
  }
}

// `proc` goes to its place; what of it is the machine's can then be read only, or not at all.
void BoxChild::MountProc(int proc) const {
  if (const int failure = Attach(proc, "/proc"); failure != 0) Fail(BoxStep::kMounts, failure);
  mount_attr only_read = {};
  only_read.attr_set = MOUNT_ATTR_RDONLY;
  for (const char* path : kReadOnlyProc) {
    const int part = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (part < 0 && errno == ENOENT) continue;
    if (part < 0 ||
        mount_setattr(part, "", AT_EMPTY_PATH | AT_RECURSIVE, &only_read, sizeof only_read) != 0)
      Fail(BoxStep::kMounts, errno);
    if (const int failure = Attach(part, path); failure != 0) Fail(BoxStep::kMounts, failure);
  }
}

void BoxChild::MountSpaces() const {
  for (const OwnSpace& space : spaces) {
    const int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) Fail(BoxStep::kMounts, errno);
    for (const auto& [key, value] : {std::pair{"size", &space.size},
                                     {"mode", &space.mode},
                                     {"uid", &space.uid},
                                     {"gid", &space.gid}})
      if (fsconfig(context, FSCONFIG_SET_STRING, key, value->c_str(), 0) != 0)
        Fail(BoxStep::kMounts, errno);
    int made = -1;
    if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
      made = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (made < 0) Fail(BoxStep::kMounts, errno);
    close(context);
    if (const int failure = Attach(made, space.path.c_str()); failure != 0)
      Fail(BoxStep::kMounts, failure);
  }
}

int BoxChild::FullSpace() const {
  for (size_t i = 0; i < spaces.size(); ++i) {
    struct statfs found;
    if (statfs(spaces[i].path.c_str(), &found) == 0 && found.f_blocks > 0 && found.f_bavail == 0)
      return static_cast<int>(i);
  }
  return -1;
}

// Everything of this machine is taken first, and put in its place once "/" is the tree: a link
// there then leads nowhere else, whatever a scenario or a scanner has made of it.
void BoxChild::MountRoot() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    Fail(BoxStep::kMounts, errno);
  TakeShown();
  int masks[std::size(kMaskedProc)];
  for (int& mask : masks)
    mask = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  const int proc =
      fresh_proc ? FreshProc()
                 : open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (proc < 0) Fail(BoxStep::kMounts, errno);
  // pivot_root wants a mount point.
  if (mount(root.c_str(), root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0 ||
      chdir(root.c_str()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
    Fail(BoxStep::kMounts, errno);
  // A node of the tree is there to be looked at. Those that are shown have mounts of their own.
  mount_attr no_devices = {};
  no_devices.attr_set = MOUNT_ATTR_NODEV;
  if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &no_devices, sizeof no_devices) != 0)
    Fail(BoxStep::kMounts, errno);
  MountSpaces();
  for (size_t i = 0; i < shown.size(); ++i)
    if (const int failure = Attach(shown[i].fd, shown[i].target.c_str()); failure != 0)
      Fail(BoxStep::kShown, failure, static_cast<int>(i));
  // The tree's own are taken while its /proc is still to be seen.
  for (size_t i = 0; i < proc_files.size(); ++i) {
    proc_fds[i] = open_tree(AT_FDCWD, proc_files[i].c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (proc_fds[i] < 0) Fail(BoxStep::kMounts, errno);
  }
  MountProc(proc);
  for (size_t i = 0; i < proc_files.size(); ++i)
    if (const int failure = Attach(proc_fds[i], proc_files[i].c_str()); failure != 0)
      Fail(BoxStep::kMounts, failure);
  for (size_t i = 0; i < std::size(masks); ++i)
    if (const int failure = Attach(masks[i], kMaskedProc[i]); failure != 0 && failure != ENOENT)
      Fail(BoxStep::kMounts, failure);
}

void BoxChild::RunScanner() const {
  if (terminal) {
    setsid();
    for (const int stream : {0, 1, 2}) dup2(out, stream);
    ioctl(0, TIOCSCTTY, 0);
  }
  if (!interactive) {
    setsid();
    // Without waiting: an earlier scanner may have left a FIFO of that name.
    const int null = open("/dev/null", O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (null >= 0 && fcntl(null, F_SETFL, 0) == 0) dup2(null, 0);
    dup2(out, 1);
    dup2(err, 2);
    const rlimit most = {limits::kProcesses, limits::kProcesses},
                 file_size = {kMaxFileSize, kMaxFileSize};
    setrlimit(RLIMIT_NPROC, &most);
    setrlimit(RLIMIT_FSIZE, &file_size);
    setrlimit(RLIMIT_NOFILE, &kDescriptors);
    const rlimit data = {static_cast<rlim_t>(memory_limit), static_cast<rlim_t>(memory_limit)};
    if (memory_limit > 0) setrlimit(RLIMIT_DATA, &data);
  }
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  syscall(SYS_close_range, 3, ~0U,
          4 /* CLOSE_RANGE_CLOEXEC: the report pipe must live until exec */);
  umask(022);
  for (int number = 1; number < 32; ++number) signal(number, SIG_DFL);

  if (chdir(working_directory.c_str()) == 0) {
    const ProgramTrouble trouble = LookAtProgram(argv[0]);
    if (trouble == ProgramTrouble::kMagicLink) Fail(BoxStep::kMagicLink, ELOOP);
    if (trouble == ProgramTrouble::k32Bit) Fail(BoxStep::k32Bit, ENOEXEC);
  }
  TakeIdentity();
  if (chdir(working_directory.c_str()) != 0) Fail(BoxStep::kWorkingDirectory, errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail(BoxStep::kIdentity, errno);
  KeepAbstractSocketsApart();
  if (filter.len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0)
    Fail(BoxStep::kNetwork, errno);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (watch >= 0) OfferListener(watch, watch_filter);
  execve(argv[0], argv.data(), environment.data());
  Fail(BoxStep::kExec, errno);
  _exit(127);
}

namespace {

pid_t told_of_signals = 0;

void PassOn(int signal) { kill(told_of_signals, signal); }

// A program that has our own streams stands for us: whoever ends us means it. Of an interrupt the
// terminal tells it by itself.
void PassSignalsOn(pid_t program) {
  told_of_signals = program;
  for (const int number : {SIGTERM, SIGHUP}) signal(number, PassOn);
}

// The program runs before its parent does again: what comes until then waits. An init without a
// handler would never see it.
void HoldSignals(int how) {
  sigset_t passed;
  sigemptyset(&passed);
  for (const int number : {SIGTERM, SIGHUP}) sigaddset(&passed, number);
  sigprocmask(how, &passed, nullptr);
}

}  // namespace

void BoxChild::TakeIdentity() const {
  // The raw calls: glibc's would make every thread of this copied process follow, and there are
  // none.
  if (set_groups && syscall(SYS_setgroups, groups.size(), groups.data()) != 0)
    Fail(BoxStep::kIdentity, errno);
  if (syscall(SYS_setgid, gid) != 0) Fail(BoxStep::kIdentity, errno);
  if (uid == 0) {
    if (const int failure = DropCapabilities(); failure != 0) Fail(BoxStep::kIdentity, failure);
  }
  if (syscall(SYS_setuid, uid) != 0) Fail(BoxStep::kIdentity, errno);
}

void BoxChild::RunInit() {
  // A listener may just have taken another's ids, and whoever maps ours needs our /proc.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ForgetInterrupts();
  if (go >= 0) {
    close(go_end);
    char byte;
    ssize_t n;
    while ((n = read(go, &byte, 1)) < 0 && errno == EINTR) {
    }
    if (n != 1) _exit(126);  // whoever started us is gone
  }
  // Where it may not be entered nothing is counted, and the run is a run all the same.
  if (processes >= 0 && write(processes, "0", 1) != 1) errno = 0;
  CloseOthers();
  // Whoever started us may have died before that was asked for: then nobody reads our report any
  // more.
  pollfd reader = {report, 0, 0};
  if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0) _exit(126);
  if (!interactive || terminal) setsid();  // what our terminal says is not meant for the init
  MountRoot();
  if (loopback) {
    if (const int failure = RaiseLoopback(); failure != 0) Fail(BoxStep::kNetwork, failure);
  }
  // It needs no copy of all our memory: it executes, or ends, and until then we wait.
  const bool stands_for_us = interactive && !terminal;
  if (stands_for_us) HoldSignals(SIG_BLOCK);
  const pid_t scanner = vfork();
  if (scanner == 0) RunScanner();
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // which it was no more once the scanner took its ids
  if (stands_for_us) {
    PassSignalsOn(scanner);
    HoldSignals(SIG_UNBLOCK);
  }
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
  told.full = FullSpace();
  if (getpid() == 1) kill(-1, SIGKILL);  // outside a pid namespace this would be everybody
  for (int status = 0; waitpid(-1, &status, 0) > 0;)
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ++told.left_over;
  // A failed exec has told its story already; this second report is read only after a first that
  // says kRunning.
  _exit(write(report, &told, sizeof told) == sizeof told ? 0 : 126);
}

}  // namespace gpustage
