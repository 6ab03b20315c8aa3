// A program started on this machine as it is, with the recorders that watch a scanner: no root of
// its own, no namespace, nothing staged. What is ours lies in one directory, which the caller
// removes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/run/raw_run.h"
#include "harness/run/run.h"

namespace gpustage {

struct HostStart {
  std::vector<std::string> argv;         // argv[0]: a path
  std::vector<std::string> environment;  // "NAME=value"
};

// `ours` is the directory. What the program prints goes to our standard error, too. All that it
// starts is ended with it: nobody would answer the calls that the listener stops any more.
Result<RawRun> RunOnHost(const HostStart& start, const Root& ours, const Recorders& recorders);

std::vector<std::string> OurEnvironment();

// The lines that the probe of gpustage-capture prints of a driver: family is "cuda" or "nvml".
std::string ProbeDriver(const HostStart& start, const std::string& family,
                        const std::string& library, const Recorders& recorders);
// What the driver answers who has this environment: "cuInit" -> "100", "count" -> "1". Of the probe
// of gpustage-capture; empty where it could not be started. Started once the run is over, within a
// limit of time.
std::map<std::string, std::string> AskDriver(const HostStart& start, const std::string& family,
                                             const std::string& library,
                                             const Recorders& recorders);

// As Ask of run.h.
Result<std::vector<DlopenAnswer>> AskOnHost(const HostStart& start,
                                            const std::vector<std::string>& paths,
                                            const Recorders& recorders);

}  // namespace gpustage
