#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/base/root.h"
#include "harness/diagnose/flat_case.h"
#include "harness/stage/build.h"

namespace gpustage {
namespace {

struct Walked {
  struct stat is = {};
  std::string link;
};
using Walk = std::map<std::string, Walked>;

// Of ours, and made anew for every tree. The loader's cache is told apart (IsOlderCache).
bool IsOurs(const std::string& path) { return path == "/.gpustage" || path == kLoaderCache; }

void WalkBelow(const std::string& root, const std::string& path, Walk& walk) {
  DIR* const opened = opendir((root + path).c_str());
  if (opened == nullptr) return;
  while (const dirent* entry = readdir(opened)) {
    const std::string name = entry->d_name;
    const std::string here = path + "/" + name;
    if (name == "." || name == ".." || IsOurs(here)) continue;
    Walked& found = walk[here];
    if (lstat((root + here).c_str(), &found.is) != 0) continue;
    if (S_ISLNK(found.is.st_mode)) {
      char text[PATH_MAX];
      const ssize_t n = readlink((root + here).c_str(), text, sizeof text);
      if (n > 0) found.link.assign(text, static_cast<size_t>(n));
    }
    if (S_ISDIR(found.is.st_mode)) WalkBelow(root, here, walk);
  }
  closedir(opened);
}

// A file as the kernel maps it: those of NVIDIA have hundreds of MB.
class Mapped {
 public:
  explicit Mapped(const std::string& path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat found;
    if (!fd || fstat(fd.get(), &found) != 0 || found.st_size == 0) return;
    size_ = static_cast<size_t>(found.st_size);
    void* const at = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (at != MAP_FAILED) bytes_ = at;
  }
  ~Mapped() {
    if (bytes_ != nullptr) munmap(bytes_, size_);
  }
  Mapped(const Mapped&) = delete;
  // Empty files are the same, unreadable ones are not.
  bool Is(const Mapped& other) const {
    if (size_ != other.size_) return false;
    if (size_ == 0) return true;
    return bytes_ != nullptr && other.bytes_ != nullptr &&
           std::memcmp(bytes_, other.bytes_, size_) == 0;
  }

 private:
  void* bytes_ = nullptr;
  size_t size_ = 0;
};

bool SameBytes(const std::string& a, const std::string& b) { return Mapped(a).Is(Mapped(b)); }

// Whether the loader's cache is not what ldconfig would write of the tree now.
Result<bool> IsOlderCache(const StagedTree& tree) {
  static constexpr char kNew[] = "/.gpustage/ld.so.cache";
  if (!tree.own_cache) return false;
  TRY(WriteLoaderCache(tree.root, kNew));
  const std::string root = tree.root.host_path();
  return !SameBytes(root + kLoaderCache, root + kNew);
}

bool Same(const Walked& a, const std::string& a_path, const Walked& b, const std::string& b_path) {
  if (a.is.st_mode != b.is.st_mode || a.is.st_uid != b.is.st_uid || a.is.st_gid != b.is.st_gid ||
      a.link != b.link)
    return false;
  if (!S_ISREG(a.is.st_mode)) return true;
  if (a.is.st_dev == b.is.st_dev && a.is.st_ino == b.is.st_ino) return true;
  return a.is.st_size == b.is.st_size && SameBytes(a_path, b_path);
}

// Takes the stamp out of the bytes of a fake. The path of its world; none: it has no stamp.
std::optional<std::string> Unstamp(std::string& image) {
  const std::string_view magic(world::kStampMagic, sizeof world::kStampMagic);
  std::optional<std::string> found;
  for (size_t at = image.find(magic); at != std::string::npos;
       at = image.find(magic, at + magic.size())) {
    if (at + sizeof(world::Stamp) > image.size()) break;
    world::Stamp stamp;
    std::memcpy(&stamp, image.data() + at, sizeof stamp);
    if (stamp.instance == 0 || stamp.world[0] != '/') continue;
    found = stamp.world;
    stamp.instance = stamp.mark = 0;
    std::memset(stamp.world, 0, sizeof stamp.world);
    std::memset(stamp.journal, 0, sizeof stamp.journal);
    std::memcpy(image.data() + at, &stamp, sizeof stamp);
  }
  return found;
}

// What stands behind the last '-' of "/.gpustage/world-7"; 0: the machine's own.
uint32_t InstanceOf(const std::string& world) {
  const size_t dash = world.rfind('-');
  return dash == std::string::npos
             ? 0
             : static_cast<uint32_t>(std::strtoul(world.c_str() + dash + 1, nullptr, 10));
}

class Flattener {
 public:
  Flattener(const StagedCase& staged, const KnownImages& known,
            std::map<uint32_t, PlaceLibraryOp> placed)
      : root_(staged.tree.root.host_path()), known_(known), placed_(std::move(placed)) {}

  FlatTree Tree(const Walk& walk, const Walk& plain, const std::string& plain_root) {
    FlatTree tree;
    for (const auto& [path, there] : plain)
      if (walk.count(path) == 0 && walk.count(ParentOf(path)) + (ParentOf(path) == "/") != 0)
        tree[path].kind = FlatEntry::Kind::kAbsent;
    for (const auto& [path, there] : walk) {
      const auto usual = plain.find(path);
      if (usual != plain.end() && Same(there, root_ + path, usual->second, plain_root + path))
        continue;
      FlatEntry entry = Entry(path, there);
      entry.replaces = usual != plain.end() &&
                       (usual->second.is.st_mode & S_IFMT) != (there.is.st_mode & S_IFMT);
      tree[path] = std::move(entry);
    }
    return tree;
  }

 private:
  FlatEntry Entry(const std::string& path, const Walked& there) {
    FlatEntry entry;
    entry.mode = there.is.st_mode & 07777;
    entry.uid = there.is.st_uid;
    entry.gid = there.is.st_gid;
    if (S_ISDIR(there.is.st_mode)) {
      entry.kind = FlatEntry::Kind::kDirectory;
    } else if (S_ISLNK(there.is.st_mode)) {
      entry.kind = FlatEntry::Kind::kLink;
      entry.text = there.link;
      entry.mode = 0777;
    } else {
      const auto [first, is_new] =
          names_.emplace(std::pair(there.is.st_dev, there.is.st_ino), path);
      if (!is_new) entry.same_as = first->second;
      Content(path, there, entry);
    }
    return entry;
  }

  // Short text is a file; everything else is known to a package, or stays where it lies.
  void Content(const std::string& path, const Walked& there, FlatEntry& entry) {
    constexpr off_t kMostText = 4096;
    const std::string host = root_ + path;
    for (const LibrarySource& image : known_) {
      struct stat other;
      if (image.kind == LibrarySource::Kind::kFake || stat(image.host_path.c_str(), &other) != 0 ||
          other.st_size != there.is.st_size || !SameBytes(host, image.host_path))
        continue;
      entry.kind = FlatEntry::Kind::kLibrary;
      entry.source = image;
      return;
    }
    Result<std::string> image = ReadFile(host);
    std::string bytes = image ? *std::move(image) : "";
    if (there.is.st_size <= kMostText && !bytes.starts_with("\x7f"
                                                            "ELF")) {
      entry.kind = FlatEntry::Kind::kFile;
      entry.text = std::move(bytes);
      return;
    }
    entry.kind = FlatEntry::Kind::kLibrary;
    entry.source = {LibrarySource::Kind::kFile, path, host, ""};
    const std::optional<std::string> world = Unstamp(bytes);
    if (world)
      if (const auto own = placed_.find(InstanceOf(*world)); own != placed_.end()) {
        entry.machine = own->second.machine;
        entry.archs = own->second.archs;
      }
    for (const LibrarySource& fake : known_)
      if (fake.kind == LibrarySource::Kind::kFake && BytesOf(fake) == bytes) entry.source = fake;
    // Its stamp is made anew, which only a whole fake takes.
    if (entry.source.kind == LibrarySource::Kind::kFile && world) {
      const std::string bare = fmt::format("{}/.gpustage/bare-{}", root_, ++bare_);
      if (WriteFile(bare, bytes)) {
        entry.source = {LibrarySource::Kind::kFake, path, bare, ""};
      }
    }
  }

  const std::string& BytesOf(const LibrarySource& fake) {
    std::string& bytes = fakes_[fake.host_path];
    if (bytes.empty())
      if (Result<std::string> read = ReadFile(fake.host_path)) bytes = *std::move(read);
    return bytes;
  }

  const std::string root_;
  const KnownImages& known_;
  const std::map<uint32_t, PlaceLibraryOp> placed_;  // that have a world of their own
  std::map<std::string, std::string> fakes_;
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
  int bare_ = 0;
};

// Only this run, in the tree that the runs before it leave.
Case WithOneRun(const Case& c, size_t run) {
  Case one = c;
  size_t place = 0;
  DropRuns(one.runs, [&](const RunSpec&) { return place++ != run; });
  RunSpec& spec = one.runs.front();
  one.tree.insert(one.tree.end(), spec.change.begin(), spec.change.end());
  spec.change.clear();
  // Others of our fakes, which this scanner wants in every tree.
  for (TreeOp& op : one.tree)
    if (auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
        placed != nullptr && placed->source.kind == LibrarySource::Kind::kFake)
      if (const auto other = spec.scanner.stand_ins.find(placed->source.name);
          other != spec.scanner.stand_ins.end())
        placed->source = other->second;
  spec.scanner.stand_ins.clear();
  return one;
}

// Without a word of its author's.
void MakeAnonymous(Case& c) {
  const std::vector<std::string> environment = EnvironmentOf(c, c.runs.front());
  RunSpec& run = c.runs.front();
  c.user = run.user.value_or(c.user);
  run.user.reset();
  c.groups = run.groups.value_or(c.groups);
  run.groups.reset();
  run.env.clear();
  run.scanner.env.clear();
  run.scanner.release.clear();
  run.scanner.release_folders.clear();
  run.pos = {};
  run.fixed = false;
  run.name = run.scanner.name;
  c.env.clear();
  for (const char* plain : {"HOME", "LANG", "PATH"}) c.env.push_back({plain, std::nullopt, {}});
  for (const std::string& text : environment) {
    const size_t equal = text.find('=');
    const std::string name = text.substr(0, equal);
    std::erase_if(c.env, [&](const EnvVar& variable) { return variable.name == name; });
    c.env.push_back({name, text.substr(equal + 1), {}});
  }
  std::sort(c.env.begin(), c.env.end(),
            [](const EnvVar& a, const EnvVar& b) { return a.name < b.name; });
  for (auto* devices : {&c.machine.devices, &c.machine.boards})
    for (GpuDevice& device : *devices) device.profile.clear();
  for (FaultSpec& fault : c.machine.faults) fault.pos = {};
  c.id = c.scenario = c.file = c.claim = "";
  c.source.clear();
  c.tags.clear();
  c.axes.clear();
  c.tree.clear();
  c.expect.clear();
  c.xfail.reset();
  c.suspect.reset();
}

}  // namespace

Result<FlatCase> Flatten(const Case& c, size_t run, const KnownImages& known, CaseRunner& runner) {
  const Case one = WithOneRun(c, run);
  if (const std::string& missing = one.runs.front().scanner.missing; !missing.empty())
    return Error{missing};
  if (const std::string why = runner.CannotStage(one); !why.empty()) return Error{why};
  TRY(const std::vector<HostFile> base, runner.BaseFor(one));
  TRY(const StagePlan plan, PlanStage(one, base, runner.CanSetOwners()));
  TRY(std::shared_ptr<StagedCase> staged, runner.Build(plan));
  TRY(runner.PutReleaseFiles(one, one.runs.front(), *staged));

  FlatCase flat;
  flat.c = one;
  MakeAnonymous(flat.c);
  TRY(const StagePlan plain_plan, PlanStage(flat.c, base, runner.CanSetOwners()));
  TRY(const std::unique_ptr<StagedCase> plain, runner.Build(plain_plan));

  std::map<uint32_t, PlaceLibraryOp> own;
  for (const PlanStep& step : plan.steps)
    if (const auto* placed = std::get_if<PlaceLibraryOp>(&step.op.what);
        placed != nullptr && (placed->machine || !placed->archs.empty()))
      own.insert_or_assign(step.instance, *placed);
  Walk there, usual;
  WalkBelow(staged->tree.root.host_path(), "", there);
  WalkBelow(plain->tree.root.host_path(), "", usual);
  TRY(const bool older, IsOlderCache(staged->tree));
  if (older) {
    Walked& cache = there[kLoaderCache];
    if (lstat((staged->tree.root.host_path() + kLoaderCache).c_str(), &cache.is) != 0)
      there.erase(kLoaderCache);
    usual[kLoaderCache];  // a plain system has one
  }
  Flattener flattener(*staged, known, std::move(own));
  flat.tree = flattener.Tree(there, usual, plain->tree.root.host_path());
  flat.store = std::move(staged);
  return flat;
}

}  // namespace gpustage
