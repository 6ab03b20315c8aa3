// One cell of a scenario, its values put in.
#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

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
  CaseReader(const YamlNode& root, const std::vector<Axis>& axes, Fixtures& fixtures)
      : root_(root), axes_(axes), fixtures_(fixtures) {}

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
      const std::vector<TreeOp> tree = TreeOf(*layout, read.machine.driver);
      read.tree.insert(read.tree.end(), tree.begin(), tree.end());
      Overlay(read.env, layout->env);
    }
    TRY(ReadOwn(read));
    TRY(read.runs, ReadItsRuns(read.axes));
    return read;
  }

  Result<std::vector<RunSpec>> ReadItsRuns(const Cell& cell) const {
    if (const YamlNode* runs = root_.Find("runs")) return ReadRuns(*runs, cell, axes_, fixtures_);
    TRY(const std::vector<const Layout*> layouts, ReadLayouts());
    return DefaultRuns(layouts);
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
      TRY(read.user, ReadUser(*user));
    }
    if (const YamlNode* groups = root_.Find("groups")) {
      TRY(read.groups, ReadGroups(*groups));
    }
    if (const YamlNode* directory = root_.Find("working_directory")) {
      TRY(read.working_directory, ReadTreePath(*directory, "a working directory"));
      if (read.working_directory.starts_with("/proc/"))
        return ErrorAt(*directory, "no program can be started in a directory of the kernel's");
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
      const bool is_requested = std::any_of(requested.begin(), requested.end(),
                                            [&program = scanner.name](const auto& wanted) {
                                              return wanted.substr(0, wanted.find('@')) == program;
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
  const std::vector<Axis>& axes_;
  Fixtures& fixtures_;
};

}  // namespace

Result<Case> ReadCase(const YamlNode& root, Case start, const std::vector<Axis>& axes,
                      Fixtures& fixtures) {
  return CaseReader(root, axes, fixtures).Read(std::move(start));
}

Result<std::vector<RunSpec>> ReadCaseRuns(const YamlNode& root, const Cell& cell,
                                          const std::vector<Axis>& axes, Fixtures& fixtures) {
  return CaseReader(root, axes, fixtures).ReadItsRuns(cell);
}

}  // namespace gpustage
