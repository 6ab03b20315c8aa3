#include "harness/capture/service.h"

#include <dirent.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

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

}  // namespace

pid_t ProcessOfUnit(const std::string& unit, MachineFacts& facts) {
  const std::string name = unit.find('.') == std::string::npos ? unit + ".service" : unit;
  const pid_t pid = ProcessIn("/" + name);
  if (pid == 0)
    facts.gaps.push_back(
        {"the environment of the unit: no process of it runs", "nothing in /proc has its cgroup",
         "sudo systemctl start " + unit + ", then run this again; or paste: systemctl show " +
             unit + " -p Environment -p EnvironmentFiles -p User"});
  return pid;
}

pid_t ProcessOfContainer(const std::string& id, MachineFacts& facts) {
  const bool is_id = id.size() >= 8 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
                       return isxdigit(c) != 0;
                     });
  const pid_t pid = is_id ? ProcessIn(id) : 0;
  if (pid == 0)
    facts.gaps.push_back(
        {"the container: no process of it is seen", "",
         is_id ? "nothing in /proc has its cgroup" : "that is no container id of 8 digits or more",
         "docker ps --no-trunc --format '{{.ID}} {{.Names}}'"});
  return pid;
}

}  // namespace gpustage::capture
