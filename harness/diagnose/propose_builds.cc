// What a build lacks, or asks for too much: a backend that others of its kind have, a stack that
// may be executed.
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/base/files.h"
#include "harness/diagnose/propose.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;

// The library without the flag; none where it has none.
std::optional<std::string> WithoutExecutableStack(std::string bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header || !bytes.starts_with(ELFMAG)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (size_t i = 0; i < header.e_phnum; ++i) {
    const size_t at = header.e_phoff + i * sizeof(Elf64_Phdr);
    Elf64_Phdr segment;
    if (at > bytes.size() || bytes.size() - at < sizeof segment) return std::nullopt;
    std::memcpy(&segment, bytes.data() + at, sizeof segment);
    if (segment.p_type != PT_GNU_STACK || (segment.p_flags & PF_X) == 0) continue;
    segment.p_flags &= ~static_cast<Elf64_Word>(PF_X);
    std::memcpy(bytes.data() + at, &segment, sizeof segment);
    return bytes;
  }
  return std::nullopt;
}

bool HasStem(const FlatTree& tree, const std::string& directory, std::string_view stem) {
  return std::any_of(tree.begin(), tree.end(), [&](const auto& one) {
    return ParentOf(one.first) == directory && BaseNameOf(one.first).starts_with(stem);
  });
}

}  // namespace

// A loader that refuses such a library takes it without the flag: what patchelf and execstack
// clear. Packages have none; those that were broken lie where this process may write.
void ProposeStacks(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all) {
  if (!flat.store) return;
  const std::string store = flat.store->tree.root.host_path();
  for (const std::string& path : looked.paths) {
    const auto there = flat.tree.find(path);
    if (there == flat.tree.end() || there->second.kind != FlatEntry::Kind::kLibrary ||
        !there->second.source.host_path.starts_with(store + "/"))
      continue;
    const Result<std::string> bytes = ReadFile(there->second.source.host_path);
    const auto plain = bytes ? WithoutExecutableStack(*bytes) : std::nullopt;
    if (!plain) continue;
    Intervention change = Change(Kind::kInstall, kDiffers, path);
    change.number = kPlainStack;
    change.entry = there->second;
    change.entry.source.host_path =
        fmt::format("{}/.gpustage/stack-{}", store, BaseNameOf(there->second.source.host_path));
    if (WriteFile(change.entry.source.host_path, *plain)) all.push_back(std::move(change));
  }
}

// A folder of a build has the base of ggml and no backend for the machine's GPU: as another
// package has it, with what that needs beside it.
void ProposeBackends(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                     std::vector<Intervention>& all) {
  constexpr size_t kMost = 6;
  size_t count = 0;
  for (const std::string& listed : looked.listed) {
    const std::string directory = RealPath(flat.tree, listed);
    if (directory != listed || !HasStem(flat.tree, directory, "libggml-base.so")) continue;
    for (const Packages::Folder& backend : packages.Backends()) {
      if (HasStem(flat.tree, directory, backend.directory) || count++ >= kMost) continue;
      Intervention change = Change(Kind::kInstallAll, kFolder, directory, backend.package);
      change.number = kNotItsOwn;
      for (const auto& [name, entry] : backend.entries)
        if (!HasPath(flat.tree, directory + "/" + name))
          change.entries[directory + "/" + name] = entry;
      all.push_back(std::move(change));
    }
  }
}

}  // namespace gpustage
