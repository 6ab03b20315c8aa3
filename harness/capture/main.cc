// gpustage-capture: a machine that sees no GPU becomes a scenario that `gpustage run` replays.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness/capture/ask.h"
#include "harness/capture/collect.h"
#include "harness/capture/scenario_text.h"
#include "harness/capture/service.h"

namespace {

constexpr char kUsage[] =
    "gpustage-capture [--pid N | --unit NAME | --container ID] [--dir DIR]... [-o FILE] [-- "
    "SCANNER ARGS]\n"
    "\n"
    "Reads this machine, changes nothing, and writes a scenario that `gpustage run FILE` replays.\n"
    "Without a name: the environment and user of this shell. Nothing private is written: what is "
    "no\n"
    "word of GPU software becomes a placeholder.\n"
    "\n"
    "  --pid N         of this process: a service has an environment and files of its own\n"
    "  --unit NAME     of the process of this systemd unit\n"
    "  --container ID  of a process of this container, from outside\n"
    "  --dir DIR       look into this directory, too\n"
    "  -o FILE         write there; without it to standard output, so that you see all before you\n"
    "                  send it\n"
    "  --show          with -o: print all first, and write it after a yes\n"
    "  -- SCANNER …    start this program as well and keep what it said, placeholders in it\n";

int Refuse(const std::string& why) {
  std::fprintf(stderr, "gpustage-capture: %s\n\n%s", why.c_str(), kUsage);
  return 2;
}

// A regular file or nothing is replaced as a whole; anything else is written through.
int Write(const std::string& path, const std::string& text) {
  const int fd =
      path.empty() ? 1 : open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  size_t done = 0;
  while (fd >= 0 && done < text.size()) {
    const ssize_t wrote = write(fd, text.data() + done, text.size() - done);
    if (wrote <= 0) break;
    done += static_cast<size_t>(wrote);
  }
  if (fd >= 0 && done == text.size()) return 0;
  std::fprintf(stderr, "gpustage-capture: cannot write %s: %s\n",
               path.empty() ? "standard output" : path.c_str(), std::strerror(errno));
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gpustage::capture;
  MachineFacts facts;
  std::vector<std::string> directories;
  std::string file, unit, container;
  pid_t pid = 0;
  bool show = false;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> const char* { return i + 1 < argc ? argv[++i] : nullptr; };
    if (option == "--help" || option == "-h") return std::fputs(kUsage, stdout) < 0;
    if (option == "--show") {
      show = true;
      continue;
    }
    if (option == "--") {
      facts.scanner.assign(argv + i + 1, argv + argc);
      if (facts.scanner.empty()) return Refuse("-- wants a program behind it");
      break;
    }
    const bool known = option == "--pid" || option == "--unit" || option == "--container" ||
                       option == "--dir" || option == "-o";
    if (!known) return Refuse("unknown option \"" + option + "\"");
    const char* const text = value();
    if (text == nullptr) return Refuse(option + " wants a value");
    if (option == "--pid" && (pid = static_cast<pid_t>(std::atol(text))) <= 0)
      return Refuse("--pid wants the number of a process, got \"" + std::string(text) + "\"");
    if (option == "--unit") unit = text;
    if (option == "--container") container = text;
    if (option == "--dir") directories.emplace_back(text);
    if (option == "-o") file = text;
  }
  if (!unit.empty()) pid = ProcessOfUnit(unit, facts);
  if (!container.empty()) pid = ProcessOfContainer(container, facts);
  ReadProcess(pid, facts);
  if (!unit.empty()) AddVariablesOfUnit(unit, facts);
  ReadSystem(facts);
  ReadLoader(facts);
  ReadFiles(directories, facts);
  AskLibraries(facts);
  if (!facts.scanner.empty()) RunScanner(facts);
  const std::string text = ScenarioText(facts);
  if (!show || file.empty()) return Write(file, text);
  if (const int status = Write("", text); status != 0) return status;
  std::fprintf(stderr, "\nThis is all of it. Write it to %s? [y/N] ", file.c_str());
  const int answer = std::getchar();
  if (answer != 'y' && answer != 'Y') {
    std::fprintf(stderr, "nothing was written\n");
    return 1;
  }
  return Write(file, text);
}
