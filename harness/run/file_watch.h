// Watches what the processes of one box ask of the file system. The kernel stops each at a call
// that WatchFilter names and tells us; a thread of ours writes it down and lets the kernel go on.
// No ptrace, so a debugger works inside.
//
// From an idea of seccomp_unotify(2). Not a sandbox: between our look and the kernel's, a process
// may change what it asks for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/run/file_record.h"

struct sock_fprog;

namespace gpustage {

struct FileWatchSpec {
  uid_t uid = 0;  // whose answers count
  gid_t gid = 0;
  std::vector<gid_t> groups;
  bool take_ids = true;                  // false where there is one id only, ours
  bool fresh_proc = false;               // the box's /proc has the box's pids
  std::string program;                   // argv[0]: the first exec, whose memory may be ours still
  std::vector<std::string> own_streams;  // links such as "pipe:[71]" that come to us anyway
};

class FileWatch {
 public:
  // The thread waits for the box's first word. An Error when no channel can be made.
  static Result<std::unique_ptr<FileWatch>> Start(FileWatchSpec spec);
  FileWatch(const FileWatch&) = delete;
  ~FileWatch();

  // Where the box says who listens (SendListener). It is the child's; ours must be closed once
  // there is a child.
  int channel() const { return theirs_.get(); }
  void CloseChannel() { theirs_.Close(); }
  // The init of the box, which has begun: when the watching fails it is killed, for the next call
  // of a process in it would wait for ever.
  void SetBox(int pidfd) { box_.set_value(pidfd); }
  // When everything in the box has ended, or it never began. Throws what the thread could not go on
  // for, lack of memory say; where it listened already, it has ended the box then.
  FileLog Finish();

 private:
  FileWatch(FileWatchSpec spec, Fd ours, Fd theirs)
      : spec_(std::move(spec)), ours_(std::move(ours)), theirs_(std::move(theirs)) {}
  void Join();

  const FileWatchSpec spec_;
  Fd ours_, theirs_;
  FileLog log_;
  std::exception_ptr thrown_;
  std::promise<int> box_;    // its pidfd
  std::promise<void> over_;  // of the box
  std::thread thread_;
};

// In the child: hands over the descriptor that seccomp(2) gave, or tells the errno with which it
// gave none. Makes system calls only. 0 or an errno.
int SendListener(int channel, int listener, int error);

// In the child, last of all: from here on whoever listens must let it go on.
void OfferListener(int channel, const sock_fprog& filter);

}  // namespace gpustage
