#include "fakes/scanner/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <csignal>
#include <cstring>

#include "fakes/scanner/runner.h"

namespace gpustage::ollama {
namespace {

// Go's error words are C's in lower case.
std::string ErrorText(int code) {
  std::string text = std::strerror(code);
  text[0] = static_cast<char>(std::tolower(text[0]));
  return text;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int ExitCode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

// Appends what there is. False at the end of the stream.
bool ReadSome(int fd, std::string& text) {
  char buffer[4096];
  const ssize_t length = read(fd, buffer, sizeof buffer);
  if (length > 0) text.append(buffer, static_cast<size_t>(length));
  return length > 0;
}

}  // namespace

std::optional<RunnerProcess> StartRunner(const RunnerCommand& command, std::string& error) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    error = "pipe: " + ErrorText(errno);
    return std::nullopt;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (command.show_output) {
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, ends[1], kAnswerDescriptor);

  RunnerProcess runner;
  const int code = posix_spawn(&runner.pid, command.argv[0].c_str(), &actions, nullptr,
                               Pointers(command.argv).data(), Pointers(command.environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (code != 0) {
    close(ends[0]);
    error = "fork/exec " + command.argv[0] + ": " + ErrorText(code);
    return std::nullopt;
  }
  runner.answer = ends[0];
  return runner;
}

RunnerAnswer AwaitAnswer(RunnerProcess runner, std::chrono::steady_clock::time_point deadline) {
  // A process that the runner left behind may hold the pipe open, so its end is asked for too, at
  // the real one's pace.
  constexpr int kPollMilliseconds = 10;
  RunnerAnswer answer;
  std::string text;
  pollfd reader = {runner.answer, POLLIN, 0};
  int status = 0;
  // All runners are waited for at once: what has come by the deadline counts, however long the one
  // that was asked first took.
  for (bool more = true; more && !answer.body && !answer.exit_code;) {
    poll(&reader, 1, std::chrono::steady_clock::now() < deadline ? kPollMilliseconds : 0);
    more = reader.revents != 0 || std::chrono::steady_clock::now() < deadline;
    if (reader.revents != 0 && !ReadSome(runner.answer, text)) reader.fd = -1;
    if (text.ends_with('\n'))
      answer.body = text;
    else if (reader.revents == 0 || reader.fd < 0) {
      if (waitpid(runner.pid, &status, WNOHANG) == runner.pid) answer.exit_code = ExitCode(status);
    }
  }
  if (!answer.exit_code) {
    kill(runner.pid, SIGKILL);
    waitpid(runner.pid, &status, 0);
  }
  close(runner.answer);
  return answer;
}

}  // namespace gpustage::ollama
