// What a scenario does to paths that nothing made: known before anything is staged where a name is
// nearly that of something that is there. What the machine lends a tree is not known here.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/scenario/read/readers.h"

namespace gpustage {
namespace {

constexpr int kMostLinks = 40;
constexpr int kMostDevices = 32;

// The names of a tree, as its operations make them.
class Names {
 public:
  Names() {
    for (const char* name : {"bin", "sbin", "lib", "lib64"})
      links_[fmt::format("/{}", name)] = fmt::format("/usr/{}", name);
    for (const char* made : {"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                             "/usr/lib64",
                             "/usr/bin",
                             "/usr/sbin",
                             "/usr/local/bin",
                             "/usr/local/lib",
                             "/usr/share/ollama",
                             "/etc/passwd",
                             "/etc/group",
                             "/etc/hosts",
                             "/etc/nsswitch.conf",
                             "/etc/ld.so.conf",
                             "/etc/ld.so.cache",
                             "/etc/ld.so.conf.d/libc.conf",
                             "/etc/ld.so.conf.d/x86_64-linux-gnu.conf",
                             "/dev/shm",
                             "/dev/nvidiactl",
                             "/dev/nvidia-uvm",
                             "/proc",
                             "/sys",
                             "/run",
                             "/var/tmp",
                             "/tmp",
                             "/home/user",
                             "/root"})
      Add(made);
    for (int i = 0; i < kMostDevices; ++i) Add(fmt::format("/dev/nvidia{}", i));
  }

  // Where it lies, links on its way followed; the last one only when `follow`.
  std::string Real(const std::string& path, bool follow) const {
    std::string now = path;
    for (int links = 0; links < kMostLinks; ++links) {
      const std::string next = Step(now, follow);
      if (next == now) return now;
      now = next;
    }
    return now;
  }
  void Add(const std::string& path) {
    for (std::string at = Real(path, false); at.size() > 1; at = ParentOf(at)) names_.insert(at);
  }
  void AddLink(const std::string& path, const std::string& to) {
    const std::string at = Real(path, false);
    Add(at);
    links_[at] = LexicallyNormal(to.starts_with('/') ? to : ParentOf(at) + "/" + to);
  }
  void Remove(const std::string& path) {
    const std::string at = Real(path, false);
    const auto is_below = [&](const std::string& name) {
      return name == at || name.starts_with(at + "/");
    };
    std::erase_if(names_, is_below);
    std::erase_if(links_, [&](const auto& link) { return is_below(link.first); });
  }
  // What was probably meant by a path that is not there: its first name that is not, in a directory
  // that is.
  std::optional<std::string> Nearest(const std::string& path, bool follow) const {
    const std::string real = Real(path, follow);
    if (names_.contains(real)) return std::nullopt;
    for (size_t end = real.find('/', 1);; end = real.find('/', end + 1)) {
      const std::string begin = real.substr(0, end);
      if (!names_.contains(begin)) {
        const auto name = NearestWord(BaseNameOf(begin), In(ParentOf(begin)));
        if (!name) return std::nullopt;
        const std::string parent = ParentOf(begin) == "/" ? "" : ParentOf(begin);
        return parent + "/" + *name + (end == std::string::npos ? "" : real.substr(end));
      }
      if (end == std::string::npos) return std::nullopt;
    }
  }

 private:
  std::string Step(const std::string& path, bool follow) const {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string begin = path.substr(0, end);
      const auto link = links_.find(begin);
      if (link != links_.end() && (end != std::string::npos || follow))
        return LexicallyNormal(link->second + (end == std::string::npos ? "" : path.substr(end)));
      if (end == std::string::npos) return path;
    }
  }
  std::vector<std::string> In(const std::string& directory) const {
    std::vector<std::string> children;
    for (const std::string& name : names_)
      if (ParentOf(name) == directory) children.push_back(BaseNameOf(name));
    return children;
  }

  std::set<std::string> names_;
  std::map<std::string, std::string> links_;
};

class TreeCheck {
 public:
  void Place(const ScannerSpec& scanner) {
    if (!scanner.at.empty()) names_.Add(scanner.at);
    for (const BroughtFile& program : scanner.brings) names_.Add(program.path);
    for (const std::string& directory : scanner.host_directories) names_.Add(directory);
  }
  Status Do(const std::vector<TreeOp>& ops) {
    for (const TreeOp& op : ops) {
      pos_ = op.pos;
      TRY(std::visit([this](const auto& what) { return One(what); }, op.what));
    }
    return Ok();
  }

 private:
  Status Must(const std::string& path, bool follow) const {
    const auto nearest = names_.Nearest(path, follow);
    if (!nearest) return Ok();
    return Error{fmt::format("nothing made {}; did you mean {}?", Quote(path), Quote(*nearest)),
                 pos_};
  }
  template <typename Op>
  Status One(const Op& op) {  // makes its path
    names_.Add(op.path);
    return Ok();
  }
  Status One(const SymlinkOp& op) {
    names_.AddLink(op.path, op.to);
    return Ok();
  }
  Status One(const HardLinkOp& op) {
    TRY(Must(op.to, false));
    names_.Add(op.path);
    return Ok();
  }
  Status One(const CopyOp& op) {
    TRY(Must(op.from, true));
    names_.Add(op.path);
    return Ok();
  }
  Status One(const ChmodOp& op) { return Must(op.path, true); }
  Status One(const ChownOp& op) { return Must(op.path, false); }
  Status One(const RemoveOp& op) {
    TRY(Must(op.path, false));
    names_.Remove(op.path);
    return Ok();
  }

  Names names_;
  SourcePos pos_;
};

}  // namespace

Status CheckTree(const Case& c) {
  TreeCheck check;
  for (const RunSpec& run : c.runs) check.Place(run.scanner);
  TRY(check.Do(c.tree));
  for (const RunSpec& run : c.runs) TRY(check.Do(run.change));
  return Ok();
}

}  // namespace gpustage
