#include "harness/run/box_filter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "fakes/world/format.h"
#include "harness/base/root.h"

namespace gpustage {
namespace {

// libseccomp 2.5 writes through the null that malloc(3) gave it (gen_bpf.c), so it is asked where
// more is left than a filter of ours takes; another thread may still take it in between. By
// mmap(2), for what malloc(3) maps and frees changes what it keeps from then on (mallopt(3)).
class Room {
 public:
  Room() : at_(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (at_ == MAP_FAILED) throw std::bad_alloc();
  }
  Room(const Room&) = delete;
  ~Room() { Free(); }
  void Free() {
    if (at_ != MAP_FAILED) munmap(std::exchange(at_, MAP_FAILED), kBytes);
  }

 private:
  static constexpr size_t kBytes = 8 << 20;
  void* at_;
};

// Rules on top of "everything is allowed"; the first that cannot be added is remembered.
class Rules {
 public:
  Rules()
      : context_(seccomp_init(SCMP_ACT_ALLOW), seccomp_release), code_(context_ ? 0 : -ENOMEM) {}

  void Add(uint32_t action, int call, std::initializer_list<scmp_arg_cmp> when = {}) {
    if (code_ == 0)
      code_ = seccomp_rule_add_array(context_.get(), action, call,
                                     static_cast<unsigned>(when.size()), when.begin());
  }

  Result<std::vector<sock_filter>> Program() {
    const auto failed = [](int code) {
      return Error{fmt::format("cannot make the seccomp filter: {}", std::strerror(-code))};
    };
    if (code_ != 0) return failed(code_);
    const Fd file(memfd_create("filter", MFD_CLOEXEC));
    if (!file) return failed(-errno);
    room_.Free();
    if (const int code = seccomp_export_bpf(context_.get(), file.get()); code != 0)
      return failed(code);
    const off_t bytes = lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> program(static_cast<size_t>(bytes) / sizeof(sock_filter));
    if (pread(file.get(), program.data(), static_cast<size_t>(bytes), 0) != bytes)
      return failed(-errno);
    return program;
  }

 private:
  Room room_;
  std::unique_ptr<void, void (*)(void*)> context_;
  int code_;
};

}  // namespace

Result<std::vector<sock_filter>> BoxFilter(bool network) {
  Rules rules;
  rules.Add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup));
  // By handle a file of a shown directory's file system is opened past every root.
  rules.Add(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open_by_handle_at));
  rules.Add(SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(name_to_handle_at));
  // What is kept in a keyring stays when the box has gone.
  for (const int call : {SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl)})
    rules.Add(SCMP_ACT_ERRNO(ENOSYS), call);
  // They type into the terminal that `exec` lends; the kernel looks at 32 bits of the number.
  for (const scmp_datum_t request : {TIOCSTI, TIOCLINUX})
    rules.Add(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl),
              {SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, request)});
  if (!network)
    for (const int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)})
      rules.Add(SCMP_ACT_ERRNO(EAFNOSUPPORT), call, {SCMP_A0(SCMP_CMP_NE, AF_UNIX)});
  return rules.Program();
}

Result<std::vector<sock_filter>> WatchFilter(uint32_t mark) {
  Rules rules;
  const scmp_arg_cmp not_ours = SCMP_A5(SCMP_CMP_NE, world::OwnCall(mark));
  for (const int call : {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
                         SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(faccessat),
                         SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat)})
    rules.Add(SCMP_ACT_NOTIFY, call, {not_ours});
  // fstat is such a call too, and says nothing about a name.
  rules.Add(SCMP_ACT_NOTIFY, SCMP_SYS(newfstatat), {SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0)});
  rules.Add(SCMP_ACT_NOTIFY, SCMP_SYS(statx), {SCMP_A2(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0)});
  for (const int call :
       {SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(execve), SCMP_SYS(execveat),
        SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(wait4), SCMP_SYS(waitid)})
    rules.Add(SCMP_ACT_NOTIFY, call);
  for (const int call : {SCMP_SYS(write), SCMP_SYS(writev)})
    for (const scmp_datum_t stream : {1, 2})
      rules.Add(SCMP_ACT_NOTIFY, call, {SCMP_A0(SCMP_CMP_EQ, stream)});
  return rules.Program();
}

}  // namespace gpustage
