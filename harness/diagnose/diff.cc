#include "harness/diagnose/diff.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>

#include "harness/evidence/store/recording.h"
#include "harness/report/trace.h"
#include "harness/stage/world_file.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

using Counted = std::map<std::string, int>;

// What of the text is only true of this one process.
std::string WithoutPids(std::string text, const Evidence& evidence) {
  for (const Process& process : evidence.processes) {
    const std::string pid = "pid " + std::to_string(process.pid);
    for (size_t at = text.find(pid); at != std::string::npos; at = text.find(pid, at + 1))
      text.replace(at, pid.size(), "pid N");
  }
  return text;
}

std::string RoleOf(const Evidence& evidence, int pid) {
  for (const Process& process : evidence.processes)
    if (process.pid == pid) return process.role;
  return "";
}

std::string TextOf(const Event& event, const Evidence& evidence) {
  Event bare = event;
  bare.id = 0;
  bare.pid = bare.tid = 0;
  std::string text = ToString(bare);
  text.erase(0, text.find(' ') + 1);  // "#0 "
  return WithoutNoise(WithoutPids(std::move(text), evidence));
}

// "ollama runner: openat /…: No such file or directory". Which of its threads or twins did it first
// is chance.
std::string TextByRole(const Event& event, const Evidence& evidence) {
  return fmt::format("{}: {}", RoleOf(evidence, event.pid), TextOf(event, evidence));
}

// The first event of `mine` that the other side has not, or not so often.
std::string FirstOnlyIn(const Evidence& mine, const Evidence& other) {
  Counted left;
  for (const Event& event : other.events) ++left[TextByRole(event, other)];
  for (const Event& event : mine.events)
    if (const std::string key = TextByRole(event, mine); event.pid != 0 && --left[key] < 0)
      return key;
  return "";
}

void AddSection(const std::string& title, const Counted& a, const Counted& b, Diff& diff) {
  DiffSection section{title, {}, {}};
  const auto one_way = [](const Counted& mine, const Counted& other, std::vector<std::string>& to) {
    for (const auto& [text, count] : mine) {
      const auto there = other.find(text);
      const int more = count - (there == other.end() ? 0 : there->second);
      if (more <= 0) continue;
      to.push_back(there == other.end() && count == 1 ? text : fmt::format("{} ({}x)", text, more));
    }
  };
  one_way(a, b, section.only_a);
  one_way(b, a, section.only_b);
  if (!section.only_a.empty() || !section.only_b.empty()) diff.sections.push_back(section);
}

std::string EntryText(const std::string& path, const FlatEntry& entry) {
  const std::string owner =
      entry.uid == 0 && entry.gid == 0 ? "" : fmt::format(" {}:{}", entry.uid, entry.gid);
  switch (entry.kind) {
    case FlatEntry::Kind::kDirectory: return fmt::format("{}/ {:04o}{}", path, entry.mode, owner);
    case FlatEntry::Kind::kLink: return fmt::format("{} -> {}", path, entry.text);
    case FlatEntry::Kind::kAbsent: return fmt::format("{} is missing", path);
    case FlatEntry::Kind::kFile:
      return fmt::format("{} {:04o}{}, {} bytes", path, entry.mode, owner, entry.text.size());
    case FlatEntry::Kind::kLibrary: break;
  }
  // One that no package has lies somewhere on the scratch file system.
  const bool known = entry.source.host_path.find(entry.source.name) == std::string::npos ||
                     !entry.source.name.starts_with('/');
  return fmt::format("{} {:04o}{}, {}{}", path, entry.mode, owner,
                     known ? entry.source.name : "as no package has it",
                     entry.machine ? ", answers otherwise than the machine" : "");
}

Counted TreeOf(const FlatCase& flat) {
  Counted all;
  for (const auto& [path, entry] : flat.tree) ++all[EntryText(path, entry)];
  return all;
}

Counted EnvironmentOf(const FlatCase& flat) {
  Counted all;
  for (const EnvVar& variable : flat.c.env)
    if (variable.value) ++all[variable.name + "=" + *variable.value];
  ++all["user " + flat.c.user];
  return all;
}

Counted LoadsOf(const Evidence& evidence) {
  Counted all;
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kLoad && event.subject.starts_with('/'))
      ++all[fmt::format("{}: {}", RoleOf(evidence, event.pid), event.subject)];
  return all;
}

// Without their arguments: which function answered what.
Counted CallsOf(const Evidence& evidence) {
  Counted all;
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kCall)
      ++all[fmt::format("{}: {} = {}", RoleOf(evidence, event.pid), event.subject, event.value)];
  return all;
}

Counted ProcessesOf(const Evidence& evidence) {
  Counted all;
  for (const Process& process : evidence.processes)
    ++all[process.role + (process.end.empty() ? "" : ", " + process.end)];
  return all;
}

// As `compare` has it.
Counted LogOf(const Evidence& evidence, bool of_versions) {
  const Recording recording = RecordingOf(evidence);
  Counted all;
  for (const std::string& line : of_versions ? WithoutVersion(recording).log : recording.log)
    ++all[WithoutNoise(line.substr(std::min(line.find_first_not_of(' '), line.size())))];
  return all;
}

// One scanner in two versions: of what every line differs in nothing is told.
bool AreVersions(const DiffSide& a, const DiffSide& b) {
  if (!a.flat || !b.flat) return false;
  const ScannerSpec &of_a = a.flat->c.runs.front().scanner, &of_b = b.flat->c.runs.front().scanner;
  return of_a.name == of_b.name && of_a.version != of_b.version;
}

Counted LossesOf(const Evidence& evidence) {
  Counted all;
  for (const FunnelRow& row : evidence.funnel)
    if (row.loss)
      ++all[fmt::format("{}: lost at {} ({})", row.library, ToString(row.loss->at),
                        ToString(row.loss->cause))];
  return all;
}

}  // namespace

std::string WithoutNoise(const std::string& text) {
  // In this order: addresses, points in time, durations, local ports.
  static const RE2 kAddress("0x[0-9a-f]+");
  static const RE2 kTime(R"(\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)?)");
  static const RE2 kDuration(R"(\b\d+(\.\d+)?(ns|µs|ms|s)\b)");
  static const RE2 kPort(R"((127\.0\.0\.1:|port[ =])\d+)");
  std::string bare = text;
  RE2::GlobalReplace(&bare, kAddress, "0xN");
  RE2::GlobalReplace(&bare, kTime, "T");
  RE2::GlobalReplace(&bare, kDuration, "T");
  RE2::GlobalReplace(&bare, kPort, R"(\1N)");
  return bare;
}

Diff DiffOf(const DiffSide& a, const DiffSide& b) {
  Diff diff;
  diff.first_a = FirstOnlyIn(a.evidence, b.evidence);
  diff.first_b = FirstOnlyIn(b.evidence, a.evidence);
  if (a.flat && b.flat) {
    AddSection("tree", TreeOf(*a.flat), TreeOf(*b.flat), diff);
    AddSection("environment", EnvironmentOf(*a.flat), EnvironmentOf(*b.flat), diff);
  }
  AddSection("processes", ProcessesOf(a.evidence), ProcessesOf(b.evidence), diff);
  AddSection("loading", LoadsOf(a.evidence), LoadsOf(b.evidence), diff);
  AddSection("calls", CallsOf(a.evidence), CallsOf(b.evidence), diff);
  const bool versions = AreVersions(a, b);
  AddSection("log", LogOf(a.evidence, versions), LogOf(b.evidence, versions), diff);
  AddSection("losses", LossesOf(a.evidence), LossesOf(b.evidence), diff);
  return diff;
}

std::string DiffText(const Diff& diff, const std::string& a, const std::string& b) {
  if (diff.IsEmpty()) return fmt::format("{} and {} are the same\n", a, b);
  constexpr size_t kWidth = 100;
  std::string text = fmt::format("- {}\n+ {}\n", a, b);
  const auto line = [&](char side, const std::string& what) {
    text += fmt::format("  {} {}\n", side, Wrapped(what, 4, kWidth));
  };
  const auto list = [&](char side, const std::vector<std::string>& all) {
    constexpr size_t kMost = 12;
    for (size_t i = 0; i < all.size() && i < kMost; ++i) line(side, all[i]);
    if (all.size() > kMost) line(side, fmt::format("and {} more", all.size() - kMost));
  };
  if (!diff.first_a.empty() || !diff.first_b.empty()) text += "first\n";
  if (!diff.first_a.empty()) line('-', diff.first_a);
  if (!diff.first_b.empty()) line('+', diff.first_b);
  for (const DiffSection& section : diff.sections) {
    text += section.title + "\n";
    list('-', section.only_a);
    list('+', section.only_b);
  }
  return text;
}

}  // namespace gpustage
