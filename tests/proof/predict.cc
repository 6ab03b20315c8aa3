#include "tests/proof/predict.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "harness/base/elf_file.h"
#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"

namespace gpustage {
namespace {

constexpr uint64_t kStaticTls =
    4096;  // more than what ld.so keeps for libraries that come late; less is not decided here

// What ld.so finds wrong with a file when it opens it (dl-load.c, open_verify), in its order; ""
// when nothing is.
struct Look {
  bool there = false;
  bool other_class = false;  // it goes on to the next candidate, and says so at the end
  bool passed_over = false;  // it goes on without a word
  std::string complaint;
};

Look LookAt(const Root& root, const std::string& path) {
  Look look;
  const Fd fd = root.At(path, O_RDONLY);
  struct stat found;
  if (!fd || fstat(fd.get(), &found) != 0) return look;
  look.there = true;
  if (S_ISDIR(found.st_mode)) {
    look.complaint = "cannot read file data: Is a directory";
    return look;
  }
  Elf64_Ehdr header = {};
  if (pread(fd.get(), &header, sizeof header, 0) != sizeof header) {
    look.complaint = "file too short";
  } else if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    look.complaint = "invalid ELF header";
  } else if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    look.other_class = true;
  } else if (header.e_ident[EI_DATA] != ELFDATA2LSB) {
    look.complaint = "ELF file data encoding not little-endian";
  } else if (header.e_machine != EM_X86_64) {
    look.passed_over = true;
  } else if (header.e_phoff + uint64_t{header.e_phnum} * sizeof(Elf64_Phdr) >
             static_cast<uint64_t>(found.st_size)) {
    look.complaint = "cannot read file data";
  }
  return look;
}

class Prediction {
 public:
  Prediction(const Evidence& evidence, const FunnelRow& row, const Root& root)
      : evidence_(evidence), row_(row), root_(root) {}

  DlopenAnswer Make() {
    answer_.path = row_.library;
    Open(row_.library, {row_.library}) && Needs() && Ends() && Versions() && Symbols() && Tls();
    return answer_;
  }

 private:
  bool Say(const std::string& object, const std::string& what) {
    answer_.load_error = object + ": " + what;
    return false;
  }

  // The first candidate that ends the search, or what is said when none does.
  bool Open(const std::string& name, const std::vector<std::string>& candidates) {
    bool other_class = false;
    for (const std::string& path : candidates) {
      const Look look = LookAt(root_, path);
      other_class = other_class || look.other_class;
      if (!look.there || look.other_class || look.passed_over) continue;
      if (!look.complaint.empty()) return Say(path, look.complaint);
      paths_.push_back(path);
      return true;
    }
    if (other_class) return Say(name, "wrong ELF class: ELFCLASS32");
    return Say(name, "cannot open shared object file: No such file or directory");
  }

  // What it needs, as the loader was seen to look for it.
  bool Needs() {
    for (const Need& need : NeedsOf(evidence_, row_)) {
      std::vector<std::string> candidates;
      for (const Tried& tried : need.tried) candidates.push_back(tried.path);
      if (need.tried.empty()) candidates.push_back(need.name);
      if (!Open(need.name, candidates)) return false;
    }
    return true;
  }

  // A file that was cut short kills whoever touches what it lacks; so does code in it, which only
  // its end tells.
  bool Ends() {
    for (const std::string& path : paths_)
      if (const ElfFile* file = File(path); file != nullptr && file->ends_early)
        answer_.signal = SIGBUS;
    const Process* const process = ProcessOf(evidence_, row_.pid);
    const std::string end = process == nullptr ? "" : process->end;
    const bool in_the_middle = row_.cause() == Cause::kLoadKills;
    for (const int signal : {SIGABRT, SIGSEGV})
      if (answer_.signal == 0 && in_the_middle &&
          end == fmt::format("killed by SIG{}", sigabbrev_np(signal)))
        answer_.signal = signal;
    return answer_.signal == 0;
  }

  bool Versions() {
    for (const std::string& path : paths_)
      for (const WantedVersion& want : File(path)->wanted_versions)
        for (const std::string& provider : Everything()) {
          const ElfFile* const file = File(provider);
          if (file == nullptr || !IsCalled(provider, want.file)) continue;
          if (!file->versions.empty() && !want.weak &&
              std::find(file->versions.begin(), file->versions.end(), want.version) ==
                  file->versions.end())
            return Say(provider,
                       fmt::format("version `{}' not found (required by {})", want.version, path));
          break;
        }
    return true;
  }

  // Each library after those that it needs, as RTLD_NOW binds them.
  bool Symbols() {
    for (const std::string& path : DependenciesFirst())
      for (const WantedSymbol& want : File(path)->wanted) {
        bool found = false;
        for (const std::string& provider : Everything()) {
          const ElfFile* const file = File(provider);
          if (file == nullptr) continue;
          // ld.so itself checks that who is to have a version has any (dl-lookup.c, check_match),
          // and ends the process otherwise.
          if (!want.version.empty() && !file->has_version_table && IsCalled(provider, want.file) &&
              file->Has({want.name, "", ""})) {
            answer_.exit_code = 127;
            return false;
          }
          if (file->Has(want)) {
            found = true;
            break;
          }
        }
        if (!found)
          return Say(path, fmt::format("undefined symbol: {}{}", want.name,
                                       want.version.empty() ? "" : ", version " + want.version));
      }
    return true;
  }

  bool Tls() {
    for (const std::string& path : paths_)
      if (File(path)->tls_bytes > kStaticTls)
        return Say(path, "cannot allocate memory in static TLS block");
    return true;
  }

  // What was there before, which everybody sees, and then the library and what came with it.
  std::vector<std::string> Everything() const {
    std::vector<std::string> all = {ProcessOf(evidence_, row_.pid)->executable};
    for (const Event& event : evidence_.events)
      if (event.pid == row_.pid && event.kind == EventKind::kLoad && event.subject.starts_with('/'))
        all.push_back(event.subject);
    all.insert(all.end(), paths_.begin(), paths_.end());
    return all;
  }

  std::vector<std::string> DependenciesFirst() {
    std::vector<std::string> order;
    std::set<std::string> entered;
    Enter(row_.library, entered, order);
    return order;
  }
  void Enter(const std::string& path, std::set<std::string>& entered,
             std::vector<std::string>& order) {
    if (!entered.insert(path).second) return;
    const std::vector<std::string> needed = File(path)->needed;
    for (auto name = needed.rbegin(); name != needed.rend(); ++name)
      for (const std::string& other : paths_)
        if (IsCalled(other, *name)) Enter(other, entered, order);
    order.push_back(path);
  }

  bool IsCalled(const std::string& path, const std::string& name) {
    const ElfFile* const file = File(path);
    return BaseNameOf(path) == name || (file != nullptr && file->soname == name);
  }

  const ElfFile* File(const std::string& path) {
    auto known = files_.find(path);
    if (known == files_.end()) {
      const Fd fd = root_.At(path, O_RDONLY);
      known = files_.emplace(path, fd ? ElfFile::Read(fd.get()) : std::nullopt).first;
    }
    return known->second ? &*known->second : nullptr;
  }

  const Evidence& evidence_;
  const FunnelRow& row_;
  const Root& root_;
  DlopenAnswer answer_;
  std::vector<std::string> paths_;  // of what this load maps, in its order
  std::map<std::string, std::optional<ElfFile>> files_;
};

}  // namespace

DlopenAnswer Predict(const Evidence& evidence, const FunnelRow& row, const Root& root) {
  return Prediction(evidence, row, root).Make();
}

}  // namespace gpustage
