#include "harness/suite/installation.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <sstream>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/scenario/catalog/allowed.h"

namespace gpustage {
namespace {

// GPUSTAGE_CACHE, as harness/dev and gpustage-real have it.
std::string CacheDirectory() {
  if (const char* chosen = std::getenv("GPUSTAGE_CACHE"); chosen != nullptr && *chosen != '\0')
    return chosen;
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.cache/gpustage";
}

struct Trees {
  std::string data;     // fixtures and scenarios
  std::string built;    // fakes, programs, recorders
  std::string fetcher;  // gpustage-real, which a build tree has not: there it is harness/dev
};

std::vector<std::string> Split(const char* list) {
  std::vector<std::string> parts;
  std::istringstream stream(list == nullptr ? "" : list);
  for (std::string part; std::getline(stream, part, ':');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

// "Warning: client version is 0.17.4" without a server; the address is one where none is.
std::string VersionOf(const std::string& ollama) {
  const Result<ProgramOutput> ran =
      RunProgram({"env", "OLLAMA_HOST=127.0.0.1:9", ollama, "--version"});
  constexpr std::string_view kBefore = "version is ";
  const size_t at = ran ? ran->out.find(kBefore) : std::string::npos;
  if (at == std::string::npos) return "unknown";
  const std::string rest = ran->out.substr(at + kBefore.size());
  return rest.substr(0, rest.find_first_of(" \n"));
}

std::vector<GivenProgram> GivenOllamas(std::vector<std::string> paths) {
  if (paths.empty()) paths = Split(std::getenv("GPUSTAGE_OLLAMA"));
  if (paths.empty())
    if (const std::string found = FindProgramOnHost("ollama"); !found.empty())
      paths.push_back(found);
  std::vector<GivenProgram> given;
  for (const std::string& path : paths) {
    const std::string program = IsDirectory(path) ? path + "/bin/ollama" : path;
    // Its libraries are beside the program itself, not beside a link to it.
    char real[PATH_MAX];
    if (access(program.c_str(), X_OK) != 0 || realpath(program.c_str(), real) == nullptr) continue;
    given.push_back({"ollama", real, VersionOf(real)});
  }
  return given;
}

// Where this code lies: in libgpustage.so or in a program. Nothing of a path is compiled in, so a
// tree may be moved.
std::string OwnDirectory() {
  Dl_info info;
  link_map* own = nullptr;
  char path[PATH_MAX];
  const bool found = dladdr1(reinterpret_cast<const void*>(&OwnDirectory), &info,
                             reinterpret_cast<void**>(&own), RTLD_DL_LINKMAP) != 0;
  if (!found || own->l_name[0] == '\0' || realpath(own->l_name, path) == nullptr)
    return ProgramDirectory();
  return ParentOf(path);
}

// The nearest folder above that has share/gpustage. A build tree has it, too, and links there.
Trees LookForTrees() {
  for (std::string prefix = OwnDirectory(); prefix != "/" && !prefix.empty();
       prefix = ParentOf(prefix)) {
    char data[PATH_MAX], built[PATH_MAX];
    if (realpath((prefix + "/share/gpustage/fixtures").c_str(), data) != nullptr &&
        realpath((prefix + "/lib/gpustage/fakes").c_str(), built) != nullptr)
      return {ParentOf(data), ParentOf(built),
              FileExists(prefix + "/bin/gpustage-real") ? "gpustage-real" : "harness/dev real"};
  }
  return {OwnDirectory(), OwnDirectory(),
          "gpustage-real"};  // what is missing is named when it is looked for
}

// Looked for once, by whoever selects cases: within a chroot /proc/self/exe is a path of the outer
// root as soon as this process has a mount namespace of its own.
const Trees& FindTrees() {
  static const Trees trees = LookForTrees();
  return trees;
}

}  // namespace

Catalog FindCatalog(const std::vector<std::string>& scanner_files,
                    const std::vector<std::string>& ollama) {
  const Trees& trees = FindTrees();
  Catalog catalog;
  catalog.scenarios = trees.data + "/scenarios";
  catalog.layouts = trees.data + "/fixtures/layouts";
  catalog.devices = trees.data + "/fixtures/devices";
  catalog.capabilities = trees.data + "/fixtures/compute-capabilities.yaml";
  catalog.scanners = trees.data + "/fixtures/scanners";
  catalog.real_parts = trees.data + "/fixtures/real-parts.yaml";
  catalog.scanner_files = scanner_files;
  TrustFilesBelow(trees.data + "/fixtures");
  catalog.fakes = trees.built + "/fakes";
  catalog.programs = trees.built + "/programs";
  catalog.real_root = CacheDirectory();
  catalog.fetcher = trees.fetcher;
  catalog.given = GivenOllamas(ollama);
  return catalog;
}

std::string LogsFolder() { return FindTrees().data + "/fixtures/logs"; }
std::string WordsFile() { return FindTrees().data + "/fixtures/find/words.yaml"; }
std::string RecordingsFolder() { return FindTrees().data + "/fixtures/recordings"; }

Recorders FindRecorders() {
  const std::string built = FindTrees().built + "/recorders/";
  return {built + "audit.so", built + "ask"};
}

}  // namespace gpustage
