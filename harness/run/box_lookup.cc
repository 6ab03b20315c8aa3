#include "harness/run/box_lookup.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>

#include "harness/base/root.h"

namespace gpustage {
namespace {

constexpr int kMostLinks = 40;  // as in the kernel, MAXSYMLINKS

// No link is followed; one at the end is opened itself where `last_link` says so.
Fd OpenWithoutLinks(int root, const std::string& path, bool last_link, bool directory) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC | (last_link ? O_NOFOLLOW : 0U) | (directory ? O_DIRECTORY : 0U);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
  return Fd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

// The names of a path, the first first out.
std::deque<std::string> NamesOf(const std::string& path) {
  std::deque<std::string> names;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (end > at) names.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

// Follows the links of a path one by one, as the kernel does.
class Walk {
 public:
  Walk(int root, const std::string& path, Wanted wanted)
      : root_(root), wanted_(wanted), left_(NamesOf(path)) {}

  Fd End(LookUp& found) {
    Fd here;
    while (!left_.empty()) {
      const std::string name = left_.front();
      left_.pop_front();
      if (name == ".") continue;
      if (name == "..") {
        done_.erase(done_.find_last_of('/') == std::string::npos ? 0 : done_.find_last_of('/'));
        continue;
      }
      const std::string path = done_ + "/" + name;
      here = OpenWithoutLinks(root_, path, true, false);
      struct stat status;
      if (!here || fstat(here.get(), &status) != 0) return Stop(errno, found);
      if (!S_ISLNK(status.st_mode) || (left_.empty() && !wanted_.follow)) {
        done_ = path;
      } else if (path.starts_with("/proc/")) {
        found.known = false;  // where it leads depends on who asks
        return Fd();
      } else if (!Follow(here.get(), path, found)) {
        return Fd();
      }
    }
    found.real = done_.empty() ? "/" : done_;
    return OpenWithoutLinks(root_, found.real, !wanted_.follow, wanted_.directory);
  }

 private:
  bool Follow(int link, const std::string& path, LookUp& found) {
    char text[PATH_MAX];
    const ssize_t length = readlinkat(link, "", text, sizeof text);
    if (length <= 0 || static_cast<int>(found.links.size()) >= kMostLinks) {
      found.error = length <= 0 ? ENOENT : ELOOP;
      return false;
    }
    const std::string target(text, static_cast<size_t>(length));
    found.links.push_back(path + " -> " + target);
    if (target.starts_with('/')) done_.clear();
    if (target.ends_with('/') && left_.empty()) wanted_.directory = wanted_.follow = true;
    const std::deque<std::string> names = NamesOf(target);
    left_.insert(left_.begin(), names.begin(), names.end());
    return true;
  }

  Fd Stop(int error, LookUp& found) {
    found.error = error;
    return Fd();
  }

  const int root_;
  Wanted wanted_;
  std::deque<std::string> left_;
  std::string done_;  // canonical so far; "" is the root
};

}  // namespace

LookUp LookUpInBox(int root, const std::string& path, const Wanted& asked) {
  LookUp found;
  Wanted wanted = asked;
  if (path.ends_with('/')) wanted.directory = wanted.follow = true;
  Fd end = OpenWithoutLinks(root, path, !wanted.follow, wanted.directory);
  if (!end && errno != ELOOP) {
    found.error = errno;
    return found;
  }
  if (!end) end = Walk(root, path, wanted).End(found);
  if (!end) {
    if (found.known && found.error == 0) found.error = errno;
    return found;
  }
  struct stat status;
  if (wanted.link && fstat(end.get(), &status) == 0 && !S_ISLNK(status.st_mode))
    found.error = EINVAL;
  // By the effective ids, which for this thread are those of its file system ids.
  if (wanted.access != 0 &&
      syscall(SYS_faccessat2, end.get(), "", wanted.access, AT_EMPTY_PATH | AT_EACCESS) != 0)
    found.error = errno;
  return found;
}

}  // namespace gpustage
