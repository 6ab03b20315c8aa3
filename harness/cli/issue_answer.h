// The whole answer to an issue: of its logs, of what else is pasted in it, and of the scenario that
// looks alike; or what to ask back.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/logs/knowledge.h"

namespace gpustage {

// Markdown; "" where the issue speaks of no GPU.
Result<std::string> AnswerToIssue(const Knowledge& knowledge, const std::string& issue);

}  // namespace gpustage
