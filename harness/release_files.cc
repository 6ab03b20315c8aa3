// What a scanner has of its own release stands in the tree where the tree's was, until another run
// needs that back.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "harness/base/files.h"
#include "harness/case_runner.h"

namespace gpustage {

// The program that the case's first run with a program at `path` has there; it stands from the
// start.
std::string ProgramAt(const Case& c, const std::string& path) {
  for (const RunSpec& run : c.runs)
    if (run.scanner.at == path && !run.scanner.program.empty()) return run.scanner.program;
  return "";
}

namespace {

bool IsTakenAway(const Case& c, const RunSpec& spec, const std::string& path) {
  for (const auto* ops : {&c.tree, &spec.change})
    for (const TreeOp& op : *ops)
      if (const auto* removed = std::get_if<RemoveOp>(&op.what);
          removed != nullptr && removed->path == path)
        return true;
  return false;
}

// The files of its release that staged in a folder of the tree beside what is there.
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
  const Result<Place> place = root.FindPlace(path);
  return place &&
         fstatat(place->directory.get(), place->name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

std::string Aside(const std::string& path) {
  std::string name = path;
  std::replace(name.begin(), name.end(), '/', '%');
  return "/.gpustage/aside/" + name;
}

// In place of what has the name.
Status Move(const Root& root, const std::string& from, const std::string& to) {
  TRY(const Place source, root.FindPlace(from));
  TRY(const Place target, root.MakePlace(to));
  if (renameat(source.directory.get(), source.name.c_str(), target.directory.get(),
               target.name.c_str()) != 0)
    return Error{
        fmt::format("cannot move {} to {} in the tree: {}", from, to, std::strerror(errno))};
  return Ok();
}

}  // namespace

Status CaseRunner::PutReleaseFiles(const Case& c, const RunSpec& spec, StagedCase& staged) {
  std::vector<BroughtFile> release_files = ReleaseFilesOf(c, spec);
  const std::vector<BroughtFile> beside = FolderFiles(c, spec);
  if (release_files == staged.release_files && beside.empty()) return Ok();
  const Root& root = staged.tree.root;
  struct stat found;
  for (const BroughtFile& own : staged.release_files)
    if (Stands(root, Aside(own.path), found)) {
      TRY(Move(root, Aside(own.path), own.path));
    } else {
      TRY(Move(root, own.path, Aside(own.path) + ".gone"));
    }
  staged.release_files.clear();
  const auto place = [&](const BroughtFile& own, mode_t mode) -> Status {
    std::error_code none;
    const std::string link =
        std::filesystem::read_symlink(own.host_path, none);  // "libggml.so.0", or ""
    TreeOp placing = {
        PlaceLibraryOp{
            own.path, {LibrarySource::Kind::kFile, own.path, own.host_path, ""}, {}, mode},
        {}};
    if (!link.empty()) placing.what = SymlinkOp{own.path, link};
    TRY(ApplySteps({{placing, 0}}, staged.private_copies, shared_, staged.tree));
    staged.release_files.push_back(own);
    return Ok();
  };
  for (const BroughtFile& own : release_files) {
    // What the scenario took away or made something else of stays as it is.
    if (!Stands(root, own.path, found) || !S_ISREG(found.st_mode)) continue;
    TRY(Move(root, own.path, Aside(own.path)));
    TRY(place(own, found.st_mode & 07777));
  }
  for (const BroughtFile& own : beside)
    if (!Stands(root, own.path, found) && Stands(root, ParentOf(own.path), found) &&
        S_ISDIR(found.st_mode))
      TRY(place(own, 0755));
  return Ok();
}

}  // namespace gpustage
