// Starting a runner and waiting for its answer (StartRunner of llm/server.go, GetDevicesFromRunner
// of ml/device.go).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "fakes/scanner/environment.h"

namespace gpustage::ollama {

// A runner that was started. Its owner must call AwaitAnswer, which ends it.
struct RunnerProcess {
  pid_t pid = -1;
  int answer = -1;  // read end of the pipe
};

struct RunnerCommand {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  bool show_output = false;  // otherwise stdout and stderr go to /dev/null
};

// `error` says why nothing was started, as Go would: "fork/exec /usr/local/bin/ollama: permission
// denied".
std::optional<RunnerProcess> StartRunner(const RunnerCommand& command, std::string& error);

struct RunnerAnswer {
  std::optional<std::string> body;  // none: it ended or stayed silent
  std::optional<int> exit_code;     // when it ended by itself; -1 by a signal
};

// Waits for a whole line, the end of the process or the deadline; the process is gone afterwards.
RunnerAnswer AwaitAnswer(RunnerProcess runner, std::chrono::steady_clock::time_point deadline);

}  // namespace gpustage::ollama
