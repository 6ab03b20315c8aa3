#include "harness/stage/host_loader.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "harness/base/elf_file.h"
#include "harness/base/files.h"
#include "harness/base/root.h"
#include "harness/stage/loader_cache.h"

namespace gpustage {
namespace {

constexpr char kLoader[] = "/lib64/ld-linux-x86-64.so.2";
// Debian's and those of everybody else; a file of another architecture is passed over.
constexpr const char* kDefaultDirectories[] = {"/lib/x86_64-linux-gnu",
                                               "/usr/lib/x86_64-linux-gnu",
                                               "/lib64",
                                               "/usr/lib64",
                                               "/lib",
                                               "/usr/lib"};

struct Object {
  std::string path;
  ElfFile file;
  const Object* brought_by = nullptr;
};

std::optional<ElfFile> Read(const std::string& path) {
  const Result<Fd> fd = OpenRegularFile(path);
  return fd ? ElfFile::Read(fd->get()) : std::nullopt;
}

const std::map<std::string, std::string, std::less<>>& Cache() {
  static const auto cache = [] {
    const Result<std::string> bytes = ReadRegularFile("/etc/ld.so.cache");
    return ReadLoaderCache(bytes ? *bytes : "");
  }();
  return cache;
}

void ReplaceAll(std::string& text, std::string_view what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// "$ORIGIN/../lib:/opt/lib" of an object -> directories. Empty and relative ones mean the working
// directory, which says nothing of the box.
std::vector<std::string> Directories(const std::string& list, const Object& of) {
  std::vector<std::string> directories;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(':', begin), list.size());
    std::string directory = list.substr(begin, end - begin);
    begin = end + 1;
    const std::string lib = IsDirectory(kDefaultDirectories[0]) ? "lib/x86_64-linux-gnu" : "lib64";
    for (const auto& [token, value] : {std::pair{std::string("ORIGIN"), ParentOf(of.path)},
                                       {"LIB", lib},
                                       {"PLATFORM", "x86_64"}}) {
      ReplaceAll(directory, "${" + token + "}", value);
      ReplaceAll(directory, "$" + token, value);
    }
    while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
    if (directory.starts_with('/')) directories.push_back(std::move(directory));
  }
  return directories;
}

class Loader {
 public:
  explicit Loader(Object program) { Take(std::move(program)); }

  Result<std::vector<std::string>> Load() {
    std::vector<std::string> paths;
    for (size_t i = 0; i < objects_.size(); ++i) {  // in width: what it finds joins the end
      const Object& of = objects_[i];
      for (const std::string& name : of.file.needed) {
        if (known_.contains(name)) continue;
        std::optional<Object> found = Find(name, of);
        if (!found)
          return Error{fmt::format("{} cannot start on this machine: {} => not found",
                                   objects_.front().path, name)};
        known_.insert(name);
        if (!files_.insert(IdOf(found->path)).second) continue;
        paths.push_back(found->path);
        found->brought_by = &of;
        Take(*std::move(found));
      }
    }
    if (!objects_.front().file.interpreter.empty() || objects_.size() > 1) paths.push_back(kLoader);
    return paths;
  }

 private:
  static std::pair<dev_t, ino_t> IdOf(const std::string& path) {
    struct stat found = {};
    stat(path.c_str(), &found);
    return {found.st_dev, found.st_ino};
  }

  void Take(Object object) {
    if (!object.file.soname.empty()) known_.insert(object.file.soname);
    objects_.push_back(std::move(object));
  }

  static std::optional<Object> Open(const std::string& path) {
    std::optional<ElfFile> file = Read(path);
    return file ? std::optional(Object{path, *std::move(file)}) : std::nullopt;
  }

  std::optional<Object> Find(const std::string& name, const Object& of) const {
    if (name.find('/') != std::string::npos) {
      const std::vector<std::string> whole = Directories(name, of);
      return whole.empty() ? std::nullopt : Open(whole.front());
    }
    std::vector<std::string> directories;
    const auto add = [&](const std::string& list, const Object& whose) {
      const std::vector<std::string> more = Directories(list, whose);
      directories.insert(directories.end(), more.begin(), more.end());
    };
    if (of.file.runpath.empty()) {
      for (const Object* whose = &of; whose != nullptr; whose = whose->brought_by)
        if (whose->file.runpath.empty()) add(whose->file.rpath, *whose);
      if (objects_.front().file.runpath.empty()) add(objects_.front().file.rpath, objects_.front());
    }
    const char* const ours = std::getenv("LD_LIBRARY_PATH");
    add(ours == nullptr ? "" : ours, of);
    add(of.file.runpath, of);
    for (const std::string& directory : directories)
      if (auto found = Open(directory + "/" + name)) return found;
    const auto cached = Cache().find(name);
    if (cached != Cache().end() && !(of.file.no_default_dirs && IsDefault(cached->second)))
      if (auto found = Open(cached->second)) return found;
    for (const char* directory : kDefaultDirectories)
      if (!of.file.no_default_dirs)
        if (auto found = Open(fmt::format("{}/{}", directory, name))) return found;
    return std::nullopt;
  }

  static bool IsDefault(const std::string& path) {
    return std::find(std::begin(kDefaultDirectories), std::end(kDefaultDirectories),
                     ParentOf(path)) != std::end(kDefaultDirectories);
  }

  std::deque<Object> objects_;  // the file itself first
  std::set<std::string> known_ = {BaseNameOf(kLoader)};
  std::set<std::pair<dev_t, ino_t>> files_;
};

}  // namespace

Result<std::vector<std::string>> LoadedFor(const std::string& file) {
  std::optional<ElfFile> elf = Read(file);
  if (!elf) return std::vector<std::string>{};
  std::string path = file;
  if (!path.starts_with('/'))
    if (char* const here = get_current_dir_name(); here != nullptr) {
      path = fmt::format("{}/{}", here, file);
      std::free(here);
    }
  return Loader({path, *std::move(elf)}).Load();
}

std::string InLoaderCache(const std::string& soname) {
  const auto found = Cache().find(soname);
  return found == Cache().end() ? "" : found->second;
}

}  // namespace gpustage
