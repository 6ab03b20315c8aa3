// The files by which other people's CI runs gpustage.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace gpustage {

inline constexpr char kWorkflow[] = "/.github/workflows/scenarios.yml";
inline constexpr char kAction[] = "/.github/actions/gpustage/action.yml";
inline constexpr char kPipeline[] = "/.ci/gitlab.yml";
inline constexpr char kJob[] = "/.ci/kubernetes-job.yaml";

// A file of the sources, typed as YAML 1.2 types it: what GitHub, GitLab and Kubernetes read.
nlohmann::json ReadCiFile(const std::string& name);

}  // namespace gpustage
