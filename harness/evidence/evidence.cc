#include "harness/evidence/evidence.h"

#include <algorithm>

#include "harness/base/text.h"

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

namespace {

// Stems, in small letters.
constexpr std::string_view kComplaints[] = {
    "fail",         "error",     "cannot",    "could not",   "couldn't",     "unable",
    "skip",         "denied",    "not found", "no such",     "missing",      "invalid",
    "not support",  "unsupport", "incompat",  "undefined",   "dropping",     "filtering",
    "refus",        "crash",     "killed",    "abort",       "sigsegv",      "sigbus",
    "exited",       "disabled",  "timeout",   "timed out",   "not compiled", "insufficient",
    "not detected", "no cuda",   "didn't",    "not initial", "too old",      "did not",
    "not exist"};

}  // namespace

// A list of variables names every directory and is no complaint, whatever they are called.
bool Complains(const LogLine& line) {
  if (line.message == "subprocess" || line.message == "server config") return false;
  if (line.level == "WARN" || line.level == "ERROR") return true;
  std::string text = InSmallLetters(line.message);
  if (const auto error = line.fields.find("error"); error != line.fields.end())
    text += " error " + InSmallLetters(error->second);
  return std::any_of(std::begin(kComplaints), std::end(kComplaints),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

}  // namespace gpustage
