#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/run/interrupt.h"
#include "harness/run/workspace.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"
#include "harness/suite/processors.h"
#include "harness/suite/recordings.h"

namespace gpustage {
namespace {

struct RecordOptions {
  CaseFilter selection;
  std::string folder;
  Levels levels = kUsualLevels;
  int jobs = 0;
};

double Median(std::vector<double>& values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

size_t CountOf(const RecordedScenarios& scenarios) {
  size_t count = 0;
  for (const auto& [scenario, recordings] : scenarios) {
    std::set<std::string> cases;
    for (const auto& [key, recording] : recordings.of)
      cases.insert(key.substr(0, key.rfind(" debug=")));
    count += cases.size();
  }
  return count;
}

// Whether it may be of a part of the starts of a scenario.
bool IsPartial(const RecordOptions& options) {
  const CaseFilter& selection = options.selection;
  return options.levels != kUsualLevels || !selection.filter.empty() ||
         std::any_of(selection.paths.begin(), selection.paths.end(),
                     [](const std::string& path) { return path.find('@') != std::string::npos; });
}

int Record(const RecordOptions& options) {
  const Result<std::vector<Case>> cases = SelectCases(options.selection);
  if (!cases) return PrintError(cases.error(), kBadInput);
  std::set<std::string> scanners, missing;
  for (const Case& c : *cases)
    for (const RunSpec& run : c.runs)
      (run.scanner.missing.empty() ? scanners : missing)
          .insert(run.scanner.missing.empty() ? RunName(run.scanner.name, run.scanner)
                                              : run.scanner.missing);
  for (const std::string& why : missing) fmt::print("skipped: {}\n", why);
  if (scanners.empty()) return kNothingRan;
  const Isolation isolation = ProbeIsolation();
  const Result<Workspace> workspace = Workspace::Enter(isolation, false);
  if (!workspace) return PrintError(workspace.error(), kCannotHere);
  CaseRunner runner(*workspace, FindRecorders(), false);
  CatchInterrupts();
  const int jobs = options.jobs > 0 ? options.jobs : Processors();
  for (const std::string& scanner : scanners) {
    LiveRecordings live = RecordLive(*cases, scanner, jobs, runner, options.levels);
    // A file of half of its cases would be taken for all of them.
    if (Interrupted() != 0) return 128 + Interrupted();
    if (const Status written = WriteRecordings(live.scenarios, options.folder, IsPartial(options));
        !written)
      return PrintError(written.error(), kBadInput);
    fmt::print("{}: {} cases, {} starts, median {:.0f} ms\n", scanner, CountOf(live.scenarios),
               live.milliseconds.size(), Median(live.milliseconds));
  }
  return kAsExpected;
}

}  // namespace

Action DeclareRecord(CLI::App& app) {
  const auto options = std::make_shared<RecordOptions>();
  AddFooter(app, "For example: record FOLDER --scanner ollama PATHS");
  AddOption(app, "folder", options->folder,
            "a folder; files go to FOLDER/SCANNER-VERSION/SCENARIO.json")
      .Kind("FOLDER")
      .Required();
  AddOption(app, "--level", options->levels,
            "OLLAMA_DEBUG in the starts: 0, 1, 2, 3 or unset, parted by commas; without it 1 "
            "and 2. What is there of other levels stays")
      .PartedBy(',')
      .OneEach()
      .OneOf({"0", "1", "2", "3", "unset"})
      .Kind("LEVEL");
  AddSelection(app, options->selection);
  AddJobs(app, options->jobs);
  return [options](const Program&) { return Record(*options); };
}

}  // namespace gpustage
