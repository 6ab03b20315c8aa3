#include "harness/stage/release_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "harness/base/files.h"
#include "harness/stage/host_files.h"

namespace gpustage {

namespace {

bool IsTakenAway(const Case& c, const RunSpec& spec, const std::string& path) {
  for (const auto* ops : {&c.tree, &spec.change})
    for (const TreeOp& op : *ops)
      if (const auto* removed = std::get_if<RemoveOp>(&op.what);
          removed != nullptr && removed->path == path)
        return true;
  return false;
}

// The files of its release that stand in a folder of the tree beside what is there.
std::vector<BroughtFile> FolderFiles(const Case& c, const RunSpec& spec) {
  const ScannerSpec& scanner = spec.scanner;
  std::vector<BroughtFile> release_files;
  std::error_code none;
  for (const auto& [folder, host_folder] : scanner.release_folders)
    for (const auto& entry : std::filesystem::directory_iterator(host_folder, none))
      if (const std::string path = folder + "/" + entry.path().filename().string();
          entry.is_regular_file(none) && !IsTakenAway(c, spec, path))
        release_files.push_back({path, entry.path()});
  std::sort(release_files.begin(), release_files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return release_files;
}

// What this run's scanner has of its own where the tree as it was built has something else.
std::vector<BroughtFile> ReleaseFilesOf(const Case& c, const RunSpec& spec) {
  const ScannerSpec& scanner = spec.scanner;
  std::vector<BroughtFile> release_files;
  if (!scanner.at.empty() && ProgramAt(c, scanner.at) != scanner.program)
    release_files.push_back({scanner.at, scanner.program});
  for (const TreeOp& op : c.tree) {
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    if (placed == nullptr || placed->source.kind != LibrarySource::Kind::kFake ||
        !placed->broken.empty() || !placed->archs.empty())
      continue;
    const auto found = scanner.release.find(placed->source.name);
    if (found == scanner.release.end()) continue;
    const BroughtFile own = {placed->path, found->second};  // two layouts may have placed the same
    if (std::find(release_files.begin(), release_files.end(), own) == release_files.end())
      release_files.push_back(own);
  }
  return release_files;
}

bool Stands(const Root& root, const std::string& path, struct stat& found) {
  const Result<DirEntryRef> place = root.FindPlace(path);
  return place &&
         fstatat(place->directory.get(), place->name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

// Where what has this path waits.
std::string WaitingPlace(const std::string& path) {
  std::string name = path;
  std::replace(name.begin(), name.end(), '/', '%');
  return "/.gpustage/aside/" + name;
}

// In place of what has the name.
Status Move(const Root& root, const std::string& from, const std::string& to) {
  TRY(const DirEntryRef source, root.FindPlace(from));
  TRY(const DirEntryRef target, root.MakePlace(to));
  if (renameat(source.directory.get(), source.name.c_str(), target.directory.get(),
               target.name.c_str()) != 0)
    return Error{
        fmt::format("cannot move {} to {} in the tree: {}", from, to, std::strerror(errno))};
  return Ok();
}

}  // namespace

Status ReleaseFiles::PutBack(const Root& root) {
  struct stat found;
  for (const BroughtFile& own : installed_)
    if (Stands(root, WaitingPlace(own.path), found)) {
      TRY(Move(root, WaitingPlace(own.path), own.path));
    } else {
      TRY(Move(root, own.path, WaitingPlace(own.path) + ".gone"));
    }
  installed_.clear();
  return Ok();
}

Status ReleaseFiles::Install(const Case& c, const RunSpec& spec, bool private_copies,
                             SharedFiles& shared, StagedTree& tree) {
  std::vector<BroughtFile> release_files = ReleaseFilesOf(c, spec);
  const std::vector<BroughtFile> beside = FolderFiles(c, spec);
  if (release_files == installed_ && beside.empty()) return Ok();
  const Root& root = tree.root;
  TRY(PutBack(root));
  const auto place = [&](const BroughtFile& own, mode_t mode) -> Status {
    std::error_code none;
    const std::string link =
        std::filesystem::read_symlink(own.host_path, none);  // "libggml.so.0", or ""
    TreeOp placing = {
        PlaceLibraryOp{
            own.path, {LibrarySource::Kind::kFile, own.path, own.host_path, ""}, {}, mode},
        {}};
    if (!link.empty()) placing.what = SymlinkOp{own.path, link};
    TRY(ApplySteps({{placing, 0}}, private_copies, shared, tree));
    installed_.push_back(own);
    return Ok();
  };
  struct stat found;
  for (const BroughtFile& own : release_files) {
    // What the scenario took away or made something else of stays as it is.
    if (!Stands(root, own.path, found) || !S_ISREG(found.st_mode)) continue;
    TRY(Move(root, own.path, WaitingPlace(own.path)));
    TRY(place(own, found.st_mode & 07777));
  }
  for (const BroughtFile& own : beside)
    if (!Stands(root, own.path, found) && Stands(root, ParentOf(own.path), found) &&
        S_ISDIR(found.st_mode))
      TRY(place(own, 0755));
  return Ok();
}

}  // namespace gpustage
