#include "fakes/scanner/slog.h"

#include <sys/time.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <ctime>

#include "fakes/scanner/release.h"

namespace gpustage::ollama {
namespace {

std::string Format(const char* format, auto... values) {
  char text[64];
  return {text, static_cast<size_t>(std::snprintf(text, sizeof text, format, values...))};
}

// The length of the UTF-8 sequence at the start of `text`, 0 when there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = byte(0) < 0x80   ? 1
                        : byte(0) < 0xC2 ? 0
                        : byte(0) < 0xE0 ? 2
                        : byte(0) < 0xF0 ? 3
                        : byte(0) < 0xF5 ? 4
                                         : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  return length;
}

// Of a whole sequence.
unsigned CodePoint(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0);
  unsigned code = byte(0) & (0x7Fu >> sequence.size());
  for (size_t i = 1; i < sequence.size(); ++i) code = code << 6 | (byte(i) & 0x3Fu);
  return code;
}

// Go asks unicode.IsPrint. What cannot be printed above ASCII is, here: controls, spaces, what
// formats, private use and what is no character; not what Unicode has left open.
constexpr struct {
  unsigned first, last;
} kUnprintable[] = {{0x7F, 0xA0},       {0xAD, 0xAD},       {0x600, 0x605},   {0x61C, 0x61C},
                    {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x1680, 0x1680}, {0x180E, 0x180E},
                    {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F}, {0x3000, 0x3000},
                    {0xD800, 0xF8FF},   {0xFEFF, 0xFEFF},   {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF},
                    {0xE0001, 0xE007F}, {0xF0000, 0x10FFFF}};

bool Printable(std::string_view sequence) {
  const unsigned code = CodePoint(sequence);
  if (code < ' ') return false;
  for (const auto& range : kUnprintable)
    if (code >= range.first && code <= range.last) return false;
  return true;
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (size_t i = 0; i < value.size();) {
    const std::string_view sequence = value.substr(i, SequenceLength(value.substr(i)));
    if (sequence.empty() || sequence == "\xEF\xBF\xBD")
      return true;  // not UTF-8, or the replacement character
    if (!Printable(sequence) && sequence != "\x7F") return true;
    if (sequence == " " || sequence == "=" || sequence == "\"") return true;
    i += sequence.size();
  }
  return false;
}

// As strconv.Quote writes one byte, or a character that cannot be printed.
std::string Escaped(std::string_view sequence) {
  constexpr std::string_view kNamed = "\"\\\a\b\f\n\r\t\v";
  constexpr std::string_view kNames = "\"\\abfnrtv";
  if (sequence.size() > 1) {
    const unsigned code = CodePoint(sequence);
    return code > 0xFFFF ? Format("\\U%08x", code) : Format("\\u%04x", code);
  }
  const size_t named = kNamed.find(sequence[0]);
  if (named != std::string_view::npos) return std::string("\\") + kNames[named];
  return Format("\\x%02x", static_cast<unsigned char>(sequence[0]));
}

std::string LevelName(Level level) {
  const auto named = [&](const char* name, Level base) {
    return level == base ? std::string(name) : name + Format("%+d", level - base);
  };
  if (level == kTrace) return "TRACE";
  if (level < kInfo) return named("DEBUG", kDebug);
  if (level < kWarn) return named("INFO", kInfo);
  if (level < kError) return named("WARN", kWarn);
  return named("ERROR", kError);
}

// RFC 3339 with milliseconds, local time.
std::string Now() {
  timeval now;
  gettimeofday(&now, nullptr);
  tm parts;
  localtime_r(&now.tv_sec, &parts);
  char text[64];
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const long minutes = parts.tm_gmtoff / 60;
  const std::string zone =
      minutes == 0 ? "Z"
                   : Format("%+03ld:%02ld", minutes / 60, (minutes < 0 ? -minutes : minutes) % 60);
  return std::string(text, length) + Format(".%03ld", static_cast<long>(now.tv_usec / 1000)) + zone;
}

// 1.500 -> "1.5", 2.000 -> "2".
std::string Trimmed(std::string number) {
  number.erase(number.find_last_not_of('0') + 1);
  if (number.ends_with('.')) number.pop_back();
  return number;
}

}  // namespace

std::string Quoted(std::string_view value) {
  if (!NeedsQuotes(value)) return std::string(value);
  std::string quoted = "\"";
  for (size_t i = 0; i < value.size();) {
    const size_t length = SequenceLength(value.substr(i));
    const std::string_view sequence = value.substr(i, length == 0 ? 1 : length);
    const bool plain = length != 0 && Printable(sequence) && sequence != "\"" && sequence != "\\";
    quoted += plain ? std::string(sequence) : Escaped(sequence);
    i += sequence.size();
  }
  return quoted + '"';
}

void Log::Write(Level level, std::string_view source, std::string_view message,
                const Attributes& attributes) const {
  if (!Enabled(level)) return;
  std::string line = "time=" + Now() + " level=" + LevelName(level) +
                     " source=" + std::string(SourceIn(source)) + " msg=" + Quoted(message);
  for (const auto& [key, value] : attributes) line += ' ' + Quoted(key) + '=' + Quoted(value);
  line += '\n';
  // One write a line, so that lines of parent and child do not mix. Nobody is left to tell of a
  // failure.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

std::string Joined(const std::vector<std::string>& parts, const char* separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) text.append(i == 0 ? "" : separator).append(parts[i]);
  return text;
}

std::string GoText(const std::vector<std::string>& list) { return '[' + Joined(list, " ") + ']'; }

std::string GoText(const std::map<std::string, std::string>& map) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : map) pairs.push_back(key + ':' + value);
  return "map" + GoText(pairs);
}

std::string GoText(std::chrono::nanoseconds duration) {
  const long long ns = duration.count();
  const auto in = [](long long value, double unit) { return static_cast<double>(value) / unit; };
  if (ns == 0) return "0s";
  if (ns < 1'000) return std::to_string(ns) + "ns";
  if (ns < 1'000'000) return Trimmed(Format("%.3f", in(ns, 1e3))) + "µs";
  if (ns < 1'000'000'000) return Trimmed(Format("%.6f", in(ns, 1e6))) + "ms";
  const long long minutes = ns / 60'000'000'000;
  const std::string seconds = Trimmed(Format("%.9f", in(ns % 60'000'000'000, 1e9))) + 's';
  return minutes == 0 ? seconds : std::to_string(minutes) + 'm' + seconds;
}

std::string HumanBytes(unsigned long long bytes) {
  constexpr double kKibi = 1024;
  const auto value = static_cast<double>(bytes);
  if (value >= kKibi * kKibi * kKibi) return Format("%.1f GiB", value / (kKibi * kKibi * kKibi));
  if (value >= kKibi * kKibi) return Format("%.1f MiB", value / (kKibi * kKibi));
  if (value >= kKibi) return Format("%.1f KiB", value / kKibi);
  return Format("%llu B", bytes);
}

}  // namespace gpustage::ollama
