#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/evidence/path/funnel.h"
#include "harness/stage/plan.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

int Show(const std::string& id) {
  const Result<std::vector<Case>> cases = SelectCases({{id}, {}, ""});
  if (!cases) return PrintError(cases.error(), kBadInput);
  for (const Case& c : *cases) {
    fmt::print("{}\n  claim  {}\n  file   {}\n", c.id, c.claim, c.file);
    for (const std::string& source : c.source) fmt::print("  source {}\n", source);
    for (const auto& [axis, value] : c.axes) fmt::print("  axis   {} = {}\n", axis, value);
    fmt::print("\nmachine  driver {}, CUDA {}.{}\n", c.machine.driver,
               c.machine.cuda_version / 1000, c.machine.cuda_version % 1000 / 10);
    for (const GpuDevice& device : c.machine.devices)
      fmt::print("  {}  {}  {}  {} bytes\n", device.pci, UuidText(device), device.name,
                 device.memory_total);
    const Result<StagePlan> plan = PlanStage(c, {});
    if (!plan) return PrintError(plan.error(), kBadInput);
    fmt::print("\nplan  (the base system and the scanners' programs come before it)\n");
    for (const PlanStep& step : plan->steps)
      fmt::print("  {}{}\n", ToString(step.op),
                 step.instance == 0 ? "" : fmt::format("  #{}", step.instance));
    for (const RunSpec& run : c.runs) {
      fmt::print("\nrun {}  as {}\n ", run.name, run.user.value_or(c.user));
      for (const std::string& word : run.scanner.argv) fmt::print(" {}", word);
      for (const std::string& word : run.args) fmt::print(" {}", word);
      fmt::print("\n");
      if (!run.scanner.missing.empty()) fmt::print("  skipped: {}\n", run.scanner.missing);
      for (const TreeOp& op : run.change) fmt::print("  before it: {}\n", ToString(op));
      for (const std::string& entry : EnvironmentOf(c, run)) fmt::print("  {}\n", entry);
    }
    fmt::print("\nexpect\n");
    for (const Expectation& expectation : c.expect)
      for (const Claim& claim : expectation.claims)
        fmt::print("  {}: {}    {}\n", expectation.run.value_or("every run"), ToString(claim),
                   ToString(claim.pos));
  }
  return kAsExpected;
}

}  // namespace

Action DeclareShow(CLI::App& app) {
  const auto id = std::make_shared<std::string>();
  AddOption(app, "case", *id, "scenario or case").Kind("SCENARIO").Required();
  AddAllowFile(app);
  return [id](const Program&) { return Show(*id); };
}

}  // namespace gpustage
