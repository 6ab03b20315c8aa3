#include "harness/embed/helper.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/evidence/store/store.h"
#include "harness/report/json.h"
#include "harness/suite/evidence_dir.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

// The program that came with this library: in bin/ of a prefix, in harness/ of a build tree.
Result<std::string> OwnProgram() {
  const std::string built = ParentOf(FindCatalog({}).programs);
  for (const std::string& path :
       {ParentOf(ParentOf(built)) + "/bin/gpustage", built + "/harness/gpustage"})
    if (access(path.c_str(), X_OK) == 0) return path;
  return Error{fmt::format(
      "this process has started threads already, and the program gpustage, which would run the "
      "stage for it, is not beside {}",
      built)};
}

}  // namespace

Result<CaseReport> RunInHelper(const std::string& path, const std::vector<std::string>& scanners,
                               Case c) {
  TRY(const std::string program, OwnProgram());
  TRY(const ScratchDirectory scratch, ScratchDirectory::Make());
  const std::string kept = scratch.path() + "/kept", report = scratch.path() + "/report.json";
  // The paths are the caller's own.
  std::vector<std::string> words = {
      "env", "GPUSTAGE_ALLOW_FILE=/", program, "run",      path,
      "-q",  "--evidence-dir",        kept,    "--report", "json=" + report};
  for (const std::string& scanner : scanners) words.insert(words.end(), {"--scanner", scanner});
  TRY(const ProgramOutput ran, RunProgram(words));
  std::ifstream file(report);
  if (!file) return Error{ran.out.empty() ? "gpustage could not run the stage" : ran.out};

  std::map<std::string, std::pair<VerdictKind, std::string>> ends;
  TRY(const Report read, ReadJsonReport(file, report, [&](ReportedRun run) -> Status {
        ends[run.run] = {run.verdict, run.because};
        return Ok();
      }));
  std::map<std::string, Evidence> seen;
  if (IsEvidence(kept)) {
    TRY(std::vector<KeptRun> runs, ReadEvidence(kept));
    for (KeptRun& run : runs) seen[run.run] = std::move(run.evidence);
  }
  CaseReport done{std::move(c), {}};
  for (const RunSpec& spec : done.c.runs) {
    const std::string& name = spec.name;
    RunReport run{spec, {}, {}};
    if (const auto evidence = seen.find(name); evidence != seen.end()) {
      run.evidence = std::move(evidence->second);
      run.verdict = Judge(done.c, spec, run.evidence);
    } else if (const auto end = ends.find(name); end != ends.end()) {
      run.verdict.kind = end->second.first;
      run.verdict.because = end->second.second;
    } else {
      run.verdict = Failed(Error{"nothing is known of this run"});
    }
    done.runs.push_back(std::move(run));
  }
  return done;
}

}  // namespace gpustage
