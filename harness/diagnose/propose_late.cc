// Changes to which nothing that was seen points: what a person does when nothing else helped.
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/diagnose/propose.h"
#include "harness/scenario/model/users.h"
#include "harness/stage/identity.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

class Late {
 public:
  Late(const FlatCase& flat, const SeenByRun& looked, const ProposalContext& knowledge)
      : flat_(flat), looked_(looked), knowledge_(knowledge) {}

  std::vector<Intervention> All() {
    const std::optional<Identity> user = FindUser(flat_.c.user);
    ProposeFound(flat_, looked_, false, kLate, all_);
    if (user) Owners(*user);
    Users();
    if (user) Groups(*user);
    Links();
    Folders();
    Orders();
    Runtimes();
    Drivers();
    Layouts();
    return std::move(all_);
  }

 private:
  void Add(Kind kind, const std::string& subject, const std::string& value = "", int number = 0) {
    all_.push_back(Change(kind, kLate, subject, value));
    all_.back().number = number;
  }

  // What was looked at of the tree, at its real place.
  template <typename Use>
  void ForEachSeen(const Use& use) const {
    for (const std::string& path : looked_.paths)
      if (const auto there = flat_.tree.find(path);
          there != flat_.tree.end() && there->second.kind != FlatEntry::Kind::kAbsent)
        use(path, there->second);
  }

  // A program may want what it reads to be its user's, or root's.
  void Owners(const Identity& user) {
    constexpr int kMost = 4;
    int of_user = 0, of_root = 0;
    ForEachSeen([&](const std::string& path, const FlatEntry& entry) {
      if (entry.kind == FlatEntry::Kind::kLink || entry.uid == user.uid) return;
      const bool refused = std::any_of(
          looked_.refused.begin(), looked_.refused.end(),
          [&](const Refusal& refusal) { return RealPath(flat_.tree, refusal.path) == path; });
      // What belongs to root is every system's, and is no reason by itself.
      if ((entry.uid != 0 || refused) && ++of_user <= kMost) Add(Kind::kChown, path, flat_.c.user);
      if (entry.uid != 0 && ++of_root <= kMost) Add(Kind::kChown, path, "root");
    });
  }

  void Users() {
    for (const KnownUser& user : kUsers)
      if (user.name != flat_.c.user && user.name != "root")
        Add(Kind::kUser, "user", std::string(user.name));
  }

  // Those whose something is that was looked at.
  void Groups(const Identity& user) {
    for (const KnownGroup& group : kGroups) {
      bool any = false;
      ForEachSeen([&](const std::string&, const FlatEntry& entry) {
        any = any || (entry.gid != 0 && entry.gid == group.gid && entry.gid != user.gid);
      });
      if (any) Add(Kind::kGroup, "user", std::string(group.name));
    }
  }

  // A link as a copy of its end, by its other reading, and to another file of its name.
  void Links() {
    constexpr int kMost = 4;
    int count = 0;
    ForEachSeen([&](const std::string& path, const FlatEntry& entry) {
      const std::string end = RealPath(flat_.tree, path);
      if (entry.kind != FlatEntry::Kind::kLink || !HasPath(flat_.tree, end) || ++count > kMost)
        return;
      Add(Kind::kCopy, path, end);
      if (!entry.text.starts_with('/')) Add(Kind::kLink, path, end);
      for (const std::string& other : FilesNamed(flat_.tree, BaseNameOf(path)))
        if (RealPath(flat_.tree, other) != end) Add(Kind::kLink, path, other);
    });
  }

  // A whole directory that was listed or looked at: what is in others first.
  void Folders() {
    constexpr size_t kMost = 6;
    std::vector<std::string> folders;
    ForEachSeen([&](const std::string& path, const FlatEntry& entry) {
      const bool system = path == "/usr" || path == "/etc" || path.starts_with("/usr/lib/x86_64");
      if (entry.kind == FlatEntry::Kind::kDirectory && !system) folders.push_back(path);
    });
    std::reverse(folders.begin(), folders.end());
    for (size_t i = 0; i < folders.size() && i < kMost; ++i) Add(Kind::kRemove, folders[i]);
  }

  void Orders() {
    for (const EnvVar& variable : flat_.c.env)
      if (variable.value && variable.name != "LD_LIBRARY_PATH" && variable.name.ends_with("PATH"))
        ProposeOrders(variable, kLate, all_);
  }

  // What was loaded, as another package has it.
  void Runtimes() {
    constexpr int kMost = 6;
    int count = 0;
    for (const std::string& path : looked_.loaded)
      for (const Installed& installed : knowledge_.packages.Named(BaseNameOf(path), flat_.tree)) {
        const auto there = flat_.tree.find(path);
        if (there == flat_.tree.end() || there->second.source == installed.entry.source ||
            installed.entry.kind != FlatEntry::Kind::kLibrary || ++count > kMost)
          continue;
        Add(Kind::kInstall, path, installed.package, kNotItsOwn);
        all_.back().entry = installed.entry;
      }
  }

  // One that an older program knows.
  void Drivers() {
    constexpr int kOlder[] = {12080, 11080};
    for (const int version : kOlder)
      if (flat_.c.machine.cuda_version > version) Add(Kind::kCudaVersion, "driver", "", version);
  }

  void Layouts() {
    static constexpr const char* kNames[] = {"of the driver's", "of CUDA 12", "of CUDA 13"};
    const bool runtime = std::any_of(
        looked_.loaded.begin(), looked_.loaded.end(),
        [](const std::string& path) { return BaseNameOf(path).starts_with("libcudart.so"); });
    for (int i = 1; runtime && i < static_cast<int>(std::size(kNames)); ++i)
      Add(Kind::kLayout, "cudaDeviceProp", kNames[i], i);
  }

  const FlatCase& flat_;
  const SeenByRun& looked_;
  const ProposalContext& knowledge_;
  std::vector<Intervention> all_;
};

}  // namespace

std::vector<Intervention> ProposeLate(const FlatCase& flat, const SeenByRun& looked,
                                      const ProposalContext& knowledge) {
  return Late(flat, looked, knowledge).All();
}

}  // namespace gpustage
