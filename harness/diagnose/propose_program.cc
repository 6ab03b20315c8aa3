// What the program itself points to: variables that its text asks for, files of a name that it
// looked for elsewhere, folders that it did not list.
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/diagnose/propose.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

// A program that is text says which variables it reads, as another's documentation does.
std::set<std::string> AskedFor(const std::vector<std::string>& text) {
  static const RE2 kVariable(
      R"re((?:environ(?:\.get)?\s*[\[(]\s*["']|getenv\s*\(\s*["']|\$\{?)([A-Z][A-Z0-9_]{3,}))re");
  std::set<std::string> names;
  for (const std::string& part : text) {
    re2::StringPiece left(part);
    for (std::string name; RE2::FindAndConsume(&left, kVariable, &name);) names.insert(name);
  }
  return names;
}

// "cuda_v13" of "/…/cuda_v13/libggml-cuda.so".
std::set<std::string> FoldersOfLibraries(const FlatTree& tree) {
  std::set<std::string> names;
  for (const auto& [path, entry] : tree)
    if (entry.kind == FlatEntry::Kind::kLibrary && BaseNameOf(path).starts_with("libggml-"))
      names.insert(BaseNameOf(ParentOf(path)));
  return names;
}

// The directories of what was looked for by its path and stands elsewhere.
std::vector<std::string> FoldersOfFound(const FlatCase& flat, const SeenByRun& looked) {
  std::vector<std::string> folders;
  for (const std::string& path : looked.missing)
    for (const std::string& other : FilesNamed(flat.tree, BaseNameOf(path)))
      if (std::find(folders.begin(), folders.end(), ParentOf(other)) == folders.end())
        folders.push_back(ParentOf(other));
  return folders;
}

void ProposeAskedFor(const FlatCase& flat, const SeenByRun& looked,
                     std::vector<Intervention>& all) {
  constexpr size_t kMostFolders = 4;
  for (const std::string& name : AskedFor(flat.c.runs.front().args)) {
    if (VariableOf(flat, name) || name.starts_with("LD_") || name == "PATH" || name == "HOME")
      continue;
    all.push_back(Change(Kind::kSetVariable, kVariable, name, "1"));
    size_t count = 0;
    if (name.ends_with("PATH") || name.ends_with("DIR"))
      for (const std::string& folder : FoldersOfFound(flat, looked))
        if (count++ < kMostFolders)
          all.push_back(Change(Kind::kSetVariable, kVariable, name, folder));
    if (name.ends_with("_LIBRARY"))
      for (const std::string& folder : FoldersOfLibraries(flat.tree))
        if (count++ < kMostFolders)
          all.push_back(Change(Kind::kSetVariable, kVariable, name, folder));
  }
}

// A library that would have been a candidate, had its folder stood where the program lists.
void ProposeUnlisted(const FlatCase& flat, const SeenByRun& looked,
                     std::vector<Intervention>& all) {
  constexpr size_t kMost = 6;
  size_t count = 0;
  for (const std::string& candidate : looked.candidates) {
    const std::string folder = ParentOf(candidate);
    if (looked.listed.count(folder) != 0 || !HasPath(flat.tree, candidate)) continue;
    for (const std::string& listed : looked.listed) {
      const bool kin = BaseNameOf(listed) == BaseNameOf(ParentOf(folder)) ||
                       FoldersOfLibraries(flat.tree).count(BaseNameOf(listed)) != 0;
      const std::string place = listed + "/" + BaseNameOf(folder);
      if (!kin || folder.starts_with(listed + "/") || HasPath(flat.tree, place) || count++ >= kMost)
        continue;
      all.push_back(Change(Kind::kLink, kLacked, place, folder));
    }
  }
}

}  // namespace

// What the loader looked for is a Lack.
void ProposeFound(const FlatCase& flat, const SeenByRun& looked, bool programs, int tier,
                  std::vector<Intervention>& all) {
  constexpr size_t kMost = 8;
  constexpr FileMode kRuns = 0111;
  size_t count = 0;
  for (const std::string& path : looked.missing) {
    if (BaseNameOf(path).find(".so") != std::string::npos) continue;
    for (const std::string& other : FilesNamed(flat.tree, BaseNameOf(path))) {
      const bool runs = (flat.tree.at(RealPath(flat.tree, other)).mode & kRuns) != 0;
      if (other == path || runs != programs) continue;
      if (++count > kMost) return;
      all.push_back(Change(Kind::kLink, tier, path, other));
    }
  }
}

void ProposeProgram(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all) {
  ProposeAskedFor(flat, looked, all);
  ProposeFound(flat, looked, true, kElsewhere, all);
  ProposeUnlisted(flat, looked, all);
}

}  // namespace gpustage
