#include "harness/diagnose/packages.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/path/families.h"
#include "harness/scenario/catalog/fixtures.h"

namespace gpustage {
namespace {

// What one operation of a layout leaves at its path. Layouts only place, link and write.
void Install(const TreeOp& op, FlatTree& tree) {
  FlatEntry entry;
  if (const auto* placed = std::get_if<PlaceLibraryOp>(&op.what)) {
    if (!placed->source.missing.empty()) return;
    entry.kind = FlatEntry::Kind::kLibrary;
    entry.source = placed->source;
    entry.mode = placed->mode.value_or(0755);
    tree[placed->path] = entry;
  } else if (const auto* link = std::get_if<SymlinkOp>(&op.what)) {
    entry.kind = FlatEntry::Kind::kLink;
    entry.mode = 0777;
    entry.text = link->to;
    tree[link->path] = entry;
  } else if (const auto* file = std::get_if<WriteFileOp>(&op.what)) {
    entry.text = file->content;
    entry.mode = file->mode.value_or(0644);
    tree[file->path] = entry;
  }
}

bool IsAs(const FlatEntry& there, const FlatEntry& installed) {
  return there.kind == installed.kind && there.text == installed.text &&
         there.source == installed.source && !there.machine;
}

bool Has(const std::vector<Installed>& list, const FlatEntry& entry) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Installed& one) { return one.entry == entry; });
}

// The directory that both are below.
std::string CommonStart(std::string directory, const std::string& path) {
  while (directory != "/" && !path.starts_with(directory + "/")) directory = ParentOf(directory);
  return directory;
}

// Whose GPUs a library of the family serves.
enum class Maker { kAny, kNvidia, kAmd };
Maker MakerOf(Family family) {
  switch (family) {
    case Family::kRuntime:
    case Family::kBlas:
    case Family::kDriver:
    case Family::kManagement: return Maker::kNvidia;
    case Family::kHip:
    case Family::kHsa:
    case Family::kSmi: return Maker::kAmd;
    default: return Maker::kAny;
  }
}

// Each library once, as a file of the name by which it is asked for.
FlatTree ByTheirNames(const FlatTree& installed) {
  FlatTree named = installed;
  for (const auto& [path, entry] : installed) {
    if (entry.kind != FlatEntry::Kind::kLink) continue;
    const auto end = installed.find(RealPath(installed, path));
    named.erase(path);
    // "libcudart.so" is for who links, "libcudart.so.12" for who loads.
    if (end == installed.end() || path.ends_with(".so")) continue;
    named.erase(end->first);
    named[path] = end->second;
  }
  return named;
}

}  // namespace

Result<Packages> Packages::Read(const Catalog& catalog) {
  Packages packages;
  Fixtures fixtures(catalog);
  for (const std::string& name : gpustage::NamesIn(catalog.layouts, ".yaml")) {
    TRY(const Layout layout,
        ReadLayoutFile(fmt::format("{}/{}.yaml", catalog.layouts, name), fixtures));
    for (const TreeOp& op : layout.tree) Install(op, packages.packages_[name]);
  }
  for (const auto& [name, tree] : packages.packages_)
    for (const auto& [path, entry] : tree)
      if (entry.kind == FlatEntry::Kind::kLibrary &&
          std::find(packages.images_.begin(), packages.images_.end(), entry.source) ==
              packages.images_.end())
        packages.images_.push_back(entry.source);
  // Its two functions say that there is no display.
  for (const LibrarySource& image : packages.images_)
    if (image.kind == LibrarySource::Kind::kFake && image.name == "x11") packages.hollow_ = image;
  return packages;
}

Packages Packages::For(const Machine& machine) const {
  const bool nvidia = !machine.devices.empty();
  const bool amd = std::any_of(machine.others.begin(), machine.others.end(),
                               [](const GpuDevice& device) { return !device.gfx.empty(); });
  Packages some = *this;
  std::erase_if(some.packages_, [&](const auto& package) {
    bool of_nvidia = false, of_amd = false;
    for (const auto& [path, entry] : package.second) {
      const Maker maker = MakerOf(FamilyOfLibrary(BaseNameOf(path)));
      of_nvidia = of_nvidia || maker == Maker::kNvidia;
      of_amd = of_amd || maker == Maker::kAmd;
    }
    return (of_nvidia && !of_amd && !nvidia && amd) || (of_amd && !of_nvidia && !amd && nvidia);
  });
  return some;
}

double Packages::Presence(const std::string& package, const FlatTree& tree) const {
  const FlatTree& installed = packages_.at(package);
  if (installed.empty()) return 0;
  const auto as_installed = std::count_if(installed.begin(), installed.end(), [&](const auto& one) {
    const auto there = tree.find(one.first);
    return there != tree.end() && IsAs(there->second, one.second);
  });
  return static_cast<double>(as_installed) / static_cast<double>(installed.size());
}

void Packages::SortByPresence(std::vector<Installed>& found, const FlatTree& tree) const {
  std::map<std::string, double> presence;
  for (const Installed& one : found) presence[one.package] = Presence(one.package, tree);
  std::stable_sort(found.begin(), found.end(), [&](const Installed& a, const Installed& b) {
    return presence[a.package] > presence[b.package];
  });
  std::vector<Installed> once;
  for (Installed& one : found)
    if (!Has(once, one.entry)) once.push_back(std::move(one));
  found = std::move(once);
}

std::vector<Installed> Packages::At(const std::string& path, const FlatTree& tree) const {
  std::vector<Installed> found;
  for (const auto& [name, installed] : packages_)
    if (const auto one = installed.find(path); one != installed.end())
      found.push_back({name, one->second});
  SortByPresence(found, tree);
  return found;
}

std::vector<Installed> Packages::Named(const std::string& name, const FlatTree& tree) const {
  std::vector<Installed> found;
  for (const auto& [package, installed] : packages_)
    for (const std::string& path : FilesNamed(installed, name))
      found.push_back({package, installed.at(RealPath(installed, path))});
  SortByPresence(found, tree);
  return found;
}

bool Packages::HasSibling(const std::string& directory, const std::string& name,
                          const FlatTree& tree) const {
  for (const auto& [package, installed] : packages_)
    for (const std::string& path : FilesNamed(installed, name))
      for (const auto& [other, entry] : installed)
        if (ParentOf(other) == ParentOf(path) && BaseNameOf(other) != name &&
            HasPath(tree, directory + "/" + BaseNameOf(other)))
          return true;
  return false;
}

bool Packages::IsExpected(const std::string& path, const FlatTree& tree) const {
  return std::any_of(packages_.begin(), packages_.end(), [&](const auto& package) {
    return package.second.count(path) != 0 && Presence(package.first, tree) > 0;
  });
}

std::vector<Packages::Folder> Packages::FoldersMissingIn(const FlatTree& tree) const {
  std::vector<Folder> folders;
  for (const auto& [name, installed] : packages_) {
    std::map<std::string, FlatTree> of;  // by directory; "" is the whole package
    std::string top;
    for (const auto& [path, entry] : installed) {
      of[ParentOf(path)][path] = entry;
      of[""][path] = entry;
      top = top.empty() ? ParentOf(path) : CommonStart(top, path);
    }
    if (of.size() < 3) of.erase("");
    for (auto& [directory, entries] : of) {
      const bool any = std::any_of(entries.begin(), entries.end(),
                                   [&](const auto& one) { return HasPath(tree, one.first); });
      if (!any && entries.size() > 1)
        folders.push_back({name, directory.empty() ? top : directory, ByTheirNames(entries)});
    }
  }
  return folders;
}

std::vector<Packages::Folder> Packages::Backends() const {
  std::vector<Folder> backends;
  for (const auto& [package, installed] : packages_)
    for (const auto& [path, backend] : installed) {
      const std::string stem = BaseNameOf(path).substr(0, BaseNameOf(path).find(".so")) + ".so";
      if (backend.kind != FlatEntry::Kind::kLibrary ||
          (stem != "libggml-cuda.so" && stem != "libggml-hip.so"))
        continue;
      FlatTree beside;
      for (const auto& [other, entry] : installed)
        if (const Family family = FamilyOfLibrary(BaseNameOf(other));
            ParentOf(other) == ParentOf(path) && MakerOf(family) != Maker::kAny &&
            family != Family::kDriver && family != Family::kManagement)
          beside[other] = entry;
      Folder folder{package, stem, {{BaseNameOf(path), backend}}};
      for (const auto& [other, entry] : ByTheirNames(beside))
        folder.entries[BaseNameOf(other)] = entry;
      // One that leans on a toolkit elsewhere is nothing to be put into another folder, and the
      // same from another package is no other.
      if (folder.entries.size() > 1 &&
          std::none_of(backends.begin(), backends.end(),
                       [&](const Folder& known) { return known.entries == folder.entries; }))
        backends.push_back(std::move(folder));
    }
  return backends;
}

std::vector<std::string> Packages::PathsIn(const FlatTree& tree) const {
  std::vector<std::string> paths;
  for (const auto& [name, installed] : packages_)
    if (Presence(name, tree) > 0)
      for (const auto& [path, entry] : installed) paths.push_back(path);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

std::vector<std::string> Packages::NamesIn(const std::string& directory) const {
  std::set<std::string> names;
  for (const auto& [name, installed] : packages_)
    for (const auto& [path, entry] : installed)
      if (ParentOf(path) == directory) names.insert(BaseNameOf(path));
  return {names.begin(), names.end()};
}

std::vector<std::string> Packages::Directories() const {
  std::set<std::string> directories;
  for (const auto& [name, installed] : packages_)
    for (const auto& [path, entry] : installed) directories.insert(ParentOf(path));
  return {directories.begin(), directories.end()};
}

}  // namespace gpustage
