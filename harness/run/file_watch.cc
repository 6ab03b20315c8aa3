#include "harness/run/file_watch.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/run/file_listener.h"

namespace gpustage {
namespace {

// What the child sends; with it comes the descriptor when error is 0.
struct Word {
  int error = 0;
};

union Control {
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr align;
};

// The listener, or none and why.
Fd ReceiveListener(int channel, int& error) {
  Word word;
  iovec part = {&word, sizeof word};
  Control control = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t n;
  while ((n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  error = n == static_cast<ssize_t>(sizeof word) ? word.error : ECHILD;  // it ended before
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (error != 0 || header == nullptr || header->cmsg_type != SCM_RIGHTS) return Fd();
  int fd;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

// This thread only, so the raw calls: glibc's would take all threads along. It may read other
// processes as before.
void TakeFileIds(const FileWatchSpec& spec) {
  if (!spec.take_ids || spec.uid == 0) return;
  syscall(SYS_setgroups, spec.groups.size(), spec.groups.data());
  syscall(SYS_setfsgid, spec.gid);
  syscall(SYS_setfsuid, spec.uid);
  // With these ids the kernel takes /proc/self from us, the whole process, and the maps of boxes
  // that are cloned from it (fs/exec.c, commit_creds). We are who we were.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

// What `box` tells is a pidfd.
void EndBox(std::future<int>& box) {
  syscall(SYS_pidfd_send_signal, box.get(), SIGKILL, nullptr, 0);
}

void Serve(const FileWatchSpec& spec, int channel, std::future<int>& box, std::future<void>& over,
           FileLog& log) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  int error = 0;
  const Fd listener = ReceiveListener(channel, error);
  if (!listener) {
    log.note = error == EBUSY ? "another program listens to the system calls of this one"
               : error == ECHILD
                   ? "the scanner was not started"
                   : fmt::format("the kernel gives no listener: {}", std::strerror(error));
    return;
  }
  log.recorded = true;
  FileListener heard(spec, listener.get(), log, [&spec] { TakeFileIds(spec); });
  if (const Status heard_all = heard.UntilEnd(); !heard_all) {
    log.failure = heard_all.error().message;
    EndBox(box);
  }
  // How a process ended is told once somebody has waited for it: when the box is gone, Finish says
  // so.
  over.wait();
  heard.WriteEnds();
}

}  // namespace

Result<std::unique_ptr<FileWatch>> FileWatch::Start(FileWatchSpec spec) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{fmt::format("cannot make a channel to the box: {}", std::strerror(errno))};
  std::unique_ptr<FileWatch> watch(new FileWatch(std::move(spec), Fd(ends[0]), Fd(ends[1])));
  watch->thread_ = std::thread([&watch = *watch] {
    std::future<int> box = watch.box_.get_future();
    std::future<void> over = watch.over_.get_future();
    try {
      Serve(watch.spec_, watch.ours_.get(), box, over, watch.log_);
    } catch (...) {
      watch.thrown_ = std::current_exception();
      if (watch.log_.recorded && box.valid()) EndBox(box);
    }
  });
  return watch;
}

FileWatch::~FileWatch() {
  if (thread_.joinable()) Join();
}

FileLog FileWatch::Finish() {
  Join();
  if (thrown_) std::rethrow_exception(thrown_);
  return std::move(log_);
}

void FileWatch::Join() {
  CloseChannel();
  over_.set_value();
  thread_.join();
}

int SendListener(int channel, int listener, int error) {
  Word word = {error};
  iovec part = {&word, sizeof word};
  Control control = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (error == 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof listener);
    std::memcpy(CMSG_DATA(header), &listener, sizeof listener);
  }
  return sendmsg(channel, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof word) ? 0 : errno;
}

void OfferListener(int channel, const sock_fprog& filter) {
  const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  // Without it a signal would make the same call be told of twice (Linux 5.19).
  long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                          flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &filter);
  if (listener < 0 && errno == EINVAL)
    listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  SendListener(channel, static_cast<int>(listener), listener < 0 ? errno : 0);
}

}  // namespace gpustage
