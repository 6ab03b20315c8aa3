// Go's slog text handler, as far as Ollama's log needs it:
//   time=2026-02-26T09:23:07.417Z level=INFO source=runner.go:67 msg="discovering available
//   GPUs..." key=value
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpustage::ollama {

// Go's numbers. OLLAMA_DEBUG=1 is kDebug, 2 is kTrace; 3 is -12 and has no name.
using Level = int;
inline constexpr Level kTrace = -8;
inline constexpr Level kDebug = -4;
inline constexpr Level kInfo = 0;
inline constexpr Level kWarn = 4;
inline constexpr Level kError = 8;

using Attributes = std::vector<std::pair<std::string, std::string>>;

class Log {
 public:
  explicit Log(Level level) : level_(level) {}

  Level level() const { return level_; }
  bool Enabled(Level level) const { return level >= level_; }

  // One line on stderr. `source` is where the real program has the statement, "runner.go:67".
  void Write(Level level, std::string_view source, std::string_view message,
             const Attributes& attributes = {}) const;

 private:
  Level level_;
};

// The value as the text handler prints it: quoted when it is empty or holds a space, '=', a quote
// or what cannot be printed.
std::string Quoted(std::string_view value);

std::string Joined(const std::vector<std::string>& parts, const char* separator);

// What fmt's %v makes of a slice, a map and a duration: "[a b]", "map[k:v]", "107.806162ms".
std::string GoText(const std::vector<std::string>& list);
std::string GoText(const std::map<std::string, std::string>& map);
std::string GoText(std::chrono::nanoseconds duration);

// "79.2 GiB".
std::string HumanBytes(unsigned long long bytes);

}  // namespace gpustage::ollama
