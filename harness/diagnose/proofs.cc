#include "harness/diagnose/proofs.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <sstream>

#include "harness/base/files.h"
#include "harness/stage/plan.h"
#include "harness/stage/world_file.h"

namespace gpustage {
namespace {

// A file of the host, as far as it tells one build from another.
std::string StampOf(const std::string& path) {
  struct stat found;
  if (path.empty() || stat(path.c_str(), &found) != 0) return path;
  return fmt::format("{} {} {}.{}", path, found.st_size, found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec);
}

// All that the run can see. The same text for the same machine.
std::string ContentOf(const Case& c, size_t run) {
  const RunSpec& spec = c.runs[run];
  std::string text = fmt::format("{}\n{}\n{}\n", RunName(spec.scanner.name, spec.scanner),
                                 StampOf(spec.scanner.program), spec.user.value_or(c.user));
  std::vector<TreeOp> ops = c.tree;
  for (size_t i = 0; i <= run; ++i)
    ops.insert(ops.end(), c.runs[i].change.begin(), c.runs[i].change.end());
  for (const TreeOp& op : ops) {
    text += ToString(op) + '\n';
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    if (placed == nullptr) continue;
    text += StampOf(placed->source.host_path) + '\n';
    if (placed->machine)
      if (const Result<std::string> own = WorldFile(Changed(c.machine, *placed->machine)))
        text += *own;
  }
  for (const std::string& variable : EnvironmentOf(c, spec)) text += variable + '\n';
  for (const std::string& word : spec.args) text += word + '\n';
  for (const std::string& group : spec.groups.value_or(c.groups)) text += group + '\n';
  const Result<std::string> world = WorldFile(c.machine);
  return text + (world ? *world : "");
}

// FNV-1a. The whole text stands in the file, so that another one of the same hash is no match.
uint64_t HashOf(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string Folder() {
  if (const char* cache = std::getenv("GPUSTAGE_CACHE"); cache != nullptr && *cache != '\0')
    return std::string(cache) + "/proven";
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.cache/gpustage/proven";
}

std::string FileFor(const std::string& content) {
  const std::string folder = Folder();
  return folder.empty() ? "" : fmt::format("{}/{:016x}", folder, HashOf(content));
}

constexpr char kEnd[] = "\n--\n";  // behind the content

}  // namespace

void KeepProofs(const Case& c, size_t run, const WhyReport& report) {
  const std::string content = ContentOf(c, run);
  const std::string file = FileFor(content);
  if (file.empty() || report.answers.empty()) return;
  std::string text = content + kEnd;
  for (const Mending& answer : report.answers) {
    std::string words;
    for (const Intervention& change : answer.changes)
      words += (words.empty() ? "" : ", and ") + ToString(change);
    if (words.find('\n') == std::string::npos)
      text += answer.changes.front().subject + '\t' + words + '\n';
  }
  const std::string parent = ParentOf(Folder());
  mkdir(parent.c_str(), 0755);
  mkdir(Folder().c_str(), 0755);
  if (const Status kept = WriteFile(file, text); !kept) return;
}

std::vector<ProvenTry> ProofsOf(const Case& c, size_t run) {
  const std::string content = ContentOf(c, run);
  const Result<std::string> kept = ReadFile(FileFor(content));
  if (!kept || !kept->starts_with(content + kEnd)) return {};
  std::vector<ProvenTry> proofs;
  std::istringstream lines(kept->substr(content.size() + sizeof kEnd - 1));
  for (std::string line; std::getline(lines, line);)
    if (const size_t tab = line.find('\t'); tab != std::string::npos)
      proofs.push_back({line.substr(0, tab), line.substr(tab + 1)});
  return proofs;
}

}  // namespace gpustage
