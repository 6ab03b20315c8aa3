// The loop that hears of each call, and what it makes of one.
#pragma once

#include <linux/seccomp.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/run/file_record.h"
#include "harness/run/file_watch.h"
#include "harness/run/watched_process.h"

namespace gpustage {

struct Wanted;
class FileListener {
 public:
  // `take_ids` is called once the box's root is open.
  FileListener(const FileWatchSpec& spec, int listener, FileLog& log,
               std::function<void()> take_ids)
      : spec_(spec), listener_(listener), log_(log), take_ids_(std::move(take_ids)) {}

  // Until no process with the filter is left. An Error when that cannot be known: nobody answers
  // the next call then.
  Status UntilEnd();
  // How each process ended. Once all are waited for.
  void WriteEnds();

 private:
  // A process from its first call to its end.
  struct WatchedProcess {
    ThreadIds ids;
    Fd pidfd;
    std::optional<int> exit_code;  // it asked to end with
    int64_t ended_ns = 0;
    std::optional<int> status;  // as wait(2) gives it
  };

  Status Hear();
  void Write(const seccomp_notif& told);
  void WriteNamed(const seccomp_notif& told, const struct NamedCall& call, FileRecord record);
  void WriteExec(const seccomp_notif& told, bool at, FileRecord record);
  void WriteList(const seccomp_notif& told, FileRecord record);
  void WriteOutput(const seccomp_notif& told, FileRecord record);
  void NoteChildren(pid_t process);
  void NoteEnd(pid_t process);
  void LetGo(bool all);
  const ThreadIds* Ids(pid_t thread);
  std::string PathOf(pid_t thread, const std::string& name) const;
  std::string Absolute(pid_t thread, const std::string& path, int directory) const;
  void Probe(FileRecord& record, const Wanted& wanted);
  void Unreadable();
  void Incomplete(const std::string& why);
  void Add(FileRecord record);

  const FileWatchSpec& spec_;
  const int listener_;
  FileLog& log_;
  const std::function<void()> take_ids_;
  Fd root_;
  std::string root_link_;  // where it is, as the kernel tells us
  std::map<pid_t, ThreadIds> threads_;
  std::map<pid_t, WatchedProcess> lives_;  // by the process's id as we see it
  std::vector<WatchedProcess> ended_;
  size_t held_ = 0;  // descriptors of those that have ended
  size_t kept_bytes_ = 0;
};

}  // namespace gpustage
