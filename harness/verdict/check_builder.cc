#include "harness/verdict/check_builder.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "harness/words/words.h"

namespace gpustage {

Check FilesUnseen(const Evidence& evidence) {
  return Unobservable(
      fmt::format("what the kernel was asked: {}", evidence.files_unobserved.empty()
                                                       ? "nobody watched"
                                                       : SentenceOf(evidence.files_unobserved)),
      evidence.outcome_event());
}

bool Names(const std::string& path, const std::string& library) {
  return path == library || (path.size() > library.size() && path.ends_with(library) &&
                             path[path.size() - library.size() - 1] == '/');
}

bool Matches(const LinePattern& pattern, const std::string& text) {
  return pattern.regex ? RE2::PartialMatch(text, pattern.text)
                       : text.find(pattern.text) != std::string::npos;
}

std::vector<const Process*> ProcessesOf(const Evidence& evidence, const std::string& role) {
  std::vector<const Process*> found;
  for (const Process& process : evidence.processes)
    if (process.role.find(role) != std::string::npos) found.push_back(&process);
  return found;
}

Within::Within(const Evidence& evidence, const std::optional<std::string>& role)
    : evidence_(evidence), role_(role), processes_(ProcessesOf(evidence, role.value_or(""))) {}

bool Within::Has(int pid) const {
  return !role_ || std::any_of(processes_.begin(), processes_.end(),
                               [&](const Process* process) { return process->pid == pid; });
}

std::string Within::LoaderUnseen() const {
  if (!evidence_.loader_observed)
    return "the program is not dynamic, or was started without the recorder";
  if (!role_) return "";
  if (processes_.empty()) return fmt::format("no process \"{}\" was seen", *role_);
  const auto blind = std::find_if(processes_.begin(), processes_.end(),
                                  [](const Process* process) { return !process->loader_observed; });
  return blind == processes_.end()
             ? ""
             : fmt::format("{} is not dynamic, or was started without the recorder",
                           (*blind)->role);
}

}  // namespace gpustage
