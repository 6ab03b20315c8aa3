#include "harness/cli/host_process_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/base/text.h"
#include "harness/report/trace.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

std::string NodeText(const Looked& node) {
  if (node.error == ENOENT) return "is not there";
  std::string text = node.error == 0 ? "open to it" : std::string(std::strerror(node.error));
  if (node.mode != 0) text += fmt::format(" (mode {:04o}, {})", node.mode & 07777, node.owner);
  return text;
}

bool IsMask(const std::string& name) { return name.find("VISIBLE_DEVICES") != std::string::npos; }

void NodeFindings(const HostProcess& process, std::vector<std::string>& found) {
  for (const Looked& node : process.nodes) {
    if (node.error == 0) continue;
    if (node.error == ENOENT)
      found.push_back(node.path + " is not there where it runs");
    else
      found.push_back(fmt::format("it may not open {}: {}", node.path, NodeText(node)));
  }
}

void DriverFindings(const HostProcess& process, const std::string& kernel_driver,
                    std::vector<std::string>& found) {
  const MappedLibrary* const driver = process.Driver();
  if (driver != nullptr && !driver->version.empty() && !kernel_driver.empty() &&
      driver->version != kernel_driver)
    found.push_back(
        fmt::format("the driver's library that it has mapped is {}, and the kernel module {}",
                    driver->version, kernel_driver));
  const auto code = process.answers.find("cuInit");
  if (code == process.answers.end() || code->second == "0") return;
  std::string text =
      fmt::format("asked now with its variables, cuInit of {} answers {}", process.asked,
                  CodeText("cuInit", std::atoll(code->second.c_str())));
  for (const auto& [name, value] : process.variables)
    if (name == "CUDA_VISIBLE_DEVICES" && code->second == "100")
      text += fmt::format("; it was started with {}={}", name, value);
  found.push_back(text);
}

std::string Here(const HostProcess& process) {
  const auto count = process.answers.find("count");
  const auto code = process.answers.find("cuInit");
  if (code == process.answers.end() || code->second != "0" || count == process.answers.end())
    return "";
  return fmt::format("asked now with its variables, {} counts {} device{}", process.asked,
                     count->second, count->second == "1" ? "" : "s");
}

std::string Unseen(const HostProcess& process) {
  std::vector<std::string> words;
  for (const std::string& word : process.argv) words.push_back(ShellWord(word));
  return fmt::format(
      "what it looked for and did not find, and what its calls were answered: only recorders that "
      "are there from its start see that. To start it anew so: gpustage trace --host -- {}",
      fmt::join(words, " "));
}

std::string OneText(const HostProcess& process, const std::string& kernel_driver, size_t width) {
  std::string text = fmt::format("process {}: {}\n", process.pid,
                                 process.argv.empty() ? "(no command line)" : process.argv.front());
  for (const std::string& finding : FindingsOf(process, kernel_driver))
    text += Wrapped("  " + finding + ".", 4, width) + "\n";
  const auto line = [&](const std::string& label, const std::string& value) {
    text += Wrapped(fmt::format("  {:<12}{}", label, value), 14, width) + "\n";
  };
  line("user", process.user.groups.empty() ? std::to_string(process.user.uid)
                                           : fmt::format("{}, of groups {}", process.user.uid,
                                                         fmt::join(process.user.groups, " ")));
  for (const MappedLibrary& library : process.libraries)
    line("mapped", fmt::format("{} ({}){}", library.path, NameOf(library.family),
                               library.replaced ? ", replaced since" : ""));
  for (const std::string& node : process.open_nodes) line("holds open", node);
  for (const Looked& node : process.nodes) line("node", node.path + " " + NodeText(node));
  for (const auto& [name, value] : process.variables) line("variable", name + "=" + value);
  if (!kernel_driver.empty()) line("module", "nvidia " + kernel_driver);
  if (const std::string here = Here(process); !here.empty()) line("answers", here);
  return text;
}

// What could not be read of it, each with who may.
std::vector<std::string> NotRead(const HostProcess& process) {
  std::vector<std::string> lines;
  const std::pair<const char*, const std::string*> kParts[] = {
      {"its variables", &process.no_variables},
      {"what it has mapped", &process.no_maps},
      {"what it has open", &process.no_nodes},
      {"the files as it sees them", &process.no_files}};
  for (const auto& [part, why] : kParts)
    if (!why->empty()) lines.push_back(fmt::format("{}: {}; its user or root may", part, *why));
  if (process.own_mounts)
    lines.emplace_back(
        "what the driver answers there: it has mounts of its own (a container, or a service with "
        "PrivateDevices and the like), and is asked from inside alone");
  return lines;
}

}  // namespace

std::vector<std::string> FindingsOf(const HostProcess& process, const std::string& kernel_driver) {
  std::vector<std::string> found;
  for (const MappedLibrary& library : process.libraries)
    if (library.replaced)
      found.push_back(fmt::format(
          "{} was replaced since it was started: it has the old one until it is started anew",
          library.path));
  DriverFindings(process, kernel_driver, found);
  NodeFindings(process, found);
  for (const auto& [name, value] : process.variables)
    if (IsMask(name) && (value.empty() || value == "-1"))
      found.push_back(fmt::format("{}={} hides every device from it", name, value));
  if (!process.no_maps.empty())
    found.insert(found.begin(), "what it has mapped may not be read: " + process.no_maps);
  else if (process.libraries.empty())
    found.insert(found.begin(), "no library of a GPU is mapped by it now");
  if (found.empty() && process.Holds(Family::kDriver) && !process.open_nodes.empty())
    found.push_back("it has the driver mapped and nodes open: it holds a GPU");
  if (found.empty()) found.emplace_back("nothing that can be seen of it stands in its way");
  return found;
}

std::string HostProcessesText(const HostProcesses& processes, size_t width) {
  std::string text;
  for (const HostProcess& process : processes.all)
    text += (text.empty() ? "" : "\n") + OneText(process, processes.kernel_driver, width);
  const HostProcess& first = processes.all.front();
  text += "\n";
  for (const std::string& line : NotRead(first))
    text += Wrapped("  not read: " + line, 4, width) + "\n";
  text += Wrapped("  not seen here: " + Unseen(first), 4, width) + "\n";
  return text;
}

std::string HostProcessesJson(const HostProcesses& processes) {
  using Json = nlohmann::json;
  Json list = Json::array();
  for (const HostProcess& process : processes.all) {
    Json libraries = Json::array(), nodes = Json::array(), variables = Json::object();
    for (const MappedLibrary& one : process.libraries)
      libraries.push_back({{"path", one.path},
                           {"is", NameOf(one.family)},
                           {"version", one.version},
                           {"replaced", one.replaced}});
    for (const Looked& node : process.nodes)
      nodes.push_back({{"path", node.path}, {"error", node.error}, {"mode", node.mode & 07777}});
    for (const auto& [name, value] : process.variables) variables[name] = value;
    list.push_back({{"pid", process.pid},
                    {"argv", process.argv},
                    {"findings", FindingsOf(process, processes.kernel_driver)},
                    {"uid", process.user.uid},
                    {"groups", process.user.groups},
                    {"libraries", libraries},
                    {"open_nodes", process.open_nodes},
                    {"nodes", nodes},
                    {"variables", variables},
                    {"own_mounts", process.own_mounts},
                    {"asked", process.asked},
                    {"answers", process.answers},
                    {"not_read", NotRead(process)}});
  }
  return Json({{"version", 1}, {"kernel_driver", processes.kernel_driver}, {"processes", list}})
             .dump(1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

}  // namespace gpustage
