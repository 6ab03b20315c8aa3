#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <set>

#include "harness/capture/collect.h"
#include "harness/capture/elf.h"
#include "harness/capture/stand_in.h"

namespace gpustage::capture {
namespace {

constexpr size_t kMostFiles = 1500;  // of one machine; more is said as a gap
constexpr int kDeepest = 3;          // below a place where GPU software is installed
constexpr size_t kShortText = 1000;  // bytes of a file that is no library
constexpr int kMostLinks = 40;

// Whole folders of GPU software, read with what is below them. Sources: fixtures/layouts, Ollama's
// install script and packages, llama.cpp's releases.
constexpr const char* kSoftware[] = {"/usr/lib/ollama",
                                     "/usr/local/lib/ollama",
                                     "/opt/ollama",
                                     "/usr/share/ollama",
                                     "/usr/lib64/ollama",
                                     "/app/lib/ollama",
                                     "/usr/lib/llama.cpp",
                                     "/usr/local/lib/llama.cpp",
                                     "/app",
                                     "/usr/share/vulkan/icd.d",
                                     "/etc/vulkan/icd.d",
                                     "/usr/local/share/vulkan/icd.d",
                                     "/etc/OpenCL/vendors",
                                     "/opt/rocm/lib/rocblas/library"};
constexpr const char* kDefaultDirectories[] = {"/lib/x86_64-linux-gnu",
                                               "/usr/lib/x86_64-linux-gnu",
                                               "/lib64",
                                               "/usr/lib64",
                                               "/lib",
                                               "/usr/lib",
                                               "/usr/lib/wsl/lib",
                                               "/usr/local/nvidia/lib",
                                               "/usr/local/nvidia/lib64",
                                               "/usr/local/lib",
                                               "/opt/rocm/lib",
                                               "/usr/local/cuda/lib64",
                                               "/usr/local/cuda/lib64/stubs",
                                               "/usr/local/cuda/compat",
                                               "/run/opengl-driver/lib",
                                               "/usr/lib/x86_64-linux-gnu/nvidia",
                                               "/usr/lib/x86_64-linux-gnu/nvidia/current"};
constexpr const char* kPathVariables[] = {"LD_LIBRARY_PATH", "OLLAMA_LIBRARY_PATH",
                                          "GGML_BACKEND_DIR"};
constexpr const char* kFileVariables[] = {"LD_PRELOAD",        "LD_AUDIT",
                                          "GGML_BACKEND_PATH", "VK_DRIVER_FILES",
                                          "VK_ICD_FILENAMES",  "VK_ADD_DRIVER_FILES"};

class Files {
 public:
  explicit Files(MachineFacts& facts) : facts_(facts), root_(facts.process.root) {}

  // The path with all directories above it and, of a link, all that it leads to. Where a directory
  // on the way is a link, what is behind it is taken by its own path alone.
  void Add(const std::string& path, int links = 0) {
    if (path.empty() || path[0] != '/' || links > kMostLinks) return;
    const std::string normal = Normal(path);
    for (size_t slash = normal.find('/', 1); slash != std::string::npos;
         slash = normal.find('/', slash + 1)) {
      const std::string above = normal.substr(0, slash);
      if (!One(above, links)) return;
      const std::string target = TargetOf(above);
      if (!target.empty()) return Add(target + normal.substr(slash), links + 1);
    }
    One(normal, links);
  }
  // Every GPU library in it; `all`: every file, `deep` levels down.
  void Directory(const std::string& directory, bool all, int deep) {
    DIR* const open = opendir((root_ + directory).c_str());
    if (open == nullptr) {
      if (errno != ENOENT && errno != ENOTDIR) {
        Add(directory);
        facts_.gaps.push_back({"what is in", directory, strerror(errno),
                               "run gpustage-capture as a user who may list it, or as root"});
      }
      return;
    }
    std::vector<std::string> names;
    while (const dirent* entry = readdir(open)) names.emplace_back(entry->d_name);
    closedir(open);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (name == "." || name == "..") continue;
      const std::string path = directory + "/" + name;
      if (all || IsGpuName(name)) Add(path);
      struct stat found;
      if (all && deep > 0 && lstat((root_ + path).c_str(), &found) == 0 && S_ISDIR(found.st_mode))
        Directory(path, true, deep - 1);
    }
  }

 private:
  static std::string Normal(const std::string& path) {
    std::vector<std::string> parts;
    size_t begin = 0;
    while (begin <= path.size()) {
      const size_t end = std::min(path.find('/', begin), path.size());
      const std::string part = path.substr(begin, end - begin);
      begin = end + 1;
      if (part.empty() || part == ".") continue;
      if (part == ".." && !parts.empty())
        parts.pop_back();
      else if (part != "..")
        parts.push_back(part);
    }
    std::string normal;
    for (const std::string& part : parts) normal += "/" + part;
    return normal.empty() ? "/" : normal;
  }

  // Where a link leads, as a path; "" when it is none.
  std::string TargetOf(const std::string& path) const {
    char text[4096];
    const ssize_t got = readlink((root_ + path).c_str(), text, sizeof text);
    if (got <= 0) return "";
    const std::string link(text, static_cast<size_t>(got));
    return link[0] == '/' ? link : path.substr(0, path.rfind('/')) + "/" + link;
  }

  // Whether there is something of that name, and the way may go on through it as a directory.
  bool One(const std::string& path, int links) {
    if (!taken_.insert(path).second) return true;
    if (facts_.files.size() >= kMostFiles) {
      if (!full_)
        facts_.gaps.push_back(
            {"all files", "",
             "more than " + std::to_string(kMostFiles) + " is the limit of a capture",
             "name the directory that matters with --dir"});
      full_ = true;
      return false;
    }
    struct stat found;
    if (lstat((root_ + path).c_str(), &found) != 0) return false;
    FileFacts file;
    file.path = path;
    file.mode = found.st_mode & 07777;
    file.uid = found.st_uid;
    file.gid = found.st_gid;
    file.size = static_cast<uint64_t>(found.st_size);
    file.inode = found.st_ino;
    file.device = found.st_dev;
    file.kind = S_ISDIR(found.st_mode)   ? FileKind::kDirectory
                : S_ISLNK(found.st_mode) ? FileKind::kLink
                : S_ISREG(found.st_mode) ? FileKind::kFile
                                         : FileKind::kOther;
    if (file.kind == FileKind::kFile) ReadContent(file);
    if (file.kind == FileKind::kLink) {
      char text[4096];
      const ssize_t got = readlink((root_ + path).c_str(), text, sizeof text);
      if (got > 0) file.link.assign(text, static_cast<size_t>(got));
    }
    facts_.files.push_back(file);
    if (file.kind != FileKind::kLink) return true;
    Add(TargetOf(path), links + 1);
    return true;
  }

  void ReadContent(FileFacts& file) const {
    const int fd = open((root_ + file.path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
      file.error = strerror(errno);
      return;
    }
    ElfFacts elf = ReadElf(fd, file.size, file.path.substr(file.path.rfind('/') + 1));
    if (elf.is_elf) {
      file.elf = std::move(elf);
    } else if (file.size <= kShortText) {
      char text[kShortText];
      const ssize_t got = pread(fd, text, sizeof text, 0);
      if (got > 0) file.text.assign(text, static_cast<size_t>(got));
    }
    close(fd);
  }

  MachineFacts& facts_;
  const std::string root_;
  std::set<std::string> taken_;
  bool full_ = false;
};

bool IsOfEverySystem(const std::string& name) {
  for (const char* stem : {"libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so",
                           "libgcc_s.so", "libstdc++.so", "ld-linux"})
    if (name.rfind(stem, 0) == 0) return true;
  return false;
}

std::vector<std::string> PartsOf(const std::string& value) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (begin < value.size()) {
    const size_t end = std::min(value.find_first_of(": ", begin), value.size());
    if (end > begin) parts.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// What a library needs and is in no directory where a loader may look for it; what is GPU software
// is told by the files themselves. And a version of glibc that this one does not have.
class Needs {
 public:
  Needs(MachineFacts& facts, const std::vector<std::string>& places)
      : facts_(facts), root_(facts.process.root), places_(places) {
    for (const char* folder :
         {"/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib", "/lib"}) {
      const std::string path = std::string(folder) + "/libc.so.6";
      const int fd = open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
      struct stat found;
      if (fd < 0) continue;
      if (fstat(fd, &found) == 0)
        for (const std::string& version :
             ReadElf(fd, static_cast<uint64_t>(found.st_size), "libc.so.6").versions)
          glibc_.insert(version);
      close(fd);
      break;
    }
  }
  void Resolve() {
    for (FileFacts& file : facts_.files) {
      if (!file.elf || FakeOf(file).name.empty()) continue;
      for (const std::string& name : file.elf->needed)
        if (!IsGpuName(name) && !IsOfEverySystem(name) && !IsAnywhere(file, name))
          file.elf->unmet.push_back(name);
      if (!glibc_.empty())
        for (const auto& [library, version] : file.elf->wanted_versions)
          if (library == "libc.so.6" && glibc_.count(version) == 0) file.elf->newer_libc = version;
    }
  }

 private:
  bool IsThere(const std::string& path) const { return access((root_ + path).c_str(), F_OK) == 0; }
  bool IsAnywhere(const FileFacts& file, const std::string& name) const {
    if (name.find('/') != std::string::npos) return IsThere(name);
    const std::string own = file.path.substr(0, file.path.rfind('/'));
    if (IsThere(own + "/" + name)) return true;
    for (const auto& list : {file.elf->rpath, file.elf->runpath})
      for (std::string folder : PartsOf(list.value_or(""))) {
        for (const char* origin : {"$ORIGIN", "${ORIGIN}"})
          if (const size_t at = folder.find(origin); at != std::string::npos)
            folder.replace(at, strlen(origin), own);
        if (IsThere(folder + "/" + name)) return true;
      }
    for (const std::string& folder : places_)
      if (IsThere(folder + "/" + name)) return true;
    return false;
  }

  MachineFacts& facts_;
  const std::string root_;
  const std::vector<std::string>& places_;
  std::set<std::string> glibc_;
};

}  // namespace

bool IsGpuName(const std::string& name) {
  if (name.find(".so") == std::string::npos) return false;
  for (const char* part :
       {"libcuda",     "libnvidia-",    "libcudart",        "libcublas",     "libggml",
        "libvulkan",   "libamdhip64",   "libhsa-runtime64", "librocm_smi64", "libamd_smi",
        "libOpenCL",   "libGLX_nvidia", "libEGL_nvidia",    "libze_loader",  "librocblas",
        "libllama",    "libdxcore",     "libnvcuvid",       "libhipblas",    "amdvlk64",
        "libX11.so.6", "libXext.so.6"})
    if (name.rfind(part, 0) == 0) return true;
  return false;
}

void ReadFiles(const std::vector<std::string>& more, MachineFacts& facts) {
  Files files(facts);
  const auto variable = [&](const std::string& name) {
    for (const auto& [key, value] : facts.process.environment)
      if (key == name) return value;
    return std::string();
  };
  files.Add(facts.process.executable);
  // A program that has its libraries beside it, or in ../lib/ollama.
  if (const std::string& program = facts.process.executable;
      program.find("ollama") != std::string::npos) {
    const std::string bin = program.substr(0, program.rfind('/'));
    files.Directory(bin.substr(0, bin.rfind('/')) + "/lib/ollama", true, kDeepest);
  }
  for (const char* directory : kSoftware)
    if (std::string(directory) != "/app" || !facts.markers.empty())
      files.Directory(directory, true, kDeepest);
  for (const char* name : kPathVariables)
    for (const std::string& directory : PartsOf(variable(name))) {
      files.Add(directory);
      files.Directory(directory, false, 0);
    }
  for (const char* name : kFileVariables)
    for (const std::string& file : PartsOf(variable(name))) files.Add(file);
  for (const std::string& directory : facts.loader_directories)
    files.Directory(directory, false, 0);
  for (const char* directory : kDefaultDirectories) files.Directory(directory, false, 0);
  for (const auto& [name, path] : facts.loader_cache) files.Add(path);
  for (const std::string& directory : more) {
    files.Add(directory);
    files.Directory(directory, true, kDeepest);
  }
  std::vector<std::string> places = facts.loader_directories;
  places.insert(places.end(), std::begin(kDefaultDirectories), std::end(kDefaultDirectories));
  for (const std::string& directory : PartsOf(variable("LD_LIBRARY_PATH")))
    places.push_back(directory);
  Needs(facts, places).Resolve();
}

}  // namespace gpustage::capture
