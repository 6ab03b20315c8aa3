#include "harness/evidence/records/log_lines.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/limits.h"

namespace gpustage {
namespace {

void AppendUtf8(uint32_t code, std::string& text) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  text += static_cast<char>((0xf00 >> (more + 1) & 0xff) | code >> 6 * more);
  for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | (code >> 6 * i & 0x3f));
}

// A string in quotes as Go's strconv.Quote writes it; one that was cut ends where it ends. Moves
// past it.
std::string TakeGoString(std::string_view& text) {
  constexpr std::string_view kLetters = "abfnrtv", kMeanings = "\a\b\f\n\r\t\v";
  std::string value;
  size_t i = 1;
  while (i < text.size() && text[i] != '"') {
    if (text[i] != '\\' || i + 1 == text.size()) {
      value += text[i++];
      continue;
    }
    const char kind = text[i + 1];
    i += 2;
    const size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    const std::string_view number = text.substr(i, digits);
    uint32_t code = 0;
    std::from_chars(number.data(), number.data() + number.size(), code, 16);
    if (digits > 2)
      AppendUtf8(code, value);
    else if (digits == 2)
      value += static_cast<char>(code);
    else if (const size_t letter = kLetters.find(kind); letter != std::string_view::npos)
      value += kMeanings[letter];
    else
      value += kind;
    i += number.size();
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return value;
}

// One `key=value` of slog's text handler; a value in quotes is a Go string. Moves past it.
bool NextPair(std::string_view& text, std::string& key, std::string& value) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 ||
      text.substr(0, equals).find(' ') != std::string_view::npos)
    return false;
  key = text.substr(0, equals);
  text.remove_prefix(equals + 1);
  if (!text.starts_with('"')) {
    const size_t end = std::min(text.find(' '), text.size());
    value = text.substr(0, end);
    text.remove_prefix(end);
    return true;
  }
  value = TakeGoString(text);
  return true;
}

void ParseSlog(LogLine& line) {
  if (!line.text.starts_with("time=")) return;
  const size_t after_time = line.text.find(' ');
  if (after_time == std::string::npos) return;
  line.text.erase(0, after_time + 1);
  std::string_view rest = line.text;
  std::string key, value;
  while (NextPair(rest, key, value)) {
    if (key == "level")
      line.level = value;
    else if (key == "msg")
      line.message = value;
    else
      line.fields[key] = value;
  }
}

void ParseJson(LogLine& line) {
  const auto parsed = nlohmann::json::parse(line.text, nullptr, false);
  if (!parsed.is_object()) return;
  for (const auto& [key, value] : parsed.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (key == "level")
      line.level = text;
    else if (key == "msg" || key == "message")
      line.message = text;
    else if (key != "time" && key != "timestamp")
      line.fields[key] = text;
  }
}

}  // namespace

std::string WithoutColour(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b' && i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
      continue;
    }
    if (text[i] != '\r') plain += text[i];
  }
  return plain;
}

namespace {

// The first lines and the last, as many as there is room for.
class KeptLines {
 public:
  // How many that end in `bytes` need not be looked at: so many follow them that none is kept.
  size_t Skippable(std::string_view bytes) const {
    if (tail_.size() < kLines) return 0;
    const auto lines = static_cast<size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    return lines - std::min(lines, kLines);
  }
  void Skip(size_t lines, int64_t time_ns) {
    cut_ += static_cast<int64_t>(lines + tail_.size());
    cut_at_ = time_ns;
    tail_.clear();
    tail_bytes_ = 0;
  }
  void Add(TimedLine line) {
    if (head_.size() < kLines && head_bytes_ < kBytes) {
      head_bytes_ += line.text.size();
      head_.push_back(std::move(line));
      return;
    }
    tail_bytes_ += line.text.size();
    tail_.push_back(std::move(line));
    while (tail_.size() > kLines || tail_bytes_ > kBytes) {
      tail_bytes_ -= tail_.front().text.size();
      cut_at_ = tail_.front().time_ns;
      tail_.pop_front();
      ++cut_;
    }
  }

  SplitLog Take() && {
    SplitLog log = {std::move(head_), cut_};
    if (cut_ > 0)
      log.lines.push_back({cut_at_, Stream::kStderr,
                           fmt::format("… {} lines are cut here: at most {} are kept, and {} MiB",
                                       cut_, limits::kLogLines, limits::kLogBytes >> 20)});
    for (TimedLine& line : tail_) log.lines.push_back(std::move(line));
    return log;
  }

 private:
  static constexpr size_t kLines = limits::kLogLines / 2, kBytes = limits::kLogBytes / 2;
  std::vector<TimedLine> head_;
  std::deque<TimedLine> tail_;
  size_t head_bytes_ = 0, tail_bytes_ = 0;
  int64_t cut_ = 0, cut_at_ = 0;
};

// A line of one stream that has not ended yet.
struct Pending {
  std::string text;
  size_t cut = 0;  // bytes that it is longer
  int64_t last = 0;
  bool begun = false;

  void Append(std::string_view bytes) {
    const size_t room = limits::kLogLineBytes - text.size();
    text += bytes.substr(0, room);
    cut += bytes.size() - std::min(room, bytes.size());
    begun = begun || !bytes.empty();
  }
  std::string Take() {
    std::string line = std::move(text);
    if (cut > 0) line += fmt::format(" … (cut at {} bytes)", limits::kLogLineBytes);
    *this = {};
    return line;
  }
};

}  // namespace

SplitLog SplitLines(const std::vector<OutputChunk>& output) {
  KeptLines kept;
  Pending pending[2];
  for (const OutputChunk& chunk : output) {
    Pending& line = pending[chunk.stream == Stream::kStdout ? 0 : 1];
    std::string_view rest = chunk.bytes;
    if (const size_t skipped = kept.Skippable(rest); skipped > 0) {
      size_t end = rest.size();  // behind the line feed of the last that is skipped
      for (auto left = std::count(rest.begin(), rest.end(), '\n') + 1 - static_cast<long>(skipped);
           left > 0; --left)
        end = rest.rfind('\n', end - 1);
      kept.Skip(skipped, chunk.time_ns);
      line = {};
      rest.remove_prefix(end + 1);
    }
    for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      line.Append(rest.substr(0, end));
      kept.Add({chunk.time_ns, chunk.stream, line.Take()});
      rest.remove_prefix(end + 1);
    }
    line.Append(rest);
    line.last = chunk.time_ns;
  }
  for (size_t which = 0; which < 2; ++which)
    if (pending[which].begun) {
      const int64_t last = pending[which].last;
      kept.Add({last, which == 0 ? Stream::kStdout : Stream::kStderr, pending[which].Take()});
    }
  SplitLog log = std::move(kept).Take();
  std::stable_sort(log.lines.begin(), log.lines.end(),
                   [](const TimedLine& a, const TimedLine& b) { return a.time_ns < b.time_ns; });
  return log;
}

LogLine ParseLogLine(const TimedLine& line, LogFormat format) {
  LogLine parsed;
  parsed.stream = line.stream;
  parsed.raw = line.text;
  parsed.text = WithoutColour(line.text);
  switch (format) {
    case LogFormat::kSlog: ParseSlog(parsed); break;
    case LogFormat::kJson: ParseJson(parsed); break;
    case LogFormat::kGgml:
    case LogFormat::kPlain: break;
  }
  if (parsed.message.empty()) parsed.message = parsed.text;
  return parsed;
}

std::function<bool(std::string_view)> LineFinder(const std::string& pattern) {
  const auto compiled = std::make_shared<RE2>(pattern, RE2::Quiet);
  return [compiled](std::string_view line) {
    const std::string plain = WithoutColour(line);
    return RE2::PartialMatch(plain, *compiled);
  };
}

}  // namespace gpustage
