// Public issues as they stand (fixtures/issues): the comment on each says what its thread came to,
// or what to ask back.
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/files.h"
#include "harness/scenario/yaml/fields.h"
#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Issue {
  std::string cause, title, body;
  bool asks = false, cannot_tell = false;
};

Result<Issue> ReadIssue(const std::string& path) {
  TRY(const YamlNode file, ReadYamlFile(path));
  TRY(CheckKeys(file, "an issue",
                {"thread", "stated", "cause", "asks", "cannot_tell", "title", "body"}));
  Issue issue;
  for (const char* key : {"thread", "stated", "body"}) {
    TRY(const YamlNode* node, Require(file, "an issue", key));
    TRY(issue.body, ReadNonEmpty(*node, key));
  }
  if (const YamlNode* cause = file.Find("cause")) issue.cause = cause->text;
  if (const YamlNode* title = file.Find("title")) issue.title = title->text;
  if (const YamlNode* asks = file.Find("asks")) {
    TRY(issue.asks, ReadBool(*asks, "asks"));
  }
  if (const YamlNode* cannot = file.Find("cannot_tell")) {
    TRY(issue.cannot_tell, ReadBool(*cannot, "cannot_tell"));
  }
  if (issue.asks + issue.cannot_tell + !issue.cause.empty() != 1)
    return ErrorAt(file, "one of cause, cannot_tell and asks");
  return issue;
}

std::vector<std::string> Issues() {
  std::vector<std::string> names;
  if (const auto files = FilesBelow(InSources("/fixtures/issues"), ".yaml"))
    for (const std::string& file : *files) names.push_back(BaseNameOf(file));
  return names;
}

class PublicIssue : public StagedCliTest, public testing::WithParamInterface<std::string> {};

TEST_P(PublicIssue, IsAnsweredAsItsThreadWas) {
  const auto issue = ReadIssue(InSources("/fixtures/issues/") + GetParam());
  ASSERT_THAT(issue, IsOk());
  // As Markdown and as the event that a workflow has; a title is in the event alone.
  Write("issue.md", issue->body);
  Write("event.json",
        nlohmann::json({{"issue", {{"number", 1}, {"title", issue->title}, {"body", issue->body}}}})
            .dump());
  const Ran ran = Run({"explain", "--issue", Path("event.json")});
  EXPECT_EQ(ran.status, 0) << ran.err;
  if (issue->asks)
    EXPECT_THAT(ran.out, testing::AllOf(HasSubstr("The one thing that tells more"),
                                        Not(HasSubstr("### Log"))));
  else if (issue->cannot_tell)
    EXPECT_THAT(ran.out, HasSubstr("The log leaves these causes:\n"));
  else
    EXPECT_THAT(ran.out, HasSubstr("- **" + issue->cause + "**: "));
  EXPECT_THAT(ran.out, Not(HasSubstr("'the library")));
  // A name in braces that nothing fills.
  EXPECT_THAT(ran.out, Not(testing::ContainsRegex("`[^`]*\\{[a-z]+\\}")));
  if (issue->title.empty()) {
    EXPECT_EQ(Run({"explain", "--issue", Path("issue.md")}).out, ran.out);
  }
}

INSTANTIATE_TEST_SUITE_P(AsTheyStand, PublicIssue, testing::ValuesIn(Issues()),
                         [](const auto& issue) {
                           std::string name = issue.param.substr(0, issue.param.rfind('.'));
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

class WholeIssue : public StagedCliTest {
 protected:
  std::string Comment(const std::string& body) const {
    Write("issue.md", body);
    return Run({"explain", "--issue", Path("issue.md")}).out;
  }
};

TEST_F(WholeIssue, WhatElseIsPastedIsReadAsAMachine) {
  const std::string comment = Comment(
      "No GPU since the update.\n```\n$ systemctl cat "
      "ollama\nUser=ollama\nPrivateDevices=yes\n```\n"
      "```\nNVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4\n"
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.06  Wed Jun 26\n```\n");
  EXPECT_THAT(comment, HasSubstr("- loses the device: PrivateDevices=yes"));
  EXPECT_THAT(comment, HasSubstr("- does not fit: the driver's kernel module is 550.54.15"));
  EXPECT_THAT(comment, HasSubstr("gpustage import ISSUE -o bug.yaml"));
}

TEST_F(WholeIssue, TheScenarioThatLooksAlikeIsNamedWithItsThread) {
  EXPECT_THAT(Comment("`Unable to open /dev/kfd read-write: Permission denied`\n"
                      "and the user is not in the group render\n"),
              HasSubstr("Most alike in the collection: `gpustage trace "));
}

// The step of the page's action (harness/docs/triage.md), as a runner starts it.
class TriageAction : public StagedCliTest {
 protected:
  void SetUp() override {
    StagedCliTest::SetUp();
    const std::string page = *ReadFile(InSources("/harness/docs/triage.md"));
    const size_t begin = page.find("```yaml\n") + 8, end = page.find("```\n", begin);
    Write("action.yml", page.substr(begin, end - begin));
    const auto action = ReadYamlFile(Path("action.yml"));
    ASSERT_THAT(action, IsOk());
    script_ = action->Find("runs")->Find("steps")->items.back().Find("run")->text;
    ASSERT_EQ(mkdir(Path("bin").c_str(), 0755), 0);
    ASSERT_EQ(symlink(GPUSTAGE_PROGRAM, Path("bin/gpustage").c_str()), 0);
    environment_["PATH"] = Path("bin") + ":" + getenv("PATH");
    environment_["RUNNER_TEMP"] = scratch_.path();
    environment_["GITHUB_EVENT_PATH"] = Path("event.json");
    environment_["GITHUB_STEP_SUMMARY"] = Path("summary");
    environment_["GITHUB_OUTPUT"] = Path("output");
  }
  void Start(const std::string& body) {
    Write("event.json", nlohmann::json({{"issue", {{"body", body}}}}).dump());
    const Ran ran = Finish(gpustage::Start({"bash", "-e", "-o", "pipefail", "-c", script_},
                                           environment_, scratch_.path()),
                           scratch_.path());
    EXPECT_EQ(ran.status, 0) << ran.err;
  }
  std::string script_;
};

TEST_F(TriageAction, SummarisesAnIssueOfAGpu) {
  Start("It says: `Failed to initialize NVML: Driver/library version mismatch`\n");
  EXPECT_THAT(*ReadFile(Path("summary")), HasSubstr("- **B4-mismatch**: "));
  EXPECT_EQ(*ReadFile(Path("output")), "explained=true\n");
}

// No text of a stranger's becomes a word of the script.
TEST_F(TriageAction, SaysThatAnIssueIsOfNoGpu) {
  Start("I like it. $(touch " + Path("touched") + ") `touch " + Path("touched") + "`\n");
  EXPECT_EQ(*ReadFile(Path("summary")), "This issue speaks of no GPU.\n");
  EXPECT_EQ(*ReadFile(Path("output")), "explained=false\n");
  EXPECT_FALSE(FileExists(Path("touched")));
}

TEST(PublicIssues, AreAtLeast20) { EXPECT_GE(Issues().size(), 20u); }

}  // namespace
}  // namespace gpustage
