// The CI files, held to the schemas that GitHub's and Kubernetes' users publish.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "harness/base/files.h"
#include "tests/ci/ci_file.h"

namespace gpustage {
namespace {

using nlohmann::json;

std::string InCache(const std::string& name) {
  const char* const cache = std::getenv("GPUSTAGE_CACHE");
  return std::string(cache == nullptr ? "" : cache) + "/real/" + name;
}

std::string Complaints(const json& schema, const json& value) {
  using Adapter = valijson::adapters::NlohmannJsonAdapter;
  valijson::Schema parsed;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(Adapter(schema), parsed);
  valijson::ValidationResults results;
  valijson::Validator(valijson::Validator::kStrongTypes).validate(parsed, Adapter(value), &results);
  std::string complaints;
  for (valijson::ValidationResults::Error error; results.popError(error);)
    complaints += error.description + "\n";
  return complaints;
}

TEST(Workflow, HoldsToTheSchemaOfGithub) {
  const auto text = ReadFile(InCache("github-schema/workflow.json"));
  if (!text) GTEST_SKIP() << "the real part github-schema is not here: harness/dev real";
  const json schema = json::parse(*text);
  json workflow = ReadCiFile(kWorkflow);
  EXPECT_EQ(Complaints(schema, workflow), "");
  workflow["jobs"]["shard"]["stepz"] = json::array();  // it does see what is wrong
  EXPECT_NE(Complaints(schema, workflow), "");
  workflow = ReadCiFile(kWorkflow);
  workflow["jobs"]["shard"]["steps"][0].erase("uses");
  EXPECT_NE(Complaints(schema, workflow), "");
}

// The definitions refer to each other within their file; a job is one of them.
TEST(Job, HoldsToTheSchemaOfKubernetes) {
  const auto text = ReadFile(InCache("kubernetes-schema/definitions.json"));
  if (!text) GTEST_SKIP() << "the real part kubernetes-schema is not here: harness/dev real";
  const json all = json::parse(*text);
  const json schema = {{"$defs", all.at("$defs")},
                       {"allOf", {{{"$ref", "#/$defs/io.k8s.api.batch.v1.Job"}}}}};
  json job = ReadCiFile(kJob);
  EXPECT_EQ(Complaints(schema, job), "");
  job["spec"]["completion"] = 8;
  EXPECT_NE(Complaints(schema, job), "");
  job = ReadCiFile(kJob);
  job["spec"]["template"]["spec"]["containers"][0]["securityContext"]["runAsUser"] = "root";
  EXPECT_NE(Complaints(schema, job), "");
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
