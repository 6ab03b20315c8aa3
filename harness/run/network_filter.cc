#include "harness/run/network_filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "harness/base/root.h"

namespace gpustage {

Result<std::vector<sock_filter>> BoxFilter(bool network) {
  const std::unique_ptr<void, void (*)(void*)> context(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  const auto failed = [](int code) { return Error{fmt::format("cannot make the seccomp filter: {}", std::strerror(-code))}; };
  if (!context) return failed(-ENOMEM);
  if (const int code = seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0); code != 0)
    return failed(code);
  if (!network) {
    for (const int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)})
      if (const int code = seccomp_rule_add(context.get(), SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
                                            SCMP_A0(SCMP_CMP_NE, AF_UNIX));
          code != 0)
        return failed(code);
  }
  const Fd file(memfd_create("filter", MFD_CLOEXEC));
  if (!file) return failed(-errno);
  if (const int code = seccomp_export_bpf(context.get(), file.get()); code != 0) return failed(code);
  const off_t bytes = lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<size_t>(bytes) / sizeof(sock_filter));
  if (pread(file.get(), program.data(), static_cast<size_t>(bytes), 0) != bytes) return failed(-errno);
  return program;
}

}  // namespace gpustage
