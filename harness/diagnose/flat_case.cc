#include "harness/diagnose/flat_case.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/stage/world_file.h"

namespace gpustage {
namespace {

std::string IdText(unsigned id) { return std::to_string(id); }

TreeOp MakingOf(const std::string& path, const FlatEntry& entry) {
  const auto mode = [&](FileMode usual) {
    return entry.mode == usual ? std::nullopt : std::optional<FileMode>(entry.mode);
  };
  if (!entry.same_as.empty()) return {HardLinkOp{path, entry.same_as}, {}};
  switch (entry.kind) {
    case FlatEntry::Kind::kDirectory: return {MakeDirOp{path, std::nullopt}, {}};
    case FlatEntry::Kind::kFile: return {WriteFileOp{path, entry.text, mode(0644)}, {}};
    case FlatEntry::Kind::kLink: return {SymlinkOp{path, entry.text}, {}};
    case FlatEntry::Kind::kAbsent: return {RemoveOp{path}, {}};
    case FlatEntry::Kind::kLibrary: break;
  }
  return {PlaceLibraryOp{path, entry.source, {}, mode(0755), entry.machine, entry.archs}, {}};
}

void AddOwner(const std::string& path, const FlatEntry& entry, std::vector<TreeOp>& ops) {
  if (entry.uid == 0 && entry.gid == 0) return;
  ops.push_back({ChownOp{path, IdText(entry.uid), IdText(entry.gid)}, {}});
}

}  // namespace

Case ToCase(const FlatCase& flat) {
  using Kind = FlatEntry::Kind;
  Case c = flat.c;
  std::vector<TreeOp>& ops = c.tree;
  for (const auto& [path, entry] : flat.tree)
    if (entry.kind == Kind::kAbsent || entry.replaces) ops.push_back({RemoveOp{path}, {}});
  // Directories first; their modes and owners last, so that nothing is shut out while it is made.
  const auto make = [&](auto wanted) {
    for (const auto& [path, entry] : flat.tree)
      if (wanted(entry)) ops.push_back(MakingOf(path, entry));
  };
  make([](const FlatEntry& e) { return e.kind == Kind::kDirectory; });
  make([](const FlatEntry& e) {
    return e.same_as.empty() && (e.kind == Kind::kFile || e.kind == Kind::kLibrary);
  });
  make([](const FlatEntry& e) { return !e.same_as.empty(); });
  make([](const FlatEntry& e) { return e.kind == Kind::kLink; });
  for (const auto& [path, entry] : flat.tree)
    if (entry.kind != Kind::kDirectory && entry.kind != Kind::kAbsent) AddOwner(path, entry, ops);
  for (auto it = flat.tree.rbegin(); it != flat.tree.rend(); ++it) {
    const auto& [path, entry] = *it;
    if (entry.kind != Kind::kDirectory) continue;
    AddOwner(path, entry, ops);
    if (entry.mode != 0755) ops.push_back({ChmodOp{path, entry.mode}, {}});
  }
  return c;
}

std::string KeyOf(const FlatCase& flat) {
  const Result<std::string> world = WorldFile(flat.c.machine);
  std::string key = world ? *world : world.error().message;
  for (const EnvVar& variable : flat.c.env)
    if (variable.value) key += fmt::format("{}={}\n", variable.name, *variable.value);
  key += fmt::format("{} {} {}\n", flat.c.user, fmt::join(flat.c.groups, ","),
                     flat.c.working_directory);
  key += flat.c.runs.front().scanner.version + '\n';
  for (const auto& [path, entry] : flat.tree) {
    key += fmt::format("{} {} {:o} {} {} {} {} {} {}\n", path, static_cast<int>(entry.kind),
                       entry.mode, entry.uid, entry.gid, entry.text, entry.source.host_path,
                       entry.same_as, entry.replaces);
    if (!entry.machine && entry.archs.empty()) continue;
    const Result<std::string> own = WorldFile(
        entry.machine ? Changed(flat.c.machine, *entry.machine) : flat.c.machine, entry.archs);
    key += own ? *own : own.error().message;
  }
  return key;
}

std::string RealPath(const FlatTree& tree, const std::string& path) {
  static const std::map<std::string, std::string> kPlain = {
      {"/bin", "usr/bin"}, {"/sbin", "usr/sbin"}, {"/lib", "usr/lib"}, {"/lib64", "usr/lib64"}};
  std::string left = path, done;
  constexpr int kMostLinks = 40;
  for (int links = 0; !left.empty() && left != "/";) {
    const size_t start = left.find_first_not_of('/');
    if (start == std::string::npos) break;
    const size_t end = std::min(left.find('/', start), left.size());
    const std::string name = left.substr(start, end - start);
    left = left.substr(end);
    if (name == ".") continue;
    if (name == "..") {
      done = done.empty() ? "" : ParentOf(done);
      if (done == "/") done.clear();
      continue;
    }
    const std::string here = done + "/" + name;
    std::optional<std::string> to;
    if (const auto entry = tree.find(here); entry != tree.end()) {
      if (entry->second.kind == FlatEntry::Kind::kLink) to = entry->second.text;
    } else if (const auto plain = kPlain.find(here); plain != kPlain.end()) {
      to = plain->second;
    }
    if (!to) {
      done = here;
      continue;
    }
    if (++links > kMostLinks) return path;
    left = *to + left;
    if (to->starts_with('/')) done.clear();
  }
  return done.empty() ? "/" : done;
}

bool HasPath(const FlatTree& tree, const std::string& path) {
  if (const auto found = tree.find(path); found != tree.end())
    return found->second.kind != FlatEntry::Kind::kAbsent;
  const auto below = tree.lower_bound(path + "/");
  return below != tree.end() && below->first.starts_with(path + "/");
}

void ErasePath(FlatTree& tree, const std::string& path) {
  std::erase_if(tree, [&](const auto& item) {
    return item.first == path || item.first.starts_with(path + "/");
  });
}

std::vector<std::string> FilesNamed(const FlatTree& tree, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& [path, entry] : tree) {
    if (BaseNameOf(path) != name || entry.kind == FlatEntry::Kind::kAbsent) continue;
    const auto end = tree.find(RealPath(tree, path));
    if (end != tree.end() && (end->second.kind == FlatEntry::Kind::kLibrary ||
                              end->second.kind == FlatEntry::Kind::kFile))
      found.push_back(path);
  }
  return found;
}

std::optional<std::string> VariableOf(const FlatCase& flat, const std::string& name) {
  for (const EnvVar& variable : flat.c.env)
    if (variable.name == name) return variable.value;
  return std::nullopt;
}

}  // namespace gpustage
