#include "harness/capture/service.h"

#include <dirent.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

#include "harness/capture/ask.h"
#include "harness/capture/collect.h"

namespace gpustage::capture {
namespace {

// The least pid of /proc whose cgroup has this text.
pid_t ProcessIn(const std::string& cgroup) {
  DIR* const proc = opendir("/proc");
  if (proc == nullptr) return 0;
  pid_t least = 0;
  while (const dirent* entry = readdir(proc)) {
    if (isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    const pid_t pid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (ReadWhole("/proc/" + std::string(entry->d_name) + "/cgroup", 8192).find(cgroup) !=
            std::string::npos &&
        (least == 0 || pid < least))
      least = pid;
  }
  closedir(proc);
  return least;
}

pid_t NumberIn(const std::string& output) {
  return static_cast<pid_t>(strtol(output.c_str(), nullptr, 10));
}

// NAME=value "NAME=value with blanks" …, as systemctl show prints them.
void AddAssignments(const std::string& text, ProcessFacts& process) {
  for (size_t at = 0; at < text.size();) {
    const bool quoted = text[at] == '"';
    const size_t begin = at + quoted;
    const size_t end = std::min(text.find(quoted ? '"' : ' ', begin), text.size());
    const std::string entry = text.substr(begin, end - begin);
    if (const size_t equals = entry.find('='); equals != std::string::npos)
      process.environment.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    at = end + 1;
    while (at < text.size() && text[at] == ' ') ++at;
  }
}

}  // namespace

pid_t ProcessOfUnit(const std::string& unit, MachineFacts& facts) {
  const std::string name = unit.find('.') == std::string::npos ? unit + ".service" : unit;
  pid_t pid = NumberIn(OutputOf({"systemctl", "show", "-p", "MainPID", "--value", "--", name}));
  if (pid == 0) pid = ProcessIn("/" + name);
  if (pid == 0)
    facts.gaps.push_back({"the process of the unit: none runs", "",
                          "systemctl names none, and nothing in /proc has its cgroup",
                          "sudo systemctl start UNIT, then run this again"});
  return pid;
}

pid_t ProcessOfContainer(const std::string& id, MachineFacts& facts) {
  pid_t pid = 0;
  for (const char* engine : {"docker", "podman"})
    if (pid == 0) pid = NumberIn(OutputOf({engine, "inspect", "-f", "{{.State.Pid}}", "--", id}));
  const bool is_id = id.size() >= 8 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
                       return isxdigit(c) != 0;
                     });
  if (pid == 0 && is_id) pid = ProcessIn(id);
  if (pid == 0)
    facts.gaps.push_back({"the container: no process of it is seen", "",
                          "docker and podman name none, and nothing in /proc has its cgroup",
                          "docker ps --no-trunc --format '{{.ID}} {{.Names}}'"});
  return pid;
}

void AddVariablesOfUnit(const std::string& unit, MachineFacts& facts) {
  ProcessFacts& process = facts.process;
  if (process.pid != 0 && !process.environment.empty()) return;
  const std::string name = unit.find('.') == std::string::npos ? unit + ".service" : unit;
  const std::string shown = OutputOf({"systemctl", "show", "-p", "Environment", "-p",
                                      "EnvironmentFiles", "-p", "User", "--", name});
  process.environment.clear();  // of this shell
  process.told = true;
  bool files = false;
  size_t begin = 0;
  while (begin < shown.size()) {
    const size_t end = std::min(shown.find('\n', begin), shown.size());
    const std::string line = shown.substr(begin, end - begin);
    begin = end + 1;
    if (line.rfind("Environment=", 0) == 0)
      AddAssignments(line.substr(strlen("Environment=")), process);
    files |= line.rfind("EnvironmentFiles=/", 0) == 0;
  }
  if (files || shown.empty())
    facts.gaps.push_back(
        {shown.empty() ? "the variables of the unit"
                       : "the variables of the files that the unit names",
         "", "they are told to root and to the user of the unit alone",
         "systemctl show UNIT -p EnvironmentFiles, then sudo grep -E 'VISIBLE|LD_' on each"});
}

}  // namespace gpustage::capture
