// The files of the machine: those that the texts list or name, and a plain driver where they name
// none.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/import/assemble.h"
#include "harness/import/text.h"
#include "harness/stage/identity.h"

namespace gpustage::pasted {
namespace {

using capture::FileFacts;
using capture::FileKind;

bool IsDriver(const std::string& path) {
  return BaseOf(path).starts_with("libcuda.so") && path.find("/stubs/") == std::string::npos &&
         path.find("/compat/") == std::string::npos;
}
bool IsStub(const std::string& path) {
  return BaseOf(path).starts_with("libcuda.so") && path.find("/stubs/") != std::string::npos;
}
bool IsNode(const std::string& path) { return path.starts_with("/dev/"); }
bool IsOllama(const std::string& path) {
  return path.find("ollama") != std::string::npos && BaseOf(path).find("ggml") != std::string::npos;
}
bool IsBackend(const std::string& path) {
  return BaseOf(path).starts_with("libggml") && path.find("cuda") != std::string::npos &&
         BaseOf(path).find("cuda") != std::string::npos;
}

class Files {
 public:
  Files(const Facts& facts, Machine& machine) : facts_(facts), machine_(machine) {}

  void Add() {
    for (const Told<File>& told : facts_.files) Take(told);
    for (const auto& told : facts_.cache) Found(told.value.second, told.from);
    for (const auto& told : facts_.needs)
      if (told.value.path.starts_with("/")) Found(told.value.path, told.from);
    for (const auto& told : facts_.dynamics) Dynamic(told);
    for (const auto& told : facts_.needs)
      if (told.value.path.empty()) Missing(told);
    FollowLinks();
    Broken();
    DropEmpty();
    Driver();
    Ollama();
    Nodes();
    Loader();
    for (auto& [path, file] : files_) machine_.facts.files.push_back(file);
  }

 private:
  // Symbolic names of owners: those that a staged tree knows, or a number of its own for each.
  unsigned IdOf(const std::string& name, bool group) {
    if (name.find_first_not_of("0123456789") == std::string::npos)
      return static_cast<unsigned>(std::min(std::stoul(name.substr(0, 5)), 65000ul));
    if (group) {
      if (const auto gid = FindGroup(name)) return *gid;
    } else if (const auto user = FindUser(name)) {
      return user->uid;
    }
    if (const auto user = FindUser(name)) return user->gid;
    return others_.emplace(name, 2000 + static_cast<unsigned>(others_.size())).first->second;
  }

  void Take(const Told<File>& told) {
    FileFacts file = told.value.facts;
    if (!file.path.starts_with('/')) return;
    if (told.value.listed) {
      file.uid = IdOf(told.value.owner, false);
      file.gid = IdOf(told.value.group, true);
    } else {
      file.mode = IsNode(file.path) ? 0666 : 0755;
      file.size = 1;
    }
    if (IsNode(file.path)) {
      listed_nodes_ |= told.value.listed && file.path.starts_with("/dev/nvidia");
      const auto known = std::find_if(nodes_.begin(), nodes_.end(),
                                      [&](const FileFacts& one) { return one.path == file.path; });
      if (known != nodes_.end()) return;
      machine_.origins[file.path] = ToString(told.from);
      nodes_.push_back(file);
      return;
    }
    if (file.kind == FileKind::kFile && file.path.find(".so") == std::string::npos) return;
    if (file.kind == FileKind::kOther) return;
    if (file.kind == FileKind::kFile && file.size > 0) file.elf = Elf(file.path);
    const auto [at, fresh] = files_.emplace(file.path, file);
    if (!fresh) return;
    if (IsDriver(file.path)) driver_ = true;
    if (IsOllama(file.path) && told.value.listed) ollama_ = true;
    machine_.origins[file.path] = ToString(told.from);
    if (told.value.listed && machine_.user.empty() && file.uid != 0 && IsOllama(file.path)) {
      machine_.user = told.value.owner;
      machine_.user_from = "the owner of " + file.path + ", " + ToString(told.from);
    }
  }

  // What the name of a library says of it.
  capture::ElfFacts Elf(const std::string& path) const {
    FileFacts file;
    file.path = path;
    capture::ElfFacts elf;
    elf.soname = capture::FakeOf(file).soname;
    elf.is_elf = true;
    const std::string base = BaseOf(path);
    if (IsBackend(path) || base.find("cuda") != std::string::npos)
      for (const char* major : {"11", "12", "13"})
        if (path.find(std::string("v") + major) != std::string::npos)
          elf.needed.push_back(std::string("libcudart.so.") + major);
    return elf;
  }

  void Found(const std::string& path, const Origin& from) {
    Told<File> told{{}, from};
    told.value.facts.path = path;
    const bool matters =
        IsDriver(path) || IsStub(path) || path.find("cudart") != std::string::npos ||
        path.find("cublas") != std::string::npos || path.find("nvidia-ml") != std::string::npos ||
        path.find("ggml") != std::string::npos;
    if (matters) Take(told);
  }

  void Dynamic(const Told<pasted::Dynamic>& told) {
    if (!told.value.path.starts_with('/')) return;
    Found(told.value.path, told.from);
    const auto file = files_.find(told.value.path);
    if (file == files_.end()) return;
    capture::ElfFacts& elf = file->second.elf ? *file->second.elf : file->second.elf.emplace();
    elf = told.value.elf;
    machine_.origins[told.value.path] = ToString(told.from);
  }

  // Where a listing or find has it.
  std::string Elsewhere(const std::string& soname) const {
    for (const auto& told : facts_.files)
      if (BaseOf(told.value.facts.path) == soname) return told.value.facts.path;
    return "";
  }
  // ldd or a loader says that it is found nowhere.
  void Missing(const Told<Need>& told) {
    const std::string& soname = told.value.soname;
    missing_.insert(soname);
    for (const char* stem : {"libcuda.so", "libcudart.so", "libcublas.so", "libcublasLt.so",
                             "libggml-base.so", "libnvidia-ml.so"})
      if (soname.starts_with(stem) && std::find(machine_.missing.begin(), machine_.missing.end(),
                                                soname) == machine_.missing.end()) {
        machine_.missing.push_back(soname);
        const std::string elsewhere = Elsewhere(soname);
        machine_.why.push_back(soname +
                               (elsewhere.empty()
                                    ? " is not where the loader looks ("
                                    : " is not where the loader looks: it is " + elsewhere + " (") +
                               ToString(told.from) + ")");
      }
    if (told.value.of.starts_with('/') && IsBackend(told.value.of)) Found(told.value.of, told.from);
  }

  // A link whose end is not listed: what it leads to stands beside it, since ls shows both in a
  // directory that was listed whole, and one alone where a file was named.
  void FollowLinks() {
    std::vector<FileFacts> ends;
    for (const auto& [path, file] : files_) {
      if (file.kind != FileKind::kLink || file.link.find(".so") == std::string::npos) continue;
      const std::string end =
          file.link.starts_with('/') ? file.link : FolderOf(path) + "/" + file.link;
      if (files_.count(end) != 0) continue;
      const bool whole = std::any_of(files_.begin(), files_.end(), [&](const auto& other) {
        return other.second.kind == FileKind::kFile && FolderOf(other.first) == FolderOf(end);
      });
      if (whole) continue;
      FileFacts file_of;
      file_of.path = end;
      file_of.mode = 0755;
      file_of.size = 1;
      file_of.elf = Elf(end);
      machine_.origins[end] = "where a link leads: " + machine_.origins[path];
      ends.push_back(file_of);
    }
    for (FileFacts& end : ends) files_.emplace(end.path, end);
  }

  void Says(const std::string& path, const std::string& what) {
    machine_.why.push_back(path + " " + what + " (" + machine_.origins[path] + ")");
  }
  // What a listing shows of a driver or a backend that no loader takes.
  void Broken() {
    bool whole = false;
    for (const auto& [path, file] : files_)
      whole |= IsDriver(path) && file.kind == FileKind::kFile && file.size > 0;
    for (const auto& [path, file] : files_) {
      const bool matters = IsBackend(path) || (IsDriver(path) && !whole);
      if (matters && file.kind == FileKind::kFile && file.size == 0) Says(path, "is empty");
      const std::string end =
          file.link.starts_with('/') ? file.link : FolderOf(path) + "/" + file.link;
      if (matters && file.kind == FileKind::kLink && files_.count(end) == 0)
        Says(path, "leads to " + file.link + ", which is not there");
      // Who lists the directory of a backend is a service of Ollama's, and not root.
      const bool of_ollama =
          file.kind == FileKind::kDirectory && path.find("/ollama/") != path.npos;
      const auto next = files_.lower_bound(path + "/");
      if (of_ollama && file.uid == 0 && (file.mode & 05) != 05 && next != files_.end() &&
          next->first.starts_with(path + "/")) {
        machine_.unlistable = true;
        Says(path, fmt::format("is closed to others, of mode {:04o}", file.mode));
      }
    }
  }

  // Of the directories that are listed those matter that something of this machine is in.
  void DropEmpty() {
    std::erase_if(files_, [&](const auto& one) {
      if (one.second.kind != FileKind::kDirectory) return false;
      const auto next = files_.upper_bound(one.first + "/");
      return (next == files_.end() || !next->first.starts_with(one.first + "/")) &&
             one.first.find("ollama") == std::string::npos;
    });
  }

  const Told<Restriction>* Restricts(Kept one) const {
    for (const auto& told : facts_.restrictions)
      if (told.value.kept == one || told.value.kept == Kept::kAll) return &told;
    return nullptr;
  }
  void Why(const Told<Restriction>& told) {
    const std::string sentence = told.value.says + " (" + ToString(told.from) + ")";
    if (std::find(machine_.why.begin(), machine_.why.end(), sentence) == machine_.why.end())
      machine_.why.push_back(sentence);
  }

  void Driver() {
    if (const auto* const without = Restricts(Kept::kDriver)) {
      if (without->value.kept == Kept::kDriver)
        machine_.layouts.push_back("nvidia-container-utility");
      return Why(*without);
    }
    const bool lost = missing_.count("libcuda.so.1") != 0 || Absent("libcuda.so.1");
    if (driver_) {
      bool management = false;
      std::string folder;
      for (const auto& [path, file] : files_) {
        management |= BaseOf(path).starts_with("libnvidia-ml.so");
        if (IsDriver(path)) folder = FolderOf(path);
        if (IsDriver(path) && machine_.driver.empty() && file.kind == FileKind::kFile)
          if (const std::string version =
                  capture::DriverVersion(BaseOf(path).substr(strlen("libcuda.so.")));
              !version.empty()) {
            machine_.driver = version;
            machine_.origins["driver"] = "the name of " + BaseOf(path);
          }
      }
      // A log or ldd names one of the two names of the driver.
      if (files_.count(folder + "/libcuda.so.1") == 0) {
        std::string real;
        for (const auto& [path, file] : files_)
          if (IsDriver(path) && FolderOf(path) == folder) real = BaseOf(path);
        Link(folder + "/libcuda.so.1", real);
      }
      if (!management) {
        FileFacts file;
        file.path = folder + "/libnvidia-ml.so.1";
        file.mode = 0755;
        file.size = 1;
        file.elf = Elf(file.path);
        machine_.origins[file.path] = "not told; as the driver brings it";
        files_.emplace(file.path, file);
      }
    } else if (lost) {
      machine_.why.push_back("libcuda.so.1 is found nowhere");
    } else {
      machine_.layouts.push_back("nvidia-driver-debian");
      Ask(machine_, "where the driver's libraries are",
          "no text lists them; Debian's places stand for them",
          "ldconfig -p | grep -E 'libcuda|libnvidia-ml'");
    }
  }

  void Link(const std::string& path, const std::string& to) {
    FileFacts link;
    link.path = path;
    link.kind = FileKind::kLink;
    link.link = to;
    machine_.origins[path] = "not told; as the driver brings it";
    files_.emplace(path, link);
  }

  // Whether all that looked for the name found it nowhere.
  bool Absent(const std::string& name) const {
    bool looked = false;
    for (const auto& told : facts_.absent) looked |= BaseOf(told.value.path) == name;
    for (const auto& told : facts_.files)
      if (BaseOf(told.value.facts.path) == name) return false;
    return looked;
  }

  // The model of Ollama looks into /usr/local/lib/ollama.
  void Ollama() {
    if (!ollama_) return;
    std::string root;
    for (const auto& [path, file] : files_) {
      if (IsBackend(path) && machine_.backend.empty()) machine_.backend = path;
      const size_t at = path.find("/lib/ollama");
      if (at != std::string::npos && root.empty())
        root = path.substr(0, at + strlen("/lib/ollama"));
    }
    if (root.empty() || root == "/usr/local/lib/ollama") return;
    Link("/usr/local/lib/ollama", root);
    machine_.origins["/usr/local/lib/ollama"] = "the model of Ollama is in /usr/local/bin";
  }

  void Nodes() {
    std::vector<std::string> usual = {"/dev/nvidiactl", "/dev/nvidia-uvm"};
    for (size_t i = 0; i < machine_.devices.size(); ++i)
      usual.push_back("/dev/nvidia" + std::to_string(i));
    const auto* const hidden = Restricts(Kept::kNodes);
    const auto* const shut = Restricts(Kept::kOpening);
    if (hidden != nullptr || shut != nullptr) nodes_.clear();
    for (const std::string& path : usual) {
      if (const auto* const told = hidden != nullptr ? hidden : shut) {
        Why(*told);
        machine_.origins[path] = ToString(told->from);
        FileFacts closed;
        closed.path = path;
        closed.kind = FileKind::kDevice;
        closed.mode = 0;
        if (hidden == nullptr) nodes_.push_back(closed);
        continue;
      }
      const auto node = std::find_if(nodes_.begin(), nodes_.end(),
                                     [&](const FileFacts& one) { return one.path == path; });
      const Told<Absence>* const absent = AbsentNode(path);
      if (node != nodes_.end()) {
        if (absent != nullptr && absent->value.denied) node->mode &= ~mode_t{07};
        continue;
      }
      if (absent != nullptr && !absent->value.denied) {
        machine_.origins[path] = ToString(absent->from);
        machine_.why.push_back(path + " is not there (" + ToString(absent->from) + ")");
        continue;
      }
      FileFacts plain;
      plain.path = path;
      plain.kind = FileKind::kDevice;
      plain.mode = absent != nullptr ? 0600 : 0666;
      if (absent != nullptr) {
        machine_.origins[path] = ToString(absent->from);
        machine_.why.push_back(path + " may not be opened (" + ToString(absent->from) + ")");
      }
      nodes_.push_back(plain);
    }
    machine_.facts.nodes = nodes_;
    if (!listed_nodes_ && machine_.why.empty())
      Ask(machine_, "the nodes of the GPUs",
          "no text lists them; they stand as a driver makes them", "ls -l /dev/nvidia*");
  }

  const Told<Absence>* AbsentNode(const std::string& path) const {
    for (const auto& told : facts_.absent) {
      std::string pattern = told.value.path;
      const bool open = pattern.ends_with('*');
      if (open) pattern.pop_back();
      if (pattern == path || (open && path.starts_with(pattern))) return &told;
    }
    return nullptr;
  }

  // ld.so.cache knows these, as ldconfig -p said or since somebody found a library there.
  void Loader() {
    std::set<std::string> known = {"/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib",
                                   "/lib"};
    const auto add = [&](const std::string& folder) {
      if (known.insert(folder).second) machine_.facts.loader_directories.push_back(folder);
    };
    for (const auto& told : facts_.cache) add(FolderOf(told.value.second));
    if (!facts_.cache.empty()) return;
    for (const auto& [path, file] : files_)
      if (IsDriver(path) || BaseOf(path).starts_with("libnvidia-ml")) add(FolderOf(path));
  }

  const Facts& facts_;
  Machine& machine_;
  std::map<std::string, FileFacts> files_;
  std::vector<FileFacts> nodes_;
  std::map<std::string, unsigned> others_;
  std::set<std::string> missing_;
  bool driver_ = false, ollama_ = false, listed_nodes_ = false;
};

}  // namespace

void AddFiles(const Facts& facts, Machine& machine) { Files(facts, machine).Add(); }

}  // namespace gpustage::pasted
