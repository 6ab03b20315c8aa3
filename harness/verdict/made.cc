#include "harness/verdict/made.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace gpustage {

Check FilesUnseen(const Evidence& evidence) {
  return Unknown(fmt::format("what the kernel was asked: {}", evidence.files_unobserved.empty() ? "nobody watched" : evidence.files_unobserved),
                 evidence.outcome_event());
}

bool Matches(const LinePattern& pattern, const std::string& text) {
  return pattern.regex ? RE2::PartialMatch(text, pattern.text) : text.find(pattern.text) != std::string::npos;
}

std::vector<const Process*> ProcessesOf(const Evidence& evidence, const std::string& role) {
  std::vector<const Process*> found;
  for (const Process& process : evidence.processes)
    if (process.role.find(role) != std::string::npos) found.push_back(&process);
  return found;
}

}  // namespace gpustage
