// What a running process shows, in words and for programs.
#pragma once

#include <string>
#include <vector>

#include "harness/host_process.h"

namespace gpustage {

// The answer first: what stands in its way to a GPU, or that nothing of what can be seen does.
std::vector<std::string> FindingsOf(const HostProcess& process, const std::string& kernel_driver);
std::string HostProcessesText(const HostProcesses& processes, size_t width);
std::string HostProcessesJson(const HostProcesses& processes);

}  // namespace gpustage
