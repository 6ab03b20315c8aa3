#include "harness/stage/build.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/base/limits.h"
#include "harness/base/process.h"
#include "harness/stage/identity.h"
#include "harness/stage/library_image.h"
#include "harness/stage/world_file.h"

namespace gpustage {
namespace {

constexpr std::chrono::seconds kMostForCache{20};
// Smaller files are copied: a hard link to them saves nothing and could not have a mode of its own.
constexpr off_t kShareFrom = 256 << 10;
constexpr std::string_view kDeviceFolder = "/dev/";

Error Failed(std::string_view what, const std::string& path) {
  return {fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
}

Status RemoveAt(int directory, const std::string& name) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return Ok();
  if (errno != EISDIR) return Failed("remove", name);
  const Fd fd(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return Failed("remove", name);
  // /proc/self/fd keeps the walk on the opened directory, whatever its path is.
  RemoveTree(fmt::format("/proc/self/fd/{}/.", fd.get()));
  if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0) return Failed("remove", name);
  return Ok();
}

std::string OwnWorldPath(uint32_t instance) { return fmt::format("{}-{}", kWorldPath, instance); }

const std::string& PathOf(const TreeOp& op) {
  return std::visit([](const auto& what) -> const std::string& { return what.path; }, op.what);
}

// Makes each step; one overload an operation.
class Builder {
 public:
  Builder(StagedTree& tree, SharedFiles& shared, bool private_copies)
      : tree_(tree), root_(tree.root), shared_(shared), private_copies_(private_copies) {}

  Status Place(const std::string& host_path, const std::string& path,
               std::optional<FileMode> mode) {
    TRY(const Fd from, OpenRegularFile(host_path));
    struct stat source;
    if (fstat(from.get(), &source) != 0) return Failed("read", host_path);
    TRY(const DirEntryRef place, FreePlace(path));
    if (private_copies_ || mode || source.st_size < kShareFrom ||
        !tree_.shares.insert(host_path).second) {
      TRY(Count(source.st_size, path));
      return CopyInto(from, host_path, place, mode.value_or(0755));
    }
    TRY(const std::string copy, shared_.CopyOf(host_path));
    if (linkat(AT_FDCWD, copy.c_str(), place.directory.get(), place.name.c_str(), 0) != 0)
      return Failed("place", path);
    return Ok();
  }

  Status operator()(const MakeDirOp& op) {
    TRY(root_.MakeDirectory(op.path));
    return op.mode ? SetMode(op.path, *op.mode) : Ok();
  }
  Status operator()(const WriteFileOp& op) {
    if (tree_.real_nodes && op.path.starts_with(kDeviceFolder) &&
        op.content.starts_with(world::kNodeContent))
      return MakeNode(op);
    TRY(Count(static_cast<int64_t>(op.content.size()), op.path));
    return root_.WriteFile(op.path, op.content, op.mode.value_or(0644));
  }
  Status operator()(const SymlinkOp& op) const {
    TRY(const DirEntryRef place, FreePlace(op.path));
    if (symlinkat(op.to.c_str(), place.directory.get(), place.name.c_str()) != 0)
      return Failed("link", op.path);
    return Ok();
  }
  Status operator()(const HardLinkOp& op) {
    if (!root_.At(op.to, O_PATH | O_NOFOLLOW)) return Failed("hard-link", op.path);
    // So that both names stay one file when the mode of one is changed.
    TRY(Unshare(op.to, O_NOFOLLOW));
    TRY(const DirEntryRef from, root_.FindPlace(op.to));
    TRY(const DirEntryRef place, FreePlace(op.path));
    if (linkat(from.directory.get(), from.name.c_str(), place.directory.get(), place.name.c_str(),
               0) != 0)
      return Failed("hard-link", op.path);
    return Ok();
  }
  Status operator()(const CopyOp& op) {
    const Fd from = root_.ReadRegular(op.from);
    if (!from && errno == EINVAL)
      return Error{fmt::format("cannot copy from {}: not a regular file", op.from)};
    struct stat source;
    if (!from || fstat(from.get(), &source) != 0) return Failed("copy from", op.from);
    TRY(Count(source.st_size, op.path));
    TRY(const DirEntryRef place, FreePlace(op.path));
    return CopyInto(from, op.from, place, source.st_mode & 07777);
  }
  Status operator()(const ChmodOp& op) {
    TRY(Unshare(op.path, 0));
    return SetMode(op.path, op.mode);
  }
  Status operator()(const ChownOp& op) {
    TRY(Unshare(op.path, O_NOFOLLOW));
    const std::optional<Identity> user =
        op.user ? FindUser(*op.user) : Identity{static_cast<uid_t>(-1), 0, {}};
    const std::optional<gid_t> group = op.group ? FindGroup(*op.group) : static_cast<gid_t>(-1);
    if (!user)
      return Error{fmt::format(
          "no user {} in the tree; there are root, ollama, user, nobody and numbers", *op.user)};
    if (!group) return Error{fmt::format("no group {} in the tree", *op.group)};
    TRY(const DirEntryRef place, root_.FindPlace(op.path));
    if (fchownat(place.directory.get(), place.name.c_str(), user->uid, *group,
                 AT_SYMLINK_NOFOLLOW) != 0)
      return Failed("set the owner of", op.path);
    return Ok();
  }
  Status operator()(const LdconfigOp&) const { return WriteLoaderCache(root_); }
  Status operator()(const RemoveOp& op) const {
    TRY(const DirEntryRef place, root_.FindPlace(op.path));
    if (faccessat(place.directory.get(), place.name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0)
      return Failed("remove", op.path);
    return RemoveAt(place.directory.get(), place.name);
  }

  Status Library(const PlaceLibraryOp& op, const PlanStep& step) {
    const uint32_t instance = step.instance;
    const std::string& own_world = step.world;
    GPUSTAGE_CHECK(op.source.missing.empty());  // such a case is skipped before it is staged
    const bool whole = op.broken.empty();
    if (op.source.kind != LibrarySource::Kind::kFake && whole)
      return Place(op.source.host_path, op.path, op.mode);
    const bool start_is_enough =
        op.broken.size() == 1 && op.broken[0].kind == Breakage::Kind::kTruncated;
    TRY(std::string image, ReadRegularFile(op.source.host_path,
                                           start_is_enough ? static_cast<size_t>(op.broken[0].bytes)
                                                           : limits::kTreeBytes));
    TRY(Count(static_cast<int64_t>(image.size()), op.path));
    const std::string world = own_world.empty() ? kWorldPath : OwnWorldPath(instance);
    if (!own_world.empty()) TRY(root_.WriteFile(world, own_world, 0644));
    // What is left of a broken one may have no stamp any more.
    if (op.source.kind == LibrarySource::Kind::kFake &&
        !StampImage(image, instance, tree_.mark, world) && whole)
      return Error{
          fmt::format("the fake {} has no stamp: {}", op.source.name, op.source.host_path)};
    if (!step.lacked.empty() && !start_is_enough) {
      TRY(image, WithoutSymbols(std::move(image), step.lacked));
    }
    // A name that this driver has not yet cannot be taken from it.
    std::vector<Breakage> broken = op.broken;
    for (Breakage& how : broken)
      std::erase_if(how.names, [&](const std::string& name) {
        return std::find(step.lacked.begin(), step.lacked.end(), name) != step.lacked.end();
      });
    TRY(const std::string made, BreakImage(std::move(image), broken));
    return root_.WriteFile(op.path, made, op.mode.value_or(0755));
  }

 private:
  // The name that its content says, wherever it stands: a node of another is none of the device.
  Status MakeNode(const WriteFileOp& op) {
    const std::string said = op.content.substr(std::strlen(world::kNodeContent));
    const std::string name = said.substr(0, said.find('\n'));
    const world::DeviceNumber number = world::DeviceNumberOf(name.c_str());
    if (said != name + "\n" || number.major == 0)
      return Error{
          fmt::format("{} is no node of a driver that a character device can be; how it fails "
                      "stands in faults: {{node: {}, errno: EIO}}",
                      op.path, op.path)};
    TRY(const DirEntryRef place, FreePlace(op.path));
    if (mknodat(place.directory.get(), place.name.c_str(), S_IFCHR | 0600,
                makedev(number.major, number.minor)) != 0)
      return Failed("make the node", op.path);
    return SetMode(op.path, op.mode.value_or(0644));
  }

  Status SetMode(const std::string& path, FileMode mode) const {
    const Fd fd = root_.At(path, O_PATH);
    if (!fd || chmod(fmt::format("/proc/self/fd/{}", fd.get()).c_str(), mode) != 0)
      return Failed("set the mode of", path);
    return Ok();
  }

  // Where `path` goes, with nothing there: a later step of a tree replaces an earlier one.
  Result<DirEntryRef> FreePlace(const std::string& path) const {
    TRY(DirEntryRef place, root_.MakePlace(path));
    TRY(RemoveAt(place.directory.get(), place.name));
    return place;
  }

  Status Count(int64_t bytes, const std::string& path) {
    tree_.bytes += bytes;
    if (tree_.bytes <= limits::kTreeBytes) return Ok();
    return Error{
        fmt::format("with {} the tree takes more than {} MiB", path, limits::kTreeBytes >> 20)};
  }

  // Gives the tree a copy of its own of a file that cases share, before its mode or owner changes.
  Status Unshare(const std::string& path, int no_follow) {
    const Fd fd = root_.At(path, O_PATH | no_follow);
    struct stat found;
    if (!fd || fstat(fd.get(), &found) != 0) return Failed("change", path);
    if (!S_ISREG(found.st_mode) || !shared_.Holds(found.st_dev, found.st_ino)) return Ok();
    TRY(Count(found.st_size, path));
    char real[4096];
    const ssize_t n =
        readlink(fmt::format("/proc/self/fd/{}", fd.get()).c_str(), real, sizeof real);
    const std::string_view name(real, static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (!name.starts_with(root_.host_path() + "/")) return Failed("change", path);
    // Where it is, links followed: looked up again inside the root, and not by its name outside.
    const Fd from = root_.ReadRegular(path);
    TRY(const DirEntryRef place,
        root_.FindPlace(std::string(name.substr(root_.host_path().size()))));
    const DirEntryRef own = {Fd(dup(place.directory.get())), place.name + ".own"};
    if (!from || !own.directory) return Failed("change", path);
    TRY(CopyInto(from, path, own, found.st_mode & 07777));
    if (renameat(own.directory.get(), own.name.c_str(), place.directory.get(),
                 place.name.c_str()) != 0)
      return Failed("change", path);
    return Ok();
  }

  StagedTree& tree_;
  const Root& root_;
  SharedFiles& shared_;
  const bool private_copies_;
};

}  // namespace

Status ApplySteps(const std::vector<PlanStep>& steps, bool private_copies, SharedFiles& shared,
                  StagedTree& tree) {
  Builder builder(tree, shared, private_copies);
  for (const PlanStep& step : steps) {
    // The cache is there to be changed or removed: ldconfig has run by then.
    if (PathOf(step.op) == kLoaderCache && !std::exchange(tree.own_cache, true))
      TRY(WriteLoaderCache(tree.root));
    if (!step.world.empty())
      tree.own_worlds.insert_or_assign(step.instance, std::get<PlaceLibraryOp>(step.op.what));
    Status done =
        std::holds_alternative<PlaceLibraryOp>(step.op.what)
            ? builder.Library(std::get<PlaceLibraryOp>(step.op.what), step)
            : std::visit(
                  [&](const auto& op) -> Status {
                    if constexpr (std::is_same_v<std::decay_t<decltype(op)>, PlaceLibraryOp>)
                      return Ok();
                    else
                      return builder(op);
                  },
                  step.op.what);
    if (done) continue;
    Error error = std::move(done).error();
    if (step.op.pos.line != 0) error.pos = step.op.pos;
    return error;
  }
  return Ok();
}

Status RestartAs(const Machine& machine, SharedFiles& shared, StagedTree& tree) {
  TRY(const std::vector<PlanStep> steps, PlanRestart(machine));
  TRY(ApplySteps(steps, false, shared, tree));
  for (const auto& [instance, placed] : tree.own_worlds) {
    TRY(const std::string world,
        WorldFile(Changed(machine, placed.machine.value_or(MachineChange{})), placed.archs));
    TRY(tree.root.WriteFile(OwnWorldPath(instance), world, 0644));
  }
  return Ok();
}

Status WriteLoaderCache(const Root& root, const std::string& path) {
  // -X: leave links alone. -i: no auxiliary cache. What it says of broken libraries is for their
  // owner, not for us.
  // It would wait for a FIFO that a scanner has left in place of one of its files.
  TRY(const ProgramOutput ran, RunProgram({"/sbin/ldconfig", "-X", "-i", "-r", root.host_path(),
                                           "-C", path, "-f", "/etc/ld.so.conf"},
                                          kMostForCache));
  if (ran.exit_code != 0) return Error{fmt::format("ldconfig failed on the tree: {}", ran.out)};
  return Ok();
}

namespace {

// As ldconfig writes it, or wrote it for a tree in which it read the same.
Status PutLoaderCache(const StagePlan& plan, KeptLoaderCaches& caches, const Root& root) {
  std::optional<LoaderCacheKey> key = LoaderCacheKeyOf(plan);
  if (key)
    if (const std::optional<std::string> kept = caches.Find(*key))
      return root.WriteFile(kLoaderCache, *kept, 0644);
  TRY(WriteLoaderCache(root));
  const Fd fd = root.ReadRegular(kLoaderCache);
  if (!key || !fd) return Ok();
  TRY(std::string cache, ReadFile(fmt::format("/proc/self/fd/{}", fd.get())));
  caches.Keep(*std::move(key), std::move(cache));
  return Ok();
}

}  // namespace

Result<StagedTree> BuildStage(const StagePlan& plan, const std::string& directory,
                              SharedFiles& shared) {
  if (chmod(directory.c_str(), 0755) != 0) return Failed("set the mode of", directory);
  TRY(Root root, Root::Open(directory));
  StagedTree tree{std::move(root)};
  tree.real_nodes = plan.real_nodes;
  if (getrandom(&tree.mark, sizeof tree.mark, 0) != sizeof tree.mark)
    return Error{"the kernel gives no random bytes"};
  TRY(ApplySteps(plan.skeleton, plan.private_copies, shared, tree));
  Builder builder(tree, shared, plan.private_copies);
  for (const HostFile& file : plan.base)
    TRY(builder.Place(file.host_path, file.path, std::nullopt));
  TRY(tree.root.WriteFile(kWorldPath, plan.world, 0644));
  TRY(ApplySteps(plan.nodes, plan.private_copies, shared, tree));
  TRY(ApplySteps(plan.steps, plan.private_copies, shared, tree));
  if (!tree.own_cache) TRY(PutLoaderCache(plan, shared.loader_caches(), tree.root));
  for (const PlanStep& step : plan.steps)
    tree.next_instance = std::max(tree.next_instance, step.instance + 1);
  return tree;
}

}  // namespace gpustage
