// Runs cases without any of our recorders, for truth.py, which watches it with strace: each run is
// announced by an access() to a path that names it, and one JSON line tells what only we can read
// of it: what was printed, the journal of the fakes, and what lies at paths that it was asked
// about.
//
// truth_bare LIST: lines "case TAB run TAB path TAB path…". ld.so writes to /tmp/ld.PID what it
// does.
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/base/files.h"
#include "harness/case_runner.h"
#include "harness/evidence/path/known.h"
#include "harness/evidence/records/decode.h"
#include "harness/evidence/records/journal.h"
#include "harness/run/journal_file.h"
#include "harness/run/look.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

using nlohmann::json;
using Paths = std::map<std::string, std::vector<std::string>>;  // by the name of a run

json JournalOf(const Root& root, world::RecordKind kind) {
  json calls = json::array();
  const Result<std::string> bytes = ReadJournal(root);
  if (!bytes) return calls;
  for (const JournalRecord& record : ReadJournalBytes(*bytes).records)
    if (record.kind == kind && !record.texts.empty())
      calls.push_back({record.pid, record.texts.front(), record.value});
  return calls;
}

json LookedAt(const Root& root, const ScannerStart& start, const std::string& path) {
  const Looked to_read = LookAt(root, path, start.user, Want::kRead);
  json links = json::array();
  for (const auto& [link, to] : to_read.links) links.push_back({link, to});
  return {{"path", path},          {"end", to_read.end},     {"error", to_read.error},
          {"mode", to_read.mode},  {"owner", to_read.owner}, {"links", links},
          {"names", to_read.names}};
}

Status Print(const Case& c, const RunSpec& spec, const std::vector<std::string>& paths,
             StagedCase& staged, CaseRunner& runner) {
  access(("/truth/begin/" + c.id + "\t" + spec.name).c_str(), F_OK);
  const Result<RawRun> raw = runner.Run(c, spec, staged);
  access("/truth/end", F_OK);
  if (!raw) return Error(raw.error());
  TRY(const ScannerStart start, StartOf(c, spec));
  const Evidence evidence =
      Decode(*raw, spec.scanner, CandidateLibraries(c, spec), SettingOf(c, spec));
  json log = json::array(), looked = json::array();
  for (const LogLine& line : evidence.log) log.push_back(line.text);
  for (const std::string& path : paths) looked.push_back(LookedAt(staged.tree.root, start, path));
  const json all = {
      {"id", c.id},
      {"run", spec.name},
      {"log", log},
      {"devices", evidence.device_count ? json(*evidence.device_count) : json(nullptr)},
      {"journal", JournalOf(staged.tree.root, world::RecordKind::kCall)},
      {"nodes", JournalOf(staged.tree.root, world::RecordKind::kNode)},
      {"looked", looked},
      {"outcome", ToString(evidence.outcome)},
      {"machine", evidence.setting.devices},
      {"kernel_driver", evidence.setting.kernel_driver},
      {"versions", evidence.setting.versions}};
  std::cout << all.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  return Ok();
}

// As pipeline.cc has it, without what comes after a run.
Status RunBare(Case c, Paths& paths, CaseRunner& runner) {
  for (const char* const word : {"LD_DEBUG=libs,files,bindings", "LD_DEBUG_OUTPUT=/tmp/ld"}) {
    const std::string entry = word;
    const size_t equal = entry.find('=');
    c.env.push_back({entry.substr(0, equal), entry.substr(equal + 1), {}});
  }
  TRY(std::vector<HostFile> base, runner.BaseFor(c));
  TRY(const StagePlan plan, PlanStage(c, std::move(base), runner.CanSetOwners()));
  TRY(const std::unique_ptr<StagedCase> staged, runner.Build(plan));
  std::vector<TreeOp> owed;
  for (RunSpec spec : c.runs) {
    if (!spec.scanner.missing.empty()) {
      owed.insert(owed.end(), spec.change.begin(), spec.change.end());
      continue;
    }
    spec.change.insert(spec.change.begin(), owed.begin(), owed.end());
    owed.clear();
    TRY(Print(c, spec, paths[spec.name], *staged, runner));
  }
  return Ok();
}

// By the ids of cases.
std::map<std::string, Paths> ReadList(const char* file) {
  std::map<std::string, Paths> list;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string id, run;
    std::getline(fields, id, '\t');
    std::getline(fields, run, '\t');
    std::vector<std::string>& paths = list[id][run];
    for (std::string path; std::getline(fields, path, '\t');) paths.push_back(path);
  }
  return list;
}

int Main(const char* file) {
  Result<Workspace> workspace = Workspace::Enter(ProbeIsolation(), false);
  if (!workspace) {
    fmt::print(stderr, "{}\n", workspace.error().message);
    return 3;
  }
  Recorders recorders = FindRecorders();
  recorders.level = EvidenceLevel::kNone;
  CaseRunner runner(*workspace, recorders, false);
  int rc = 0;
  for (auto& [id, paths] : ReadList(file)) {
    CaseFilter filter;
    filter.paths = {id};
    const Result<std::vector<Case>> cases = SelectCases(filter);
    if (!cases) {
      fmt::print(stderr, "{}: {}\n", id, cases.error().message);
      rc = 2;
      continue;
    }
    for (const Case& c : *cases)
      if (const Status done = RunBare(c, paths, runner); !done) {
        fmt::print(stderr, "{}: {}\n", id, done.error().message);
        rc = 2;
      }
  }
  return rc;
}

}  // namespace
}  // namespace gpustage

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "truth_bare LIST\n");
    return 2;
  }
  return gpustage::Main(argv[1]);
}
