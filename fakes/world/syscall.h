// System calls made directly. A fake runs inside other people's programs, often beside libraries
// that replace open, read or mmap of libc; what it records and where its world comes from must not
// depend on them.
#pragma once

#include <sys/syscall.h>

#include <cerrno>

namespace gpustage::world {

// Returns what the kernel returns: -errno on failure, errno itself stays as it is.
inline long SystemCall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                       long f = 0) {
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "no system call sequence for this architecture"
#endif
}

template <typename T>
long SystemCall(long number, T* pointer, long b = 0, long c = 0) {
  return SystemCall(number, reinterpret_cast<long>(pointer), b, c);
}

inline int ProcessId() { return static_cast<int>(SystemCall(SYS_getpid)); }
inline int ThreadId() { return static_cast<int>(SystemCall(SYS_gettid)); }

// Memory from the kernel, or null. Pages are zero and 4096-aligned.
void* MapMemory(unsigned long bytes, int protection);
void UnmapMemory(void* memory, unsigned long bytes);

// The whole file, or null; `bytes` receives its size. `writable`: shared with everybody who maps
// it.
void* MapFile(const char* path, bool writable, unsigned long* bytes);

void SleepMilliseconds(unsigned milliseconds);
[[noreturn]] void SleepForEver();
[[noreturn]] void Exit(int status);

// Reads the beginning of a file into `buffer`; returns how many bytes, 0 when it cannot be read.
// `unseen`: for our own ends, not in a driver's place, so it is no event of the scanner's files.
long ReadFile(const char* path, char* buffer, long size, bool unseen = false);
void WriteError(const char* text, unsigned long bytes);

}  // namespace gpustage::world
