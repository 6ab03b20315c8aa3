#include <fmt/format.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/cli/verbs.h"
#include "harness/pipeline.h"
#include "harness/run/workspace.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

constexpr char kHealthy[] = "first-steps/healthy@gpus=1,stack=ollama-12";
constexpr char kScanner[] = "ollama-model";

std::string Consequence(IsolationLevel level) {
  switch (level) {
    case IsolationLevel::kRoot:
    case IsolationLevel::kUserTwoUids: return "every scenario can be staged";
    case IsolationLevel::kUserOneUid:
      return "scenarios in which modes or owners decide are skipped: the scanner would own the "
             "tree. Install uidmap and have "
             "a range in /etc/subuid and /etc/subgid, or run as root";
    case IsolationLevel::kNone:
      return "nothing can run. In a container: --security-opt seccomp=unconfined --cap-add "
             "SYS_ADMIN --cap-add SYS_PTRACE. Where AppArmor restricts "
             "user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as "
             "root";
  }
  return "";
}

// What was probed piece by piece, all at once.
Status StageHealthy(const Isolation& isolation) {
  CaseFilter selection;
  selection.paths = {kHealthy};
  selection.scanners = {kScanner};
  TRY(const std::vector<Case> cases, SelectCases(selection));
  TRY(const Workspace workspace, Workspace::Enter(isolation, false));
  CaseRunner runner(workspace, FindRecorders(), false);
  const CaseReport report = RunCase(cases.front(), runner);
  for (const RunReport& run : report.runs)
    if (run.verdict.kind != VerdictKind::kPass && run.verdict.kind != VerdictKind::kSkip)
      return Error{run.verdict.because.empty() ? "it found no device" : run.verdict.because};
  return Ok();
}

int Doctor() {
  const Isolation isolation = ProbeIsolation();
  fmt::print("isolation  {}: {}\n", ToString(isolation.level), Consequence(isolation.level));
  for (const Trial& trial : isolation.trials)
    fmt::print("  {}  {}{}\n", trial.ok ? "ok" : "no", trial.what,
               trial.ok ? "" : ": " + trial.why);
  const Status staged = isolation.level == IsolationLevel::kNone ? Ok() : StageHealthy(isolation);
  if (isolation.level != IsolationLevel::kNone)
    fmt::print("  {}  one healthy case staged and run{}\n", staged ? "ok" : "no",
               staged ? "" : ": " + staged.error().message);
  const Catalog catalog = FindCatalog({});
  const Recorders recorders = FindRecorders();
  fmt::print("\nparts\n");
  const auto part = [](const std::string& name, const std::string& path) {
    fmt::print("  {}  {:<10} {}\n", FileExists(path) ? "ok" : "no", name, path);
  };
  part("fakes", catalog.fakes);
  part("programs", catalog.programs);
  part("audit", recorders.audit);
  part("ask", recorders.ask);
  fmt::print("\nreal parts\n");
  const auto parts_here = RealParts(catalog);
  if (!parts_here) return PrintError(parts_here.error(), kBadInput);
  for (const LibrarySource& real : *parts_here)
    fmt::print("  {}  {}{}\n", real.missing.empty() ? "ok" : "no", real.name,
               real.missing.empty() ? "" : ": " + real.missing);
  fmt::print("\nscanners\n");
  Fixtures fixtures(catalog);
  const auto scanners = fixtures.AllScanners();
  if (!scanners) return PrintError(scanners.error(), kBadInput);
  for (const auto& [name, scanner] : **scanners)
    fmt::print("  {}  {}{}\n", scanner.missing.empty() ? "ok" : "no", name,
               scanner.missing.empty() ? "" : ": " + scanner.missing);
  return isolation.level == IsolationLevel::kNone || !staged ? kCannotHere : kAsExpected;
}

}  // namespace

Action DeclareDoctor(CLI::App&) {
  return [](const Program&) { return Doctor(); };
}

}  // namespace gpustage
