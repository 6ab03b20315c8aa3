#include "fakes/scanner/server_start.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fakes/scanner/environment.h"
#include "fakes/scanner/server_config.h"

namespace gpustage::ollama {
namespace {

constexpr int kFirstOpenPort = 1024;  // net.ipv4.ip_unprivileged_port_start

// Go's error words are C's in lower case.
std::string ErrorWords(int code) {
  std::string text = std::strerror(code);
  text[0] = static_cast<char>(std::tolower(text[0]));
  return text;
}

StartFailure Failed(const std::string& text) { return {"Error: " + text + '\n', 1}; }

bool IsDirectory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// os.MkdirAll: the error names the directory that could not be made.
std::optional<std::string> MakeAll(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0)
    return S_ISDIR(status.st_mode) ? std::nullopt
                                   : std::optional("mkdir " + path + ": " + ErrorWords(ENOTDIR));
  const size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0)
    if (auto failed = MakeAll(path.substr(0, slash))) return failed;
  if (mkdir(path.c_str(), 0755) == 0 || IsDirectory(path)) return std::nullopt;
  return "mkdir " + path + ": " + ErrorWords(errno);
}

bool WriteKey(const std::string& path, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return false;
  constexpr char kText[] = "a model of Ollama needs no key\n";
  const bool written = write(fd, kText, sizeof kText - 1) == sizeof kText - 1;
  close(fd);
  return written;
}

// initializeKeypair: looks for the key in HOME, and makes one.
std::optional<StartFailure> MakeKey(const std::string& home) {
  const std::string directory = home + "/.ollama", key = directory + "/id_ed25519";
  struct stat status;
  if (stat(key.c_str(), &status) == 0 || errno != ENOENT) return std::nullopt;
  std::printf("Couldn't find '%s'. Generating new private key.\n", key.c_str());
  std::fflush(stdout);
  if (const auto failed = MakeAll(directory))
    return Failed("could not create directory " + *failed);
  for (const auto& [path, mode] : {std::pair{key, 0600}, {key + ".pub", 0644}})
    if (!WriteKey(path, static_cast<mode_t>(mode)))
      return Failed("open " + path + ": " + ErrorWords(errno));
  return std::nullopt;
}

// A box has a loopback and nothing else, so whether an address can be taken is known without it.
std::optional<StartFailure> Listen() {
  const HostAddress address = ServerAddress();
  const auto failed = [&](int code) {
    return Failed("listen tcp " + address.Text() + ": bind: " + ErrorWords(code));
  };
  in_addr v4 = {};
  in6_addr v6 = {};
  const bool is_v4 = inet_pton(AF_INET, address.host.c_str(), &v4) == 1;
  const bool is_v6 = inet_pton(AF_INET6, address.host.c_str(), &v6) == 1;
  const bool is_any = is_v4 ? v4.s_addr == INADDR_ANY : is_v6 && IN6_IS_ADDR_UNSPECIFIED(&v6);
  const bool is_ours = is_v4 ? (ntohl(v4.s_addr) >> 24) == 127 : is_v6 && IN6_IS_ADDR_LOOPBACK(&v6);
  if ((is_v4 || is_v6) && !is_any && !is_ours) return failed(EADDRNOTAVAIL);
  const int port = std::atoi(address.port.c_str());
  if (port > 0 && port < kFirstOpenPort && geteuid() != 0) return failed(EACCES);
  return std::nullopt;
}

}  // namespace

std::optional<StartFailure> PrepareServer() {
  const char* const home = std::getenv("HOME");
  const bool is_homeless = home == nullptr || *home == '\0';
  if (is_homeless && Var("OLLAMA_MODELS").empty())
    return StartFailure{"panic: $HOME is not defined\n\ngoroutine 1 [running]:\n", 2};
  if (is_homeless) return Failed("$HOME is not defined");
  if (auto failed = MakeKey(home)) return failed;
  return Listen();
}

std::optional<StartFailure> PrepareModels() {
  if (const auto failed = MakeAll(ServerConfig().at("OLLAMA_MODELS") + "/blobs"))
    return Failed(*failed + ": ensure path elements are traversable");
  return std::nullopt;
}

}  // namespace gpustage::ollama
