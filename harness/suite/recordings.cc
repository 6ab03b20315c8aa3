#include "harness/suite/recordings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "harness/base/files.h"
#include "harness/base/threads.h"
#include "harness/pipeline.h"

namespace gpustage {
namespace {

constexpr char kLevel[] = "OLLAMA_DEBUG", kUnset[] = "unset", kKey[] = " debug=";

std::optional<std::string> LevelOf(const Case& c, const RunSpec& run) {
  std::optional<std::string> level;
  for (const auto* env : {&c.env, &run.env})
    for (const EnvVar& variable : *env)
      if (variable.name == kLevel) level = variable.value.value_or(kUnset);
  return level;
}

// The case with only the runs of this scanner, each once a level; `keys` gets the name of each.
Case AtEachLevel(Case c, const std::string& scanner, const Levels& levels,
                 std::vector<std::string>& keys) {
  std::vector<RunSpec> runs;
  int number = 0;
  // After a fix it is the same as everywhere, and what the other scanners do to the tree is done
  // all the same.
  DropRuns(c.runs, [&](const RunSpec& run) {
    return run.fixed || RunName(run.scanner.name, run.scanner) != scanner;
  });
  for (const RunSpec& run : c.runs) {
    ++number;
    const std::optional<std::string> own = LevelOf(c, run);
    const Levels at = own ? Levels{*own} : levels;
    for (const std::string& level : at) {
      RunSpec& at_level = runs.emplace_back(run);
      if (!run.scanner.program.empty())
        at_level.scanner.missing.clear();  // what it does is kept, whatever is expected of it
      if (!own)
        at_level.env.push_back({kLevel, level == kUnset ? std::nullopt : std::optional(level), {}});
      if (level != at.front()) at_level.change.clear();
      keys.push_back(fmt::format("{}{}{}{}", c.id, number > 1 ? fmt::format(" #{}", number) : "",
                                 kKey, level));
    }
  }
  c.runs = std::move(runs);
  return c;
}

}  // namespace

LiveRecordings RecordLive(const std::vector<Case>& cases, const std::string& scanner, int jobs,
                          CaseRunner& runner, const Levels& levels,
                          const std::map<std::string, Levels>& of_case) {
  LiveRecordings live;
  std::mutex mutex;
  const auto work = [&](size_t i) {
    std::vector<std::string> keys;
    const auto own = of_case.find(cases[i].id);
    const Case c =
        AtEachLevel(cases[i], scanner, own == of_case.end() ? levels : own->second, keys);
    const CaseReport report = RunCase(c, runner);
    const std::lock_guard lock(mutex);
    for (size_t run = 0; run < report.runs.size(); ++run) {
      const RunReport& told = report.runs[run];
      if (told.verdict.kind == VerdictKind::kSkip) {
        live.skipped.insert(c.id);
        continue;
      }
      Recordings& recordings = live.scenarios[c.scenario];
      recordings.scanner = told.spec.scanner.name;
      recordings.version = told.spec.scanner.version;
      recordings.of[keys[run]] = RecordingOf(told.evidence);
      live.milliseconds.push_back(static_cast<double>(told.evidence.duration_ns) / 1e6);
    }
  };
  InThreads(jobs, cases.size(), work);
  return live;
}

std::map<std::string, Levels> LevelsOf(const RecordedScenarios& scenarios) {
  std::map<std::string, Levels> levels;
  for (const auto& [scenario, recordings] : scenarios)
    for (const auto& [key, recording] : recordings.of) {
      Levels& of_case = levels[key.substr(0, key.find(' '))];
      const std::string level = key.substr(key.rfind(kKey) + std::string_view(kKey).size());
      if (std::find(of_case.begin(), of_case.end(), level) == of_case.end())
        of_case.push_back(level);
    }
  return levels;
}

Status WriteRecordings(const RecordedScenarios& scenarios, const std::string& folder,
                       bool keep_others) {
  for (const auto& [scenario, told] : scenarios) {
    Recordings recordings = told;
    const std::string of = recordings.version.empty() ? "" : "-" + recordings.version;
    const std::string file =
        fmt::format("{}/{}{}/{}.json", folder, recordings.scanner, of, scenario);
    std::error_code failure;
    std::filesystem::create_directories(ParentOf(file), failure);
    if (failure) return Error{fmt::format("cannot make {}: {}", ParentOf(file), failure.message())};
    if (keep_others && FileExists(file)) {
      TRY(const std::string text, ReadFile(file));
      Result<Recordings> before = ParseRecordings(text);
      if (!before) return Error{fmt::format("{}: {}", file, before.error().message)};
      recordings.of.merge(before->of);  // what is told anew stays
    }
    TRY(WriteFile(file, RecordingsJson(recordings)));
  }
  return Ok();
}

Result<RecordedScenarios> ReadRecordings(const std::string& folder, const std::string& scanner) {
  RecordedScenarios scenarios;
  std::string start = scanner;
  std::replace(start.begin(), start.end(), '@', '-');
  const size_t name_size = scanner.substr(0, scanner.find('@')).size() + 1;  // "ollama-"
  std::string newest;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename();
    // "ollama-0.17.4" is of "ollama", "ollama-runner-0.17.4" is not.
    const bool is_any =
        scanner.find('@') == std::string::npos && name.starts_with(start + "-") &&
        name.find_first_not_of("0123456789.", start.size() + 1) == std::string::npos;
    const bool of_version = name == start || name.starts_with(start + ".") || is_any;
    // By numbers: 0.17.10 is newer than 0.17.4. One without a version is older than all.
    if (of_version && (newest.size() <= name_size ||
                       (name.size() > name_size &&
                        Holds({newest.substr(name_size), ""}, name.substr(name_size)))))
      newest = name;
  }
  if (newest.empty()) return scenarios;
  const std::string root = LexicallyNormal(folder + "/" + newest);
  TRY(const std::vector<std::string> files, FilesBelow(root, ".json"));
  for (const std::string& file : files) {
    TRY(const std::string text, ReadFile(file));
    Result<Recordings> recordings = ParseRecordings(text);
    if (!recordings) return Error{fmt::format("{}: {}", file, recordings.error().message)};
    const std::string scenario = LexicallyNormal(file).substr(root.size() + 1);
    scenarios[scenario.substr(0, scenario.size() - std::string_view(".json").size())] =
        *std::move(recordings);
  }
  return scenarios;
}

}  // namespace gpustage
