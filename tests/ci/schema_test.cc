// The CI files, held to the schemas that are published of GitHub's, GitLab's and Kubernetes'.
#include "tests/support/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/files.h"
#include "tests/ci/ci_file.h"

namespace gpustage {
namespace {

using nlohmann::json;

TEST(Workflow, HoldsToTheSchemaOfGithub) {
  const auto text = ReadFile(InCache("github-schema/workflow.json"));
  if (!text) GTEST_SKIP() << "the real part github-schema is not here: harness/dev real";
  const json schema = json::parse(*text);
  const json workflow = ReadCiFile(kWorkflow);
  json more = workflow, less = workflow;  // it does see what is wrong
  more["jobs"]["shard"]["stepz"] = json::array();
  less["jobs"]["shard"]["steps"][0].erase("uses");
  const auto complaints = Complaints(schema, {workflow, more, less});
  if (!complaints) GTEST_SKIP() << kNoValidator;
  EXPECT_THAT(*complaints, testing::ElementsAre("", testing::Ne(""), testing::Ne("")));
}

TEST(Action, HoldsToTheSchemaOfGithub) {
  const auto text = ReadFile(InCache("github-schema/action.json"));
  if (!text) GTEST_SKIP() << "the real part github-schema is not here: harness/dev real";
  const json action = ReadCiFile(kAction);
  json more = action, less = action;
  more["runs"]["steps"][2]["shel"] = "bash";
  less.erase("description");
  const auto complaints = Complaints(json::parse(*text), {action, more, less});
  if (!complaints) GTEST_SKIP() << kNoValidator;
  EXPECT_THAT(*complaints, testing::ElementsAre("", testing::Ne(""), testing::Ne("")));
}

TEST(Pipeline, HoldsToTheSchemaOfGitlab) {
  const auto text = ReadFile(InCache("github-schema/gitlab.json"));
  if (!text) GTEST_SKIP() << "the real part github-schema is not here: harness/dev real";
  const json pipeline = ReadCiFile(kPipeline);
  json more = pipeline, other = pipeline;
  more["gpustage"]["artifact"] = json::object();
  other["gpustage"]["parallel"] = "four";
  const auto complaints = Complaints(json::parse(*text), {pipeline, more, other});
  if (!complaints) GTEST_SKIP() << kNoValidator;
  EXPECT_THAT(*complaints, testing::ElementsAre("", testing::Ne(""), testing::Ne("")));
}

// The definitions refer to each other within their file; a job is one of them.
TEST(Job, HoldsToTheSchemaOfKubernetes) {
  const auto text = ReadFile(InCache("kubernetes-schema/definitions.json"));
  if (!text) GTEST_SKIP() << "the real part kubernetes-schema is not here: harness/dev real";
  const json all = json::parse(*text);
  const json schema = {{"$defs", all.at("$defs")},
                       {"allOf", {{{"$ref", "#/$defs/io.k8s.api.batch.v1.Job"}}}}};
  const json job = ReadCiFile(kJob);
  json more = job, other = job;
  more["spec"]["completion"] = 8;
  other["spec"]["template"]["spec"]["containers"][0]["securityContext"]["runAsUser"] = "root";
  const auto complaints = Complaints(schema, {job, more, other});
  if (!complaints) GTEST_SKIP() << kNoValidator;
  EXPECT_THAT(*complaints, testing::ElementsAre("", testing::Ne(""), testing::Ne("")));
}

// https://kubernetes.io/docs/concepts/workloads/controllers/job: an Indexed Job needs its
// completions, and the limit of an index wants pods that are not restarted.
TEST(Job, NamesAsManyShardsAsItCompletes) {
  const json spec = ReadCiFile(kJob)["spec"];
  const json command = spec["template"]["spec"]["containers"][0]["command"];
  const auto shards = std::find(command.begin(), command.end(), "--shards");
  ASSERT_NE(shards, command.end());
  EXPECT_EQ(*std::next(shards), std::to_string(spec["completions"].get<int>()));
  EXPECT_EQ(spec["completionMode"], "Indexed");
  EXPECT_EQ(spec["template"]["spec"]["restartPolicy"], "Never");
}

}  // namespace
}  // namespace gpustage
