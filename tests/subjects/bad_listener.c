// For LD_PRELOAD into gpustage: a kernel that fails when it is asked what a process did.
// BAD_LISTENER says at which call of the two, from which one on and how many times, and with which
// errno: "send 3 1000 115".
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...) {
  va_list more;
  va_start(more, request);
  void* argument = va_arg(more, void*);
  va_end(more);
  static int asked;
  const char* plan = getenv("BAD_LISTENER");
  char call[8] = "";
  int from = 0, times = 0, error = 0;
  if (plan != NULL && sscanf(plan, "%7s %d %d %d", call, &from, &times, &error) == 4) {
    const unsigned long bad =
        strcmp(call, "send") == 0 ? SECCOMP_IOCTL_NOTIF_SEND : SECCOMP_IOCTL_NOTIF_RECV;
    if (request == bad && ++asked >= from && asked < from + times) {
      errno = error;
      return -1;
    }
  }
  return (int)syscall(SYS_ioctl, fd, request, argument);
}
