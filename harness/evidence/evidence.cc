#include "harness/evidence/evidence.h"

namespace gpustage {

const Process* ProcessOf(const Evidence& evidence, int pid) {
  const Process* found = nullptr;  // the last: a program may become another
  for (const Process& process : evidence.processes)
    if (process.pid == pid) found = &process;
  return found;
}

std::optional<std::string> VariableOf(const Process* process, std::string_view name) {
  if (process == nullptr) return std::nullopt;
  for (const std::string& entry : process->environment)
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  return std::nullopt;
}

const FunnelRow* LostRow(const Evidence& evidence) {
  return evidence.lost ? &evidence.funnel.at(*evidence.lost) : nullptr;
}

}  // namespace gpustage
