#include "tests/programs/install.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "harness/base/process.h"

namespace gpustage {
namespace {

namespace fs = std::filesystem;

ScratchDirectory MakeScratch() {
  auto scratch = ScratchDirectory::Make();
  GPUSTAGE_CHECK(scratch.ok());
  return *std::move(scratch);
}

}  // namespace

int CountOf(const Printed& printed, const std::string& text) {
  return static_cast<int>(
      std::count_if(printed.lines.begin(), printed.lines.end(),
                    [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

Printed RunWith(const std::vector<std::string>& env, const std::vector<std::string>& argv,
                bool as_nobody) {
  std::vector<std::string> words = {"env", "-i"};
  if (as_nobody && geteuid() == 0)
    words = {"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "-i"};
  words.insert(words.end(), env.begin(), env.end());
  words.insert(words.end(), argv.begin(), argv.end());
  const auto output = RunProgram(words);
  GPUSTAGE_CHECK(output.ok());
  Printed printed{output->exit_code, {}};
  std::istringstream text(output->out);
  for (std::string line; std::getline(text, line);)
    printed.lines.push_back(line.starts_with("time=") ? line.substr(line.find(' ') + 1) : line);
  return printed;
}

std::string RealPart(const std::string& name) {
  const auto variable = [](const char* text) { return std::string(text == nullptr ? "" : text); };
  const std::string given = variable(std::getenv("GPUSTAGE_CACHE"));
  const std::string cache =
      given.empty() ? variable(std::getenv("HOME")) + "/.cache/gpustage" : given;
  const std::string part = cache + "/real/" + name;
  return FileExists(part + "/libggml.so") ? part : "";
}

Install::Install() : scratch_(MakeScratch()) {
  fs::permissions(root(), fs::perms(0755));
  fs::create_directories(root() + "/bin");
  fs::create_directories(lib());
  fs::create_directories(root() + "/home");  // of whoever starts it
  fs::permissions(root() + "/home", fs::perms(0777));
  fs::copy_file(PROGRAMS "/ollama-model", exe());
}

std::string Install::Prepare(const std::string& path) const {
  const std::string full = lib() + '/' + path;
  fs::create_directories(fs::path(full).parent_path());
  return full;
}

void Install::AddBackend(const std::string& path, const std::string& backend) const {
  fs::copy_file(BACKENDS "/" + backend + ".so", Prepare(path));
}

void Install::AddFile(const std::string& path, const std::string& content) const {
  GPUSTAGE_CHECK(WriteFile(Prepare(path), content).ok());
}

void Install::AddDirectory(const std::string& path) const { fs::create_directories(Prepare(path)); }

void Install::AddSymlink(const std::string& path, const std::string& to) const {
  fs::create_symlink(to, Prepare(path));
}

Printed Install::Serve(std::vector<std::string> env, bool as_nobody) const {
  if (std::none_of(env.begin(), env.end(),
                   [](const std::string& entry) { return entry.starts_with("HOME="); }))
    env.push_back("HOME=" + root() + "/home");
  return RunWith(env, {exe(), "serve"}, as_nobody);
}

}  // namespace gpustage
