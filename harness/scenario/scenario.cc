#include "harness/scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "harness/base/files.h"
#include "harness/scenario/fields.h"
#include "harness/scenario/fixtures.h"
#include "harness/scenario/readers.h"

namespace gpustage {
namespace {

const std::vector<std::string> kKeys = {"claim",  "source", "tags", "machine",           "layout",
                                        "tree",   "env",    "user", "working_directory", "runs",
                                        "matrix", "expect", "fix",  "suspects",          "xfail"};

std::string RealPath(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) != nullptr ? resolved : path;
}

// "first-steps/links" below the folder of the scenarios, the base name anywhere else.
std::string IdOf(const std::string& file, const std::string& scenarios) {
  const std::string path = RealPath(file);
  const std::string root = RealPath(scenarios) + "/";
  const std::string relative = path.starts_with(root) ? path.substr(root.size()) : BaseNameOf(path);
  return relative.substr(0, relative.size() - (relative.ends_with(".yaml") ? 5 : 0));
}

void Overlay(std::vector<EnvVar>& env, const std::vector<EnvVar>& over) {
  for (const EnvVar& variable : over) {
    const auto place =
        std::lower_bound(env.begin(), env.end(), variable,
                         [](const EnvVar& a, const EnvVar& b) { return a.name < b.name; });
    if (place != env.end() && place->name == variable.name)
      *place = variable;
    else
      env.insert(place, variable);
  }
}

// Reads one cell of a scenario.
class CaseReader {
 public:
  CaseReader(const YamlNode& root, Fixtures& fixtures) : root_(root), fixtures_(fixtures) {}

  Result<Case> Read(Case read) const {
    if (const YamlNode* source = root_.Find("source")) {
      TRY(read.source, ReadTexts(*source, "source"));
    }
    if (const YamlNode* tags = root_.Find("tags")) {
      TRY(read.tags, ReadTexts(*tags, "tags"));
    }
    if (const YamlNode* machine = root_.Find("machine")) {
      TRY(read.machine, ReadMachine(*machine, fixtures_));
    }
    TRY(const std::vector<const Layout*> layouts, ReadLayouts());
    for (const Layout* layout : layouts) {
      read.tree.insert(read.tree.end(), layout->tree.begin(), layout->tree.end());
      Overlay(read.env, layout->env);
    }
    TRY(ReadOwn(read));
    if (const YamlNode* runs = root_.Find("runs")) {
      TRY(read.runs, ReadRuns(*runs, fixtures_));
    } else {
      TRY(read.runs, DefaultRuns(layouts));
    }
    return read;
  }

 private:
  Result<std::vector<const Layout*>> ReadLayouts() const {
    std::vector<const Layout*> layouts;
    const YamlNode* names = root_.Find("layout");
    if (names == nullptr) return layouts;
    TRY(CheckList(*names, "layout"));
    for (const YamlNode& name : names->items) {
      TRY(const Layout* layout, fixtures_.FindLayout(name));
      layouts.push_back(layout);
    }
    return layouts;
  }

  // What the scenario says over its layouts.
  Status ReadOwn(Case& read) const {
    if (const YamlNode* tree = root_.Find("tree")) {
      TRY(const std::vector<TreeOp> ops, ReadTree(*tree, fixtures_));
      read.tree.insert(read.tree.end(), ops.begin(), ops.end());
    }
    if (const YamlNode* env = root_.Find("env")) {
      TRY(const std::vector<EnvVar> variables, ReadEnv(*env));
      Overlay(read.env, variables);
    }
    if (const YamlNode* user = root_.Find("user")) {
      TRY(read.user, ReadName(*user, "a user"));
    }
    if (const YamlNode* directory = root_.Find("working_directory")) {
      TRY(read.working_directory, ReadTreePath(*directory, "a working directory"));
    }
    return Ok();
  }

  // One run of each scanner that a layout provides for, those that are missing here included: they
  // are skipped, and said.
  Result<std::vector<RunSpec>> DefaultRuns(const std::vector<const Layout*>& layouts) const {
    std::vector<std::string> provided;
    for (const Layout* layout : layouts)
      provided.insert(provided.end(), layout->provides.begin(), layout->provides.end());
    const YamlNode* names = root_.Find("layout");
    const YamlNode& place = names != nullptr ? *names : root_;
    TRY(const auto* scanners, fixtures_.AllScanners());
    std::vector<RunSpec> runs;
    for (const auto& [name, scanner] : *scanners) {
      if (std::find(provided.begin(), provided.end(), scanner.fits) == provided.end()) continue;
      const auto& requested = fixtures_.catalog().requested;
      const bool is_requested = std::any_of(requested.begin(), requested.end(), [&](const auto& wanted) {
        return wanted.substr(0, wanted.find('@')) == scanner.name;
      });
      if (!scanner.by_default && !is_requested) continue;
      RunSpec run;
      run.name = name;  // as RunName says it
      run.scanner = scanner;
      run.pos = place.pos;
      runs.push_back(std::move(run));
    }
    if (runs.empty()) return ErrorAt(place, "no scanner fits these layouts; name one in \"runs\"");
    return runs;
  }

  const YamlNode& root_;
  Fixtures& fixtures_;
};

bool HasRun(const Case& c, const Expectation& expectation) {
  return std::any_of(c.runs.begin(), c.runs.end(), [&](const RunSpec& run) {
    return !run.fixed && (!expectation.run || IsNamed(run, *expectation.run));
  });
}

// "ollama@0.13.5" where there is an Ollama run, but of another version or none.
bool IsOfAnotherVersion(const Expectation& expectation, const std::vector<std::string>& runs) {
  const size_t at = expectation.run ? expectation.run->find('@') : std::string::npos;
  return at != std::string::npos && std::any_of(runs.begin(), runs.end(), [&](const auto& run) {
           return run.substr(0, run.find('@')) == expectation.run->substr(0, at);
         });
}

// Gives every case its expectations. One that no case takes says nothing, and a case without one
// cannot fail.
Status Distribute(const YamlNode& node, const std::vector<Expectation>& expectations,
                  std::vector<Case>& cases) {
  std::vector<std::string> runs;
  for (const Case& c : cases)
    for (const RunSpec& run : c.runs)
      if (std::find(runs.begin(), runs.end(), run.name) == runs.end()) runs.push_back(run.name);
  for (size_t i = 0; i < expectations.size(); ++i) {
    const Expectation& expectation = expectations[i];
    bool applies = false;
    bool run_exists = false;
    for (Case& c : cases) {
      run_exists = run_exists || HasRun(c, expectation);
      if (!HasRun(c, expectation) || !Matches(expectation.when, c.axes)) continue;
      c.expect.push_back(expectation);
      applies = true;
    }
    if (applies || (!run_exists && IsOfAnotherVersion(expectation, runs))) continue;
    if (!run_exists) return UnknownWord(*node.items[i].Find("run"), "run", runs);
    return ErrorAt(node.items[i],
                   "this expectation never applies: no case has this run in such a cell");
  }
  for (const Case& c : cases)
    if (c.expect.empty()) return ErrorAt(node, fmt::format("nothing is expected of {}", c.id));
  return Ok();
}

// xfail: {reason: …}, and {when: …} if only some cells are known to fail.
Status MarkExpectedFailures(const YamlNode& node, const Matrix& matrix, std::vector<Case>& cases) {
  TRY(CheckKeys(node, "xfail", {"reason", "when"}));
  TRY(const YamlNode* reason_node, Require(node, "xfail", "reason"));
  TRY(const std::string reason, ReadNonEmpty(*reason_node, "a reason"));
  CellFilter when;
  if (const YamlNode* filter = node.Find("when")) {
    TRY(when, ReadCellFilter(*filter, matrix.axes));
  }
  bool applies = false;
  for (Case& c : cases) {
    if (!Matches(when, c.axes)) continue;
    c.xfail = ExpectedFailure{reason, reason_node->pos};
    applies = true;
  }
  if (!applies) return ErrorAt(node, "this xfail never applies: no case is in such a cell");
  return Ok();
}

}  // namespace

Result<Scenario> ReadScenarioFile(const std::string& file, const Catalog& catalog) {
  Scenario scenario;
  scenario.file = file;
  scenario.id = IdOf(file, catalog.scenarios);
  TRY(scenario.root, ReadYamlFile(file));
  TRY(CheckKeys(scenario.root, "a scenario", kKeys));
  TRY(const YamlNode* claim, Require(scenario.root, "a scenario", "claim"));
  TRY(scenario.claim, ReadNonEmpty(*claim, "a claim"));
  if (const YamlNode* matrix = scenario.root.Find("matrix")) {
    TRY(scenario.matrix, ReadMatrix(*matrix));
  }
  return scenario;
}

Result<std::vector<Case>> ExpandCases(const Scenario& scenario, Fixtures& fixtures) {
  TRY(const std::vector<Cell> cells, CellsOf(scenario.matrix, scenario.root.Find("matrix")));
  std::vector<Case> cases;
  for (const Cell& cell : cells) {
    TRY(const YamlNode root, Substitute(scenario.root, scenario.matrix, cell));
    Case start;
    start.id = scenario.id + IdSuffix(scenario.matrix, cell);
    start.scenario = scenario.id;
    start.file = scenario.file;
    start.claim = scenario.claim;
    start.axes = cell;
    TRY(Case read, CaseReader(root, fixtures).Read(std::move(start)));
    cases.push_back(std::move(read));
  }
  if (const YamlNode* expect = scenario.root.Find("expect")) {
    TRY(const std::vector<Expectation> expectations,
        ReadExpectations(*expect, scenario.matrix.axes));
    TRY(Distribute(*expect, expectations, cases));
  }
  if (const YamlNode* suspects = scenario.root.Find("suspects"))
    TRY(AddSuspects(*suspects, scenario.matrix.axes, cases));
  if (const YamlNode* fix = scenario.root.Find("fix"))
    TRY(AddFixes(*fix, scenario.matrix.axes, fixtures, cases));
  if (const YamlNode* xfail = scenario.root.Find("xfail"))
    TRY(MarkExpectedFailures(*xfail, scenario.matrix, cases));
  return cases;
}

Result<std::vector<Case>> LoadCases(const std::string& file, Fixtures& fixtures) {
  TRY(const Scenario scenario, ReadScenarioFile(file, fixtures.catalog()));
  return ExpandCases(scenario, fixtures);
}

Result<std::vector<Case>> LoadCases(const std::string& file, const Catalog& catalog) {
  Fixtures fixtures(catalog);
  return LoadCases(file, fixtures);
}

Result<std::vector<std::string>> DiscoverScenarios(const std::vector<std::string>& paths) {
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    if (!IsDirectory(path)) {
      if (!FileExists(path)) return Error{fmt::format("there is no scenario {}", path)};
      found.push_back(path);
      continue;
    }
    TRY(const std::vector<std::string> files, FilesBelow(path, ".yaml"));
    found.insert(found.end(), files.begin(), files.end());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace gpustage
