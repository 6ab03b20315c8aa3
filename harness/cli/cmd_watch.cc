#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "harness/base/files.h"
#include "harness/base/root.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/scenario/yaml/yaml.h"

extern char** environ;

namespace gpustage {
namespace {

constexpr uint32_t kSaved = IN_CLOSE_WRITE | IN_MOVED_TO, kNewFolder = IN_CREATE | IN_MOVED_TO;
constexpr int kQuiet = 20;  // ms: an editor writes a file in several steps

bool IsYaml(const std::string& name) {
  return (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.starts_with('.');
}

// What is saved below some folders.
class Saves {
 public:
  static Result<Saves> Of(const std::vector<std::string>& paths) {
    Fd notes(inotify_init1(IN_CLOEXEC));
    if (!notes) return Error{fmt::format("nothing can be watched: {}", std::strerror(errno))};
    Saves saves(std::move(notes));
    for (const std::string& path : paths) {
      if (!FileExists(path)) return Error{fmt::format("there is no {}", path)};
      if (!IsDirectory(path)) saves.files_.insert(path);
      TRY(saves.Add(IsDirectory(path) ? path : ParentOf(path), IsDirectory(path)));
    }
    return saves;
  }

  size_t folders() const { return folders_.size(); }

  // The files that were saved, when nothing more is saved for a moment.
  Result<std::set<std::string>> Next() {
    std::set<std::string> saved;
    pollfd wait = {notes_.get(), POLLIN, 0};
    while (poll(&wait, 1, saved.empty() ? -1 : kQuiet) != 0) {
      alignas(inotify_event) std::array<char, 65536> buffer;
      const ssize_t n = read(notes_.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return Error{fmt::format("nothing is told any more: {}", std::strerror(errno))};
      for (ssize_t at = 0; at < n;) {
        const auto& note = *reinterpret_cast<const inotify_event*>(buffer.data() + at);
        at += static_cast<ssize_t>(sizeof note + note.len);
        TRY(Took(note, saved));
      }
    }
    return saved;
  }

 private:
  explicit Saves(Fd notes) : notes_(std::move(notes)) {}

  Status Add(const std::string& folder, bool all) {
    const int number =
        inotify_add_watch(notes_.get(), folder.c_str(), kSaved | kNewFolder | IN_ONLYDIR);
    if (number < 0)
      return Error{fmt::format("{} cannot be watched: {}", folder, std::strerror(errno))};
    auto& known = folders_[number];
    known = {folder, all || known.second};
    if (!all) return Ok();
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none))
      if (entry.is_directory(none) && !entry.is_symlink(none)) TRY(Add(entry.path(), true));
    return Ok();
  }

  Status Took(const inotify_event& note, std::set<std::string>& saved) {
    const auto folder = folders_.find(note.wd);
    if (folder == folders_.end() || note.len == 0) return Ok();
    const std::string name = note.name;
    const std::string path = folder->second.first == "/" || folder->second.first == "."
                                 ? name
                                 : folder->second.first + "/" + name;
    if ((note.mask & IN_ISDIR) != 0) {
      if (!folder->second.second) return Ok();
      TRY(Add(path, true));
      std::error_code none;  // what was put into it meanwhile
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path, none))
        if (IsYaml(entry.path().filename())) saved.insert(entry.path());
    } else if ((note.mask & kSaved) != 0 && IsYaml(name) &&
               (folder->second.second || files_.count(path) != 0)) {
      saved.insert(path);
    }
    return Ok();
  }

  Fd notes_;
  std::map<int, std::pair<std::string, bool>> folders_;  // with all below, or some of its files
  std::set<std::string> files_;
};

// Another file of ours, a layout or a scanner, may be in use by any scenario.
bool IsFixture(const std::string& file) {
  const Result<YamlNode> root = ReadYamlFile(file);
  return root && root->IsMap() && root->Find("claim") == nullptr;
}

// A process of its own: what is wrong with a file ends it, and not the watch.
void RunFiles(const std::vector<std::string>& paths, const CaseFilter& selection) {
  std::vector<std::string> words = {"gpustage", "run"};
  words.insert(words.end(), paths.begin(), paths.end());
  const auto add = [&](const char* option, const std::vector<std::string>& values) {
    for (const std::string& value : values) words.insert(words.end(), {option, value});
  };
  add("--scanner", selection.scanners);
  add("--fixtures", selection.fixtures);
  add("--ollama", selection.ollama);
  if (!selection.filter.empty()) add("--filter", {selection.filter});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv.data(), environ) != 0) return;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
}

int Watch(const CaseFilter& selection) {
  std::vector<std::string> paths =
      selection.paths.empty() ? std::vector<std::string>{"."} : selection.paths;
  std::vector<std::string> watched = paths;
  watched.insert(watched.end(), selection.fixtures.begin(), selection.fixtures.end());
  Result<Saves> saves = Saves::Of(watched);
  if (!saves) return PrintError(saves.error(), kBadInput);
  fmt::print("watching {} folders; ^C ends\n", saves->folders());
  std::fflush(stdout);
  for (;;) {
    const Result<std::set<std::string>> saved = saves->Next();
    if (!saved) return PrintError(saved.error(), kCannotHere);
    std::vector<std::string> affected;
    for (const std::string& file : *saved)
      if (FileExists(file)) affected.push_back(file);
    if (affected.empty()) continue;
    if (std::any_of(affected.begin(), affected.end(), IsFixture)) affected = paths;
    RunFiles(affected, selection);
    fmt::print("\n");
    std::fflush(stdout);
  }
}

}  // namespace

Action DeclareWatch(CLI::App& app) {
  const auto selection = std::make_shared<CaseFilter>();
  AddFooter(
      app,
      "A scenario that is saved, new or renamed runs at once, and no other; a layout, device or "
      "scanner of yours may be of any, so all run. Without a path it is this folder.");
  AddSelection(app, *selection);
  return [selection](const Program&) { return Watch(*selection); };
}

}  // namespace gpustage
