// What a process asked of the kernel about files, as the kernel's own filter told us: any process,
// static and Go programs included, whatever libraries it has. Paths and pids are those of the box.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/run/stream.h"

namespace gpustage {

enum class FileAct {
  kOpen,   // open, openat, openat2, creat
  kLook,   // stat and its family, access, readlink: a name was asked about
  kList,   // getdents: a directory's entries were read
  kExec,   // execve, execveat
  kWrite,  // to its standard output or error, where that does not come to us
  kExit,   // the process ended; one that asked for nothing is known of when its parent waits for it
           // or exits
};

struct FileRecord {
  int64_t time_ns = 0;  // CLOCK_MONOTONIC
  int pid = 0;
  int tid = 0;
  FileAct act = FileAct::kOpen;
  std::string call;  // "openat"
  std::string path;  // absolute; what a relative one was relative to stands before it
  std::vector<std::string>
      links;         // "/usr/lib/libcuda.so.1 -> libcuda.so.535": each that was followed, in order
  std::string real;  // what they ended at; "" when none was followed
  // The kernel goes on by itself after it has told us, so the answer is found by asking the same as
  // the same user just before.
  bool answered = false;  // false: not to be known (it makes the file, or a link of /proc that only
                          // the process itself can follow)
  int error = 0;          // errno; 0: it is there and may be used so
  bool writes = false;    // kOpen: for writing, or to make it
  // kExec: as it was called.
  int parent = 0;
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  // kWrite.
  Stream stream = Stream::kStderr;
  std::string bytes;
  // kExit.
  int code = 0;
  int signal = 0;
  friend bool operator==(const FileRecord&, const FileRecord&) = default;
};

// All of a run.
struct FileLog {
  std::vector<FileRecord> records;
  bool recorded = false;  // it was watched from its first exec on
  bool complete = true;   // false: there was more than we keep
  std::string note;       // why it was not watched
  std::string failure;    // of ours, for which the box was ended
  friend bool operator==(const FileLog&, const FileLog&) = default;
};

}  // namespace gpustage
