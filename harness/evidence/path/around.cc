#include "harness/evidence/path/around.h"

#include <re2/re2.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/evidence/path/families.h"
#include "harness/evidence/path/places.h"

namespace gpustage {
namespace {

// Where execvp(3) looks when PATH is not set, and where Debian's shells do.
constexpr std::string_view kUsualPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// Names of directories that any path may have.
constexpr std::string_view kCommon[] = {"",    "usr",  "lib", "lib64", "local", "opt",
                                        "bin", "home", "etc", "var",   "share"};

bool AsksForFile(const Event& event) {
  return event.kind == EventKind::kOpen || event.kind == EventKind::kLook ||
         event.kind == EventKind::kList || event.kind == EventKind::kExec;
}

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(by, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// The folders that a process looks for programs in.
std::set<std::string, std::less<>> FoldersOf(const Evidence& evidence, int pid) {
  // One that only tries to start another has no program of its own yet: it has the first's.
  const Process* process = ProcessOf(evidence, pid);
  if (process == nullptr && !evidence.processes.empty()) process = &evidence.processes.front();
  const auto own = process == nullptr ? std::nullopt : VariableOf(process, "PATH");
  std::set<std::string, std::less<>> folders;
  for (const std::string_view part : Split(own && !own->empty() ? *own : kUsualPath, ':'))
    if (const size_t end = part.find_last_not_of('/');
        end != std::string_view::npos && part.starts_with('/'))
      folders.insert(LexicallyNormal(std::string(part.substr(0, end + 1))));
  return folders;
}

// A program that was looked for by its name, and that no folder of PATH has: each was asked. What
// is looked for in one of them alone is something else, as the folders that ld.so looks into below
// one of its own (tls, x86_64) are.
void AddPrograms(const Evidence& evidence, std::vector<Fact>& facts) {
  std::map<int, std::set<std::string, std::less<>>> folders;
  std::map<std::pair<std::string, int>, std::set<std::string>> missing;
  std::map<std::pair<std::string, int>, EventId> first;
  std::set<std::string> there, told;
  for (const Event& event : evidence.events) {
    if (event.kind == EventKind::kProcess) there.insert(BaseNameOf(event.subject));
    if (!AsksForFile(event)) continue;
    const auto own = folders.find(event.pid);
    const auto& path =
        own != folders.end()
            ? own->second
            : folders.emplace(event.pid, FoldersOf(evidence, event.pid)).first->second;
    std::string folder = ParentOf(event.subject);
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();  // of "/bin/" in PATH
    if (!path.contains(folder)) continue;
    const std::string name = BaseNameOf(event.subject);
    if (event.value == ENOENT && name.find('.') == std::string::npos) {
      missing[{name, event.pid}].insert(folder);
      first.emplace(std::pair(name, event.pid), event.id);
    } else if (event.value <= 0) {
      there.insert(name);
    }
  }
  for (const auto& [asked, places] : missing) {
    const auto& [name, pid] = asked;
    if (there.contains(name) || places.size() < folders[pid].size() || !told.insert(name).second)
      continue;
    Fact fact;
    fact.kind = Fact::Kind::kProgram;
    fact.subject = name;
    fact.number = static_cast<int64_t>(places.size());
    fact.event = first[asked];
    facts.push_back(std::move(fact));
  }
}

// A try of this very name in a folder that holds others: not in one above the library's own, where
// every loader of backends tries it first.
bool IsForOthers(const FunnelRow& row, const std::string& path) {
  const std::string folder = ParentOf(path);
  return row.cause() == Cause::kNotTried && folder != "/" && !row.library.starts_with(folder + "/");
}

// Another row is about the library of that name in this very folder, and says where it lies.
bool IsOfAnother(const Evidence& evidence, const FunnelRow& row, const std::string& folder) {
  return std::any_of(evidence.funnel.begin(), evidence.funnel.end(), [&](const FunnelRow& other) {
    return other.library != row.library && BaseNameOf(other.library) == BaseNameOf(row.library) &&
           ParentOf(other.library) == folder;
  });
}

// A directory, or a file, of the name of one on the way to the library that was looked for
// elsewhere.
void AddVain(const AfterRun& after, const Evidence& evidence, const FunnelRow& row,
             std::vector<Fact>& facts) {
  if (const Looked* const own = LookedAt(after, row.library); own == nullptr || own->error != 0)
    return;  // of what is not there itself no copy is missed
  // Whoever came to its folder was led astray by none on the way.
  const bool listed =
      std::any_of(evidence.events.begin(), evidence.events.end(), [&](const Event& event) {
        return event.kind == EventKind::kList && event.value <= 0 &&
               LexicallyNormal(event.subject) == ParentOf(row.library);
      });
  std::set<std::string> told;
  for (const Event& event : evidence.events) {
    const std::string& path = event.subject;
    if (!AsksForFile(event) || event.value != ENOENT || !path.starts_with('/') ||
        path.starts_with("/proc/") || path.starts_with("/etc/"))
      continue;
    const std::string name = BaseNameOf(path);
    if (std::find(std::begin(kCommon), std::end(kCommon), name) != std::end(kCommon)) continue;
    const size_t at = row.library.find("/" + name + "/");
    const bool file = BaseNameOf(row.library) == name;
    const std::string normal = LexicallyNormal(path);
    if (row.library.starts_with(normal) || IsOfAnother(evidence, row, normal)) continue;
    if (at != std::string::npos && listed) continue;
    if (at == std::string::npos && !(file && IsForOthers(row, normal))) continue;
    if (told.size() == 2 || !told.insert(normal).second) continue;
    Fact fact;
    fact.kind = Fact::Kind::kVain;
    fact.subject = normal;
    fact.other = file ? row.library : row.library.substr(0, at + name.size() + 1);
    fact.event = event.id;
    facts.push_back(std::move(fact));
  }
}

// "/usr/bin/ollama" for "/usr/lib/ollama"; "" for what is no folder of a program's libraries.
std::string ProgramBeside(const std::string& folder) {
  const std::string above = ParentOf(folder), prefix = ParentOf(above);
  const std::string name = BaseNameOf(above);
  return name == "lib" || name == "lib64"
             ? (prefix == "/" ? "" : prefix) + "/bin/" + BaseNameOf(folder)
             : "";
}

// The program of that folder is a link, and the libraries lie beside what it leads to.
void AddProgramsLink(const AfterRun& after, std::vector<Fact>& facts) {
  for (size_t i = 0; i < facts.size(); ++i) {
    if (facts[i].kind != Fact::Kind::kVain) continue;
    const Looked* const program = LookedAt(after, ProgramBeside(facts[i].subject));
    if (program == nullptr || program->links.empty() || program->error != 0) continue;
    Fact link;
    link.kind = Fact::Kind::kLink;
    link.subject = program->path;
    link.other = program->end;
    link.number = 1;
    facts.insert(facts.begin(), std::move(link));
    return;
  }
}

// A library of a GPU that the scanner's log names, and that no process came to.
void AddNamed(const Evidence& evidence, std::vector<Fact>& facts) {
  static const RE2 library(R"((?:^|[^\w/.-])(lib[\w+-]+\.so[.\d]*))");
  std::set<std::string> told;
  for (const LogLine& line : evidence.log) {
    re2::StringPiece rest(line.text);
    for (std::string name; RE2::FindAndConsume(&rest, library, &name);) {
      while (name.ends_with('.')) name.pop_back();
      const Family family = FamilyOfLibrary(name);
      if (family == Family::kNone || family == Family::kBackend || told.size() == 2 ||
          !told.insert(name).second)
        continue;
      const bool asked =
          std::any_of(evidence.events.begin(), evidence.events.end(), [&](const Event& event) {
            return (AsksForFile(event) || event.kind == EventKind::kSearch ||
                    event.kind == EventKind::kLoad) &&
                   BaseNameOf(event.subject).starts_with(name);
          });
      if (asked) continue;
      Fact fact;
      fact.kind = Fact::Kind::kNamed;
      fact.subject = name;
      for (const std::string& path : evidence.setting.libraries)
        if (BaseNameOf(path).starts_with(name)) fact.other = path;
      fact.event = line.event;
      facts.push_back(std::move(fact));
    }
  }
}

// The same library in a folder into which nobody looked, for one that is not there.
void AddElsewhere(const AfterRun& after, const Evidence& evidence, const FunnelRow& row,
                  std::vector<Fact>& facts) {
  const Looked* const own = LookedAt(after, row.library);
  if (own == nullptr || own->error != ENOENT) return;
  const Looked* const directory = LookedAt(after, ParentOf(row.library));
  for (const FunnelRow& other : evidence.funnel) {
    if (other.pid != 0 || other.library == row.library ||
        BaseNameOf(other.library) != BaseNameOf(row.library))
      continue;
    const Looked* const there = LookedAt(after, other.library);
    if (there == nullptr || there->error != 0) continue;
    Fact fact;
    fact.kind = Fact::Kind::kCopy;
    fact.subject = other.library;
    fact.other = row.library;
    fact.number = directory != nullptr && directory->error == ENOENT ? 1 : 0;
    facts.push_back(std::move(fact));
  }
}

}  // namespace

const Event* RefusedAndTold(const Evidence& evidence) {
  const Outcome& outcome = evidence.outcome;
  const bool bad = outcome.kind == Outcome::Kind::kKilled ||
                   (outcome.kind == Outcome::Kind::kExited && outcome.code != 0);
  if (!bad) return nullptr;
  for (auto event = evidence.events.rbegin(); event != evidence.events.rend(); ++event) {
    if (!AsksForFile(*event) || event->value != EACCES || !event->subject.starts_with('/'))
      continue;
    for (const LogLine& line : evidence.log)
      if (line.text.find(event->subject) != std::string::npos) return &*event;
  }
  return nullptr;
}

std::vector<Fact> AroundUntried(const AfterRun& after, const Evidence& evidence,
                                const FunnelRow& row) {
  std::vector<Fact> facts;
  if (row.pid != 0 || !row.loss || row.loss->at > Step::kMatched) return facts;
  AddElsewhere(after, evidence, row, facts);
  const bool untried = row.cause() == Cause::kNeverListed || row.cause() == Cause::kNotTried;
  if (!facts.empty() || !untried || RefusedAndTold(evidence) != nullptr) return facts;
  AddVain(after, evidence, row, facts);
  AddProgramsLink(after, facts);
  if (facts.empty()) AddPrograms(evidence, facts);
  if (facts.empty()) AddNamed(evidence, facts);
  return facts;
}

std::vector<std::string> ProgramsBeside(const Evidence& evidence) {
  constexpr size_t kMost = 4;
  std::vector<std::string> programs;
  for (const Event& event : evidence.events) {
    if (programs.size() == kMost) break;
    if (!AsksForFile(event) || event.value != ENOENT) continue;
    const std::string program = ProgramBeside(LexicallyNormal(event.subject));
    if (program.find('.') == std::string::npos && !program.empty() &&
        std::find(programs.begin(), programs.end(), program) == programs.end())
      programs.push_back(program);
  }
  return programs;
}

std::vector<std::string> AskedBefore(const Evidence& evidence, const Event& refused) {
  constexpr size_t kMost = 8;
  std::vector<std::string> paths;
  for (EventId id = refused.id - 1; id > 0 && paths.size() < kMost; --id) {
    const Event& event = evidence.At(id);
    if (event.pid == refused.pid && AsksForFile(event) && event.subject.starts_with('/'))
      paths.push_back(LexicallyNormal(event.subject));
  }
  return paths;
}

void AddLinkThere(const AfterRun& after, const Evidence& evidence, const Event& refused,
                  std::vector<Fact>& facts) {
  for (const std::string& path : AskedBefore(evidence, refused)) {
    const Looked* const looked = LookedAt(after, path);
    if (looked == nullptr || looked->links.empty() ||
        !(looked->links.front().second + "/").starts_with(refused.subject + "/"))
      continue;
    Fact link;
    link.kind = Fact::Kind::kLink;
    link.subject = path;
    link.other = looked->links.front().second;
    facts.push_back(std::move(link));
    return;
  }
}

void AddCompatLink(const AfterRun& after, FunnelRow& row) {
  const Looked* const toolkit = LookedAt(after, kToolkit);
  if (toolkit == nullptr || toolkit->error != 0 || toolkit->links.empty()) return;
  const bool behind =
      std::any_of(row.loss->because.begin(), row.loss->because.end(), [&](const Fact& fact) {
        return fact.kind == Fact::Kind::kShadowed &&
               fact.subject.starts_with(toolkit->end + "/compat/");
      });
  if (!behind) return;
  Fact link;
  link.kind = Fact::Kind::kLink;
  link.subject = kToolkit;
  link.other = toolkit->end;
  row.loss->because.push_back(std::move(link));
}

void AddIgnored(const Evidence& evidence, FunnelRow& row) {
  const auto copy = std::find_if(row.loss->because.begin(), row.loss->because.end(),
                                 [](const Fact& fact) { return fact.kind == Fact::Kind::kCopy; });
  if (copy == row.loss->because.end() || evidence.processes.empty()) return;
  const std::string folder = ParentOf(copy->subject), above = ParentOf(folder);
  for (const std::string& entry : evidence.processes.front().environment) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || entry.starts_with("PATH=") || entry.starts_with("PWD="))
      continue;
    const std::string value = entry.substr(equals + 1);
    const std::vector<std::string_view> parts = Split(value, ':');
    if (std::none_of(parts.begin(), parts.end(), [&](std::string_view part) {
          return part == folder || (part == above && above != "/");
        }))
      continue;
    Fact fact;
    fact.kind = Fact::Kind::kIgnored;
    fact.subject = entry.substr(0, equals);
    fact.other = value;
    // Whoever it starts may be given another.
    for (const Process& process : evidence.processes)
      if (const auto given = VariableOf(&process, fact.subject); given && *given != value) {
        fact.rule = process.role;
        fact.names = {*given};
      }
    row.loss->because.push_back(std::move(fact));
    return;
  }
}

void AddAdvice(const Evidence& evidence, FunnelRow& row) {
  static const RE2 set(R"(\bset ([A-Z][A-Z0-9_]{3,})=([\w.:-]+))");
  if (row.cause() != Cause::kDropped) return;
  for (const LogLine& line : evidence.log) {
    Fact fact;
    fact.kind = Fact::Kind::kAdvised;
    if (!RE2::PartialMatch(line.text, set, &fact.subject, &fact.other)) continue;
    fact.event = line.event;
    row.loss->because.push_back(std::move(fact));
    return;
  }
}

const std::vector<std::string>& FilesOfContainers() {
  static const std::vector<std::string> files = {"/.dockerenv", "/run/.containerenv",
                                                 "/.singularity.d", "/.flatpak-info"};
  return files;
}

void AddContainer(const AfterRun& after, const Evidence& evidence, FunnelRow& row) {
  const std::vector<Fact>& facts = row.loss->because;
  const bool brought = std::any_of(facts.begin(), facts.end(), [](const Fact& fact) {
    return (fact.kind == Fact::Kind::kNode && fact.error != 0) ||
           fact.kind == Fact::Kind::kManifest || fact.kind == Fact::Kind::kSibling ||
           fact.kind == Fact::Kind::kNothing || fact.subject == kToolkit ||
           (fact.kind == Fact::Kind::kPlace && fact.error == EACCES) ||
           (fact.kind == Fact::Kind::kVersions && fact.subject != fact.other);
  });
  const bool driver = std::any_of(row.needs.begin(), row.needs.end(), [](const Need& need) {
    return need.found.empty() && FamilyOfLibrary(BaseNameOf(need.name)) == Family::kDriver;
  });
  const bool itself = row.cause() == Cause::kNotFound &&
                      (row.family == Family::kDriver || row.family == Family::kManagement);
  if (!brought && !driver && !itself) return;
  Fact fact;
  fact.kind = Fact::Kind::kContainer;
  for (const std::string& file : FilesOfContainers())
    if (const Looked* const looked = LookedAt(after, file); looked != nullptr && looked->error == 0)
      fact.subject = file;
  // The first is systemd's, for who starts one: its "Container Interface"; the others are the
  // kubelet's and snapd's.
  for (const char* const variable : {"container", "KUBERNETES_SERVICE_HOST", "SNAP"})
    for (const Process& process : evidence.processes)
      if (fact.subject.empty() && VariableOf(&process, variable)) {
        fact.subject = variable;
        fact.number = 1;
      }
  if (fact.subject.empty()) return;
  // A specification as nvidia-ctk cdi generate writes it sets the variable to that.
  for (const Process& process : evidence.processes)
    if (VariableOf(&process, "NVIDIA_VISIBLE_DEVICES") == "void") fact.other = "CDI";
  row.loss->because.push_back(std::move(fact));
}

}  // namespace gpustage
