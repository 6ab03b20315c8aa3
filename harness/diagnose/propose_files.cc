// Changes of files and links.
#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/diagnose/propose.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

Intervention Install(int tier, const std::string& path, const Installed& installed) {
  Intervention change = Change(Kind::kInstall, tier, path, installed.package);
  change.entry = installed.entry;
  if (installed.entry.kind == FlatEntry::Kind::kLink)
    return Change(Kind::kLink, tier, path, installed.entry.text);
  return change;
}

// "libcuda" of "libcuda.so.1".
std::string LibraryStem(const std::string& path) {
  const std::string name = BaseNameOf(path);
  return name.substr(0, name.find(".so"));
}

bool IsFile(const FlatTree& tree, const std::string& path) {
  const auto end = tree.find(RealPath(tree, path));
  return end != tree.end() && (end->second.kind == FlatEntry::Kind::kLibrary ||
                               end->second.kind == FlatEntry::Kind::kFile);
}

void Append(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

// One library that was not found: where it may go, and what may stand there.
class Supply {
 public:
  Supply(const FlatCase& flat, const Packages& packages, std::vector<Intervention>& all)
      : tree_(flat.tree), packages_(packages), all_(all) {}

  void Propose(const Lack& lack) {
    for (const std::string& directory : Places(lack)) {
      const std::string path = directory + "/" + lack.name;
      Beside(path);
      FromPackage(path);
      Elsewhere(path, lack.name);
    }
    StandIn(lack);
  }

 private:
  // Where others of its package stand; where a package has it; beside who asks, if that is
  // searched; then in the order of the search.
  std::vector<std::string> Places(const Lack& lack) const {
    constexpr size_t kMost = 3;
    std::vector<std::string> places;
    const auto searched = [&](const std::string& directory) {
      return std::find(lack.directories.begin(), lack.directories.end(), directory) !=
             lack.directories.end();
    };
    for (const std::string& directory : lack.directories)
      if (const std::string real = RealPath(tree_, directory);
          packages_.HasSibling(real, lack.name, tree_))
        Append(places, real);
    for (const bool there : {true, false})
      for (const std::string& directory : lack.directories)
        if (const std::string real = RealPath(tree_, directory);
            !packages_.At(real + "/" + lack.name, tree_).empty() && HasPath(tree_, real) == there)
          Append(places, real);
    if (searched(ParentOf(lack.requester)))
      Append(places, RealPath(tree_, ParentOf(lack.requester)));
    for (const std::string& directory : lack.directories)
      if (places.size() < kMost) Append(places, RealPath(tree_, directory));
    return places;
  }

  // A link to a file of another version in the same directory.
  void Beside(const std::string& path) {
    const std::string directory = ParentOf(path);
    for (const Installed& installed : packages_.At(path, tree_))
      if (installed.entry.kind == FlatEntry::Kind::kLink &&
          IsFile(tree_, installed.entry.text.starts_with('/')
                            ? installed.entry.text
                            : directory + "/" + installed.entry.text))
        all_.push_back(Change(Kind::kLink, kLacked, path, installed.entry.text));
    for (const auto& [other, entry] : tree_)
      if (ParentOf(other) == directory && other != path &&
          LibraryStem(other) == LibraryStem(path) && entry.kind != FlatEntry::Kind::kLink &&
          IsFile(tree_, other) && BaseNameOf(other).starts_with(BaseNameOf(path) + "."))
        all_.push_back(Change(Kind::kLink, kLacked, path, BaseNameOf(other)));
    for (const auto& [other, entry] : tree_)
      if (ParentOf(other) == directory && other != path &&
          LibraryStem(other) == LibraryStem(path) && entry.kind == FlatEntry::Kind::kLibrary)
        all_.push_back(Change(Kind::kLink, kLacked, path, BaseNameOf(other)));
  }

  void FromPackage(const std::string& path) {
    for (const Installed& installed : packages_.At(path, tree_))
      if (installed.entry.kind == FlatEntry::Kind::kLibrary)
        all_.push_back(Install(kLacked, path, installed));
    for (const Installed& installed : packages_.Named(BaseNameOf(path), tree_)) {
      Intervention brought = Install(kNotInstalled, path, installed);
      brought.number = kNotItsOwn;
      all_.push_back(brought);
    }
  }

  // A library that no package has: whether it is the name that is lacking, or more. It stands where
  // a system's packages install.
  void StandIn(const Lack& lack) {
    if (!packages_.hollow() || lack.directories.empty() || !FilesNamed(tree_, lack.name).empty() ||
        !packages_.Named(lack.name, tree_).empty())
      return;
    std::string place = RealPath(tree_, lack.directories.front());
    for (const std::string& directory : lack.directories)
      if (RealPath(tree_, directory) == "/usr/lib/x86_64-linux-gnu")
        place = "/usr/lib/x86_64-linux-gnu";
    Intervention named = Change(Kind::kInstall, kNotInstalled, place + "/" + lack.name);
    named.entry.kind = FlatEntry::Kind::kLibrary;
    named.entry.source = *packages_.hollow();
    named.number = kHollow;
    all_.push_back(std::move(named));
  }

  void Elsewhere(const std::string& path, const std::string& name) {
    for (const std::string& other : FilesNamed(tree_, name))
      if (other != path) all_.push_back(Change(Kind::kCopy, kElsewhere, path, other));
  }

  const FlatTree& tree_;
  const Packages& packages_;
  std::vector<Intervention>& all_;
};

bool Differs(const FlatEntry& there, const FlatEntry& installed) {
  return there.kind != installed.kind || there.text != installed.text ||
         there.source != installed.source || there.machine || !there.same_as.empty();
}

// A link that would lead nowhere is no repair.
bool LeadsNowhere(const FlatTree& tree, const std::string& path, const FlatEntry& entry) {
  if (entry.kind != FlatEntry::Kind::kLink) return false;
  const std::string end =
      entry.text.starts_with('/') ? entry.text : ParentOf(path) + "/" + entry.text;
  return !HasPath(tree, RealPath(tree, end));
}

void ProposeReplacements(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                         std::vector<Intervention>& all) {
  std::vector<std::string> touched = looked.loaded;  // the last loaded first
  for (const std::string& path : looked.paths)
    if (flat.tree.count(path) != 0) Append(touched, path);
  for (const std::string& path : touched) {
    const auto there = flat.tree.find(path);
    if (there == flat.tree.end()) continue;
    const std::vector<Installed> at = packages.At(path, flat.tree);
    for (const Installed& installed : at)
      if (Differs(there->second, installed.entry) &&
          !LeadsNowhere(flat.tree, path, installed.entry))
        all.push_back(Install(kDiffers, path, installed));
    // Where a package has a link, and what that ends at is not there, its end may stand.
    const bool bare_link = std::any_of(at.begin(), at.end(), [&](const Installed& installed) {
      return installed.entry.kind == FlatEntry::Kind::kLink &&
             !HasPath(flat.tree, LexicallyNormal(ParentOf(path) + "/" + installed.entry.text));
    });
    if ((!at.empty() && !bare_link) || there->second.kind != FlatEntry::Kind::kLibrary) continue;
    // No package has it there: one more of its name, or a stranger's.
    const std::vector<Installed> named = packages.Named(BaseNameOf(path), flat.tree);
    for (const Installed& installed : named) {
      if (!Differs(there->second, installed.entry)) continue;
      if (FilesNamed(flat.tree, BaseNameOf(path)).size() > 1)
        all.push_back(Change(Kind::kRemove, kDiffers, path));
      Intervention replaced = Install(kDiffers, path, installed);
      replaced.number = kNotItsOwn;
      all.push_back(replaced);
    }
  }
}

// What packages install, is not there, and could have been seen.
void ProposeMissing(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                    std::vector<Intervention>& all) {
  std::vector<std::string> paths;
  for (const std::string& path : packages.PathsIn(flat.tree))
    if (!HasPath(flat.tree, path) && CouldSee(looked, flat.tree, path)) paths.push_back(path);
  // A path that was asked for by its name first.
  std::stable_partition(paths.begin(), paths.end(),
                        [&](const std::string& path) { return looked.paths.count(path) != 0; });
  for (const std::string& path : paths) {
    const std::vector<Installed> at = packages.At(path, flat.tree);
    for (const Installed& installed : at) {
      for (const auto& [other, entry] : flat.tree)
        if (entry.kind == FlatEntry::Kind::kLibrary && entry.source == installed.entry.source &&
            !entry.machine && installed.entry.kind == FlatEntry::Kind::kLibrary)
          all.push_back(Change(Kind::kCopy, kNotInstalled, path, other));
      all.push_back(Install(kNotInstalled, path, installed));
    }
  }
}

// A directory that packages fill, and that is missing or empty, as a link to one that has the same
// files.
void ProposeDirectories(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                        std::vector<Intervention>& all) {
  std::map<std::string, std::vector<std::string>> donors;  // directory of the tree -> last names
  for (const auto& [path, entry] : flat.tree)
    if (IsFile(flat.tree, path)) donors[ParentOf(path)].push_back(BaseNameOf(path));
  // A plain system has some of them, with what is no package's of ours: those are no place to link.
  std::set<std::string> of_system;
  for (const std::string& path : looked.loaded) of_system.insert(ParentOf(path));
  for (const std::string& directory : packages.Directories()) {
    if (of_system.count(directory) != 0 || donors.count(directory) != 0 ||
        !CouldSee(looked, flat.tree, directory) ||
        donors.count(RealPath(flat.tree, directory)) != 0)
      continue;
    const std::vector<std::string> wanted = packages.NamesIn(directory);
    std::vector<std::pair<long, std::string>> found;
    for (const auto& [donor, names] : donors) {
      const auto shared = std::count_if(names.begin(), names.end(), [&](const std::string& name) {
        return std::find(wanted.begin(), wanted.end(), name) != wanted.end();
      });
      if (shared > 0 && !directory.starts_with(donor + "/")) found.emplace_back(-shared, donor);
    }
    std::sort(found.begin(), found.end());
    constexpr size_t kMost = 2;
    for (size_t i = 0; i < found.size() && i < kMost; ++i)
      all.push_back(Change(Kind::kLink, kOtherDirectory, directory, found[i].second));
  }
}

// A directory of a package, or a whole one, that is not there.
void ProposeFolders(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                    std::vector<Intervention>& all) {
  for (const Packages::Folder& folder : packages.FoldersMissingIn(flat.tree)) {
    const bool seen =
        std::any_of(folder.entries.begin(), folder.entries.end(),
                    [&](const auto& entry) { return CouldSee(looked, flat.tree, entry.first); });
    if (!seen || folder.entries.empty()) continue;
    Intervention change = Change(Kind::kInstallAll, kFolder, folder.directory, folder.package);
    change.entries = folder.entries;
    all.push_back(std::move(change));
  }
}

// A name alone may be too much for who lists a directory: where nothing else failed.
void ProposeNames(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all) {
  constexpr size_t kMost = 16;
  if (!looked.lacks.empty() || !looked.refused.empty() || !looked.failed_calls.empty()) return;
  size_t count = 0;
  for (const auto& [path, entry] : flat.tree)
    if (entry.kind == FlatEntry::Kind::kFile && looked.listed.count(ParentOf(path)) != 0 &&
        looked.paths.count(path) == 0 && count++ < kMost)
      all.push_back(Change(Kind::kRemove, kAnything, path));
}

}  // namespace

// The loader is told where it stands; before copies, which no update reaches. Where a package that
// is there has it in a place that is searched, it belongs there.
void ProposeSearch(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                   std::vector<Intervention>& all) {
  const std::string was = VariableOf(flat, "LD_LIBRARY_PATH").value_or("");
  for (const Lack& lack : looked.lacks) {
    const bool belongs = std::any_of(
        lack.directories.begin(), lack.directories.end(), [&](const std::string& directory) {
          return packages.IsExpected(RealPath(flat.tree, directory) + "/" + lack.name, flat.tree);
        });
    const int tier = belongs ? kSearchPath : kElsewhere;
    for (const std::string& path : FilesNamed(flat.tree, lack.name)) {
      all.push_back(Change(Kind::kSetVariable, tier, "LD_LIBRARY_PATH",
                           (was.empty() ? "" : was + ":") + ParentOf(path)));
      all.push_back(Change(Kind::kSearch, tier, "/etc/ld.so.conf", ParentOf(path)));
    }
  }
}

void ProposeLacks(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                  std::vector<Intervention>& all) {
  Supply supply(flat, packages, all);
  for (const Lack& lack : looked.lacks) supply.Propose(lack);
}

void ProposeInstalls(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                     std::vector<Intervention>& all) {
  ProposeReplacements(flat, looked, packages, all);
  ProposeMissing(flat, looked, packages, all);
  ProposeDirectories(flat, looked, packages, all);
  ProposeFolders(flat, looked, packages, all);
}

void ProposeRemovals(const FlatCase& flat, const SeenByRun& looked, bool too_many,
                     std::vector<Intervention>& all) {
  ProposeNames(flat, looked, all);
  for (const std::string& path : looked.candidates)
    if (HasPath(flat.tree, path))
      all.push_back(Change(Kind::kRemove, too_many ? kRefused : kTwice, path));
  for (const std::string& path : looked.paths) {
    const auto there = flat.tree.find(path);
    if (there == flat.tree.end() || there->second.kind == FlatEntry::Kind::kAbsent ||
        there->second.kind == FlatEntry::Kind::kDirectory)
      continue;
    const std::vector<std::string> same = FilesNamed(flat.tree, BaseNameOf(path));
    all.push_back(Change(Kind::kRemove, same.size() > 1 ? kShadow : kAnything, path));
  }
}

}  // namespace gpustage
