// The steps of the CI files, run here: their shards have exactly the cases of one run, and merged
// they have its totals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <map>
#include <set>

#include "harness/run/workspace.h"
#include "tests/ci/ci_file.h"
#include "tests/support/matchers.h"
#include "tests/support/program.h"

namespace gpustage {
namespace {

using nlohmann::json;

// Few and quick; without a network, too.
constexpr char kScenarios[] = "first-steps/healthy first-steps/unlistable-directory";

class Replay : public testing::Test {
 protected:
  void SetUp() override {
    if (ProbeIsolation().level == IsolationLevel::kNone)
      GTEST_SKIP() << "this machine allows no private root";
    for (const char* folder :
         {"bin", "harness", ".build", ".build/harness", ".build/package", "tmp"})
      ASSERT_EQ(mkdir(Path(folder).c_str(), 0755), 0);
    ASSERT_EQ(symlink(GPUSTAGE_PROGRAM, Path("bin/gpustage").c_str()), 0);
    ASSERT_EQ(symlink(GPUSTAGE_PROGRAM, Path(".build/harness/gpustage").c_str()), 0);
    // What a fresh machine of theirs is needed for.
    Script("harness/dev", "test \"$*\" = package && touch .build/package/gpustage.deb");
    Script("bin/apt-get", "exit 0");
    Script("bin/gpustage-real", "exit 0");
    environment_ = {{"PATH", Path("bin") + ":" + std::getenv("PATH")},
                    {"TMPDIR", Path("tmp")},
                    {"SCENARIOS", kScenarios},
                    {"SHARDS", "3"},
                    {"GITHUB_OUTPUT", Path("output")},
                    {"GITHUB_STEP_SUMMARY", Path("page")},
                    {"NO_COLOR", "1"}};
  }

  std::string Path(const std::string& name) const { return scratch_.path() + "/" + name; }
  void Script(const std::string& name, const std::string& text) const {
    ASSERT_THAT(WriteFile(Path(name), "#!/bin/sh\n" + text + "\n"), IsOk());
    chmod(Path(name).c_str(), 0755);
  }
  Ran Run(const std::vector<std::string>& words,
          const std::map<std::string, std::string>& more = {}) const {
    std::map<std::string, std::string> environment = environment_;
    for (const auto& [name, value] : more) environment[name] = value;
    std::vector<std::string> inside = {"sh", "-c", "cd \"$0\" && exec \"$@\"", scratch_.path()};
    inside.insert(inside.end(), words.begin(), words.end());
    return Finish(Start(inside, environment, scratch_.path()), scratch_.path());
  }
  json Report(const std::string& name) const { return json::parse(*ReadFile(Path(name))); }

  // The steps of a job, `matrix` being the job's values. Artifacts are files of one folder here.
  void RunJob(const json& workflow, const std::string& name, const json& matrix) const {
    for (const json& step : workflow["jobs"][name]["steps"]) {
      if (!step.contains("run")) continue;
      std::string script = step["run"];
      for (const auto& [key, value] : matrix.items()) {
        const std::string expression = "${{ matrix." + key + " }}",
                          text = value.is_string() ? value.get<std::string>() : value.dump();
        for (size_t at; (at = script.find(expression)) != std::string::npos;)
          script.replace(at, expression.size(), text);
      }
      ASSERT_EQ(script.find("${{"), std::string::npos) << script;
      const Ran ran = Run(
          {"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script});  // as GitHub does
      ASSERT_EQ(ran.status, 0) << script << ran.out << ran.err;
    }
  }

  static std::multiset<std::string> RunsOf(const json& report) {
    std::multiset<std::string> runs;
    for (const json& run : report["cases"])
      runs.insert(run["id"].get<std::string>() + " " + run["run"].get<std::string>() + " " +
                  run["verdict"].get<std::string>());
    return runs;
  }
  json Whole() const {
    std::vector<std::string> words = {"bash", "-c",
                                      "gpustage run $SCENARIOS --report json=whole.json"};
    EXPECT_EQ(Run(words).status, 0);
    return Report("whole.json");
  }

  ScratchDirectory scratch_ = *ScratchDirectory::Make();
  std::map<std::string, std::string> environment_;
};

TEST_F(Replay, OfTheWorkflowGivesTheCasesOfOneRun) {
  const json workflow = ReadCiFile(kWorkflow);
  RunJob(workflow, "plan", {});
  const std::string output = *ReadFile(Path("output"));
  ASSERT_THAT(output, testing::StartsWith("matrix="));
  const json matrix = json::parse(output.substr(output.find('=') + 1));
  ASSERT_EQ(matrix["include"].size(), 3u);
  std::multiset<std::string> runs;
  for (const json& values : matrix["include"]) {
    RunJob(workflow, "shard", values);
    const std::multiset<std::string> some =
        RunsOf(Report("shard-" + values["index"].dump() + ".json"));
    runs.insert(some.begin(), some.end());
  }
  RunJob(workflow, "merge", {});
  const json whole = Whole();
  EXPECT_EQ(runs, RunsOf(whole));
  EXPECT_EQ(RunsOf(Report("report.json")), RunsOf(whole));
  EXPECT_EQ(Report("report.json")["totals"], whole["totals"]);
  EXPECT_THAT(*ReadFile(Path("page")), testing::HasSubstr("passed"));
}

TEST_F(Replay, OfTheJobGivesTheCasesOfOneRun) {
  const json spec = ReadCiFile(kJob)["spec"];
  std::vector<std::string> files = {"gpustage", "merge", "--report", "json=report.json"};
  for (int index = 0; index < spec["completions"].get<int>(); ++index) {
    std::vector<std::string> words;
    for (std::string word : spec["template"]["spec"]["containers"][0]["command"]) {
      for (const auto& [from, to] :
           {std::pair{std::string("$(JOB_COMPLETION_INDEX)"), std::to_string(index)},
            std::pair{std::string("/reports/"), Path("")}})
        if (const size_t at = word.find(from); at != std::string::npos)
          word.replace(at, from.size(), to);
      words.push_back(word);
    }
    for (const char* scenario : {"first-steps/healthy", "first-steps/unlistable-directory"})
      words.insert(words.begin() + 2, scenario);
    const Ran ran = Run(words, {{"JOB_COMPLETION_INDEX", std::to_string(index)}});
    EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    EXPECT_THAT(ran.out, testing::StartsWith("shard " + std::to_string(index + 1) +
                                             " of 8 (JOB_COMPLETION_INDEX): "));
    files.push_back("shard-" + std::to_string(index) + ".json");
  }
  const Ran merged = Run(files);
  EXPECT_EQ(merged.status, 0) << merged.out << merged.err;
  const json whole = Whole();
  EXPECT_EQ(RunsOf(Report("report.json")), RunsOf(whole));
  EXPECT_EQ(Report("report.json")["totals"], whole["totals"]);
}

// `${{ inputs.scenarios }}` of a step's env.
std::string WithInputs(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values)
    for (size_t at; (at = text.find("${{ " + name + " }}")) != std::string::npos;)
      text.replace(at, name.size() + 7, value);
  return text;
}

// Where no package is given it is built once, and the second start takes it from the cache.
TEST_F(Replay, OfTheActionRunsWhatIsNamedAndTellsItsStatus) {
  ASSERT_EQ(mkdir(Path("action").c_str(), 0755), 0);
  Script("harness/dev",
         "echo built >>" + Path("builds") + "; touch small.deb; echo \"$PWD/small.deb\"");
  for (const char* folder : {"action/x", "action/x/y", "home"})
    ASSERT_EQ(mkdir(Path(folder).c_str(), 0755), 0);
  Script("bin/sudo", "exec \"$@\"");
  Script("bin/sysctl", "[ \"$1\" = -n ] && echo 1; echo \"$@\" >>" + Path("sysctl"));
  ASSERT_THAT(WriteFile(Path("two.yaml"),
                        "claim: there are two\nmachine: {devices: [h100-80gb]}\n"
                        "layout: [nvidia-driver-debian, ollama-cuda-12]\n"
                        "runs: [{scanner: ollama-model}]\nexpect: [{devices: 2}]\n"),
              IsOk());
  std::map<std::string, std::string> values = {{"inputs.package", ""},
                                               {"inputs.scanner", ""},
                                               {"inputs.scenarios", kScenarios},
                                               {"inputs.options", "-q"},
                                               {"github.action_path", Path("action/x/y")}};
  const json action = ReadCiFile(kAction);
  for (const auto& [scenarios, status] : {std::pair{kScenarios, 0}, std::pair{"two.yaml", 1}}) {
    values["inputs.scenarios"] = scenarios;
    for (const json& step : action["runs"]["steps"]) {
      if (!step.contains("run")) continue;
      std::map<std::string, std::string> more = {{"HOME", Path("home")},
                                                 {"RUNNER_TEMP", Path("tmp")}};
      if (step.contains("env"))
        for (const auto& [name, value] : step["env"].items())
          more[name] = WithInputs(value, values);
      const Ran ran =
          Run({"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]}, more);
      ASSERT_EQ(ran.status, step.contains("id") ? status : 0) << step["run"] << ran.out << ran.err;
    }
    EXPECT_THAT(*ReadFile(Path("output")),
                testing::EndsWith("status=" + std::to_string(status) + "\n"));
    EXPECT_EQ(Report("gpustage.json")["totals"]["fail"], status);
    EXPECT_THAT(*ReadFile(Path("gpustage.html")), testing::HasSubstr("<html"));
  }
  EXPECT_EQ(*ReadFile(Path("builds")), "built\n");
  EXPECT_THAT(*ReadFile(Path("sysctl")),
              testing::HasSubstr("-w kernel.apparmor_restrict_unprivileged_userns=0"));
}

TEST_F(Replay, OfThePipelineGivesTheCasesOfOneRun) {
  const json pipeline = ReadCiFile(kPipeline);
  const auto script = [&](const char* job, const std::string& index) {
    for (const std::string line : pipeline[job]["script"]) {
      const Ran ran =
          Run({"sh", "-ec", line},  // as GitLab does where an image has no bash
              {{"CI_NODE_INDEX", index},
               {"CI_NODE_TOTAL", std::to_string(pipeline["gpustage"]["parallel"].get<int>())},
               {"GPUSTAGE_SCENARIOS", kScenarios},
               {"GPUSTAGE_OPTIONS", ""}});
      ASSERT_EQ(ran.status, 0) << line << ran.out << ran.err;
    }
  };
  for (int index = 1; index <= pipeline["gpustage"]["parallel"]; ++index)
    script("gpustage", std::to_string(index));
  script("gpustage-report", "");
  EXPECT_EQ(RunsOf(Report("gpustage.json")), RunsOf(Whole()));
  EXPECT_THAT(*ReadFile(Path("gpustage.xml")), testing::HasSubstr("<testsuite"));
}

}  // namespace
}  // namespace gpustage
