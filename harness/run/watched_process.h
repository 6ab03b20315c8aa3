// A process looked at from outside: one in a box while the kernel holds it in a call, or one of
// this machine that runs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/root.h"

namespace gpustage {

// A file of /proc/PID, whole. Nothing, and errno, where it cannot be read.
std::optional<std::string> ProcFileOf(pid_t process, const std::string& file);

// The ids of a thread.
struct ThreadIds {
  pid_t process = 0;  // as we see it
  int pid = 0;        // inside the box
  int tid = 0;
  int parent = 0;
};

// By the thread's id as we see it. Nothing when it is gone, or with what IsOurLack calls so in
// errno.
std::optional<ThreadIds> IdsOf(pid_t thread);

// Whether an errno says that we ourselves ran out of something, which is no answer of the
// scanner's.
bool IsOurLack(int error);

// Its children as we see them, also those that have ended and are not waited for. None where the
// kernel does not tell.
std::vector<pid_t> ChildrenOf(pid_t process);

// Its memory. Nothing when the address is none of its own, or it is gone.
std::optional<std::string> ReadText(pid_t thread, uint64_t address, size_t limit);
std::optional<std::string> ReadBytes(pid_t thread, uint64_t address, size_t bytes);
// A list of pointers that ends with a null one, such as argv, as far as `room` bytes go: what is
// taken of it is taken away from `room`, which is 0 when there was more.
std::vector<std::string> ReadTexts(pid_t thread, uint64_t address, size_t& room);
// Where one of its descriptors or its working directory is, as it would say: "/usr/lib",
// "pipe:[71]". "" when it has none.
std::string LinkOf(pid_t thread, const std::string& name);

// How a process ended, from its pidfd; nothing where the kernel does not tell (before 6.15) or it
// has not ended.
std::optional<int> WaitStatusOf(int pidfd);
// Whether it has ended and somebody has waited for it: the kernel will tell no more.
bool IsGone(int pidfd);

}  // namespace gpustage
