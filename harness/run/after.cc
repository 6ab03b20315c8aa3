#include "harness/run/after.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "harness/base/files.h"

namespace gpustage {
namespace {

// The begin of a small file; "" when it is not there.
std::string TextOf(const FileOpener& open, const std::string& path) {
  char text[4096];
  const Fd fd = open(path);
  const ssize_t n = fd ? read(fd.get(), text, sizeof text) : 0;
  return {text, static_cast<size_t>(std::max<ssize_t>(n, 0))};
}

class MappedFiles {
 public:
  MappedFiles(const FileOpener& open, AfterRun& after) : open_(open), after_(after) {}

  void Read(const MappedBy& process) {
    std::vector<Object> objects;
    for (const std::string& name : process.objects)
      objects.push_back({name, Get(name.empty() ? process.program : name)});
    for (const Object& object : objects) {
      if (object.file == nullptr || LacksALibrary(objects, *object.file)) continue;
      LackedSymbols lacked = {process.pid, object.name, {}};
      for (const WantedSymbol& want : object.file->wanted)
        if (std::none_of(objects.begin(), objects.end(), [&](const Object& other) {
              return other.file != nullptr && other.file->Has(want);
            }))
          lacked.symbols.push_back(want);
      if (!lacked.symbols.empty()) after_.lacked.push_back(std::move(lacked));
    }
  }

 private:
  struct Object {
    std::string name;
    const ElfFile* file = nullptr;  // null: it cannot be read
  };

  static bool LacksALibrary(const std::vector<Object>& objects, const ElfFile& file) {
    return std::any_of(file.needed.begin(), file.needed.end(), [&](const std::string& name) {
      return std::none_of(objects.begin(), objects.end(), [&](const Object& object) {
        return IsCalled(object.name, object.file == nullptr ? "" : object.file->soname, name);
      });
    });
  }

  const ElfFile* Get(const std::string& path) {
    auto known = files_.find(path);
    if (known == files_.end()) {
      const Fd fd = open_(path);
      known = files_.emplace(path, fd ? ElfFile::Read(fd.get()) : std::nullopt).first;
      if (known->second) Note(path, *known->second);
    }
    return known->second ? &*known->second : nullptr;
  }

  void Note(const std::string& path, const ElfFile& file) {
    MappedFile note = {path,         file.soname,          file.needed,
                       file.runpath, file.wanted_versions, file.versions,
                       {},           file.asks_past_plt};
    for (const char* function : kInterposable)
      if (file.Has({function, "", ""})) note.provides.emplace_back(function);
    after_.mapped.push_back(std::move(note));
  }

  const FileOpener& open_;
  AfterRun& after_;
  std::map<std::string, std::optional<ElfFile>> files_;
};

using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> IdOf(const FileOpener& open, const std::string& path) {
  struct stat found;
  const Fd fd = open(path);
  return fd && fstat(fd.get(), &found) == 0 ? std::optional(FileId{found.st_dev, found.st_ino})
                                            : std::nullopt;
}

}  // namespace

void ReadUsedFiles(const Questions& questions, const FileOpener& open,
                   const std::vector<std::string>& unasked, AfterRun& after) {
  for (const std::string& path : questions.kernel_files)
    if (open(path)) after.own_kernel_files.push_back(path);
  std::set<FileId> of_machine;
  for (const std::string& path : unasked)
    if (const auto id = IdOf(open, path)) of_machine.insert(*id);
  if (!of_machine.empty())
    for (const std::string& path : questions.used)
      if (const auto id = IdOf(open, path); id && of_machine.contains(*id))
        after.of_machine.push_back(path);
  if (questions.mapped.empty()) return;
  after.preload = TextOf(open, "/etc/ld.so.preload");
  MappedFiles files(open, after);
  for (const MappedBy& process : questions.mapped) files.Read(process);
}

namespace {

// Where a RUNPATH of what its process mapped has it.
std::vector<std::string> PlacesOf(const Sought& sought, const Questions& questions,
                                  const AfterRun& after) {
  std::vector<std::string> places;
  for (const MappedBy& process : questions.mapped) {
    if (process.pid != sought.pid) continue;
    for (const std::string& object : process.objects) {
      const std::string& path = object.empty() ? process.program : object;
      for (const MappedFile& file : after.mapped)
        if (file.path == path)
          for (const std::string& folder : FoldersOfRunpath(file.runpath, path))
            places.push_back(folder + "/" + sought.name);
    }
  }
  return places;
}

}  // namespace

void LookAround(const Questions& questions, const Root& root, const Identity& who,
                AfterRun& after) {
  for (const std::string& path : questions.looks)
    after.looked.push_back(
        LookAt(root, path, who, path.starts_with("/dev/") ? Want::kWrite : Want::kRead));
  for (const Sought& sought : questions.sought)
    for (const std::string& path : PlacesOf(sought, questions, after))
      if (std::none_of(after.looked.begin(), after.looked.end(),
                       [&](const Looked& known) { return known.path == path; }))
        after.looked.push_back(LookAt(root, path, who, Want::kRead));
  for (const std::string& path : questions.ends)
    after.ends[path] = LookAt(root, path, who, Want::kRead).end;
}

Result<AfterRun> AskAfter(const Questions& questions, const ScannerStart& start,
                          const std::vector<std::string>& unasked, const Root& root,
                          const Recorders& recorders, const Isolation& isolation) {
  AfterRun after;
  after.uid = static_cast<int>(start.user.uid);
  after.host_directories = start.host_directories;
  const FileOpener open_inside = [&](const std::string& path) {
    const auto& shown = start.host_directories;
    const bool of_host = std::any_of(shown.begin(), shown.end(), [&](const std::string& directory) {
      return path.starts_with(directory + "/");
    });
    if (!of_host) return root.ReadRegular(path);
    Result<Fd> fd = OpenRegularFile(path);
    return fd ? *std::move(fd) : Fd();
  };
  ReadUsedFiles(questions, open_inside, unasked, after);
  for (const Question& question : questions.dlopens) {
    ScannerStart asking = start;
    if (!question.environment.empty()) asking.environment = question.environment;
    TRY(std::vector<DlopenAnswer> said, Ask(asking, question.paths, root, recorders, isolation));
    after.answered.push_back({question.environment, std::move(said)});
  }
  LookAround(questions, root, start.user, after);
  return after;
}

}  // namespace gpustage
