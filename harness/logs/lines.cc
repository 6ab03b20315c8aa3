#include "harness/logs/lines.h"

#include <re2/re2.h>

#include <nlohmann/json.hpp>

#include "harness/evidence/records/log_lines.h"

namespace gpustage {
namespace {

// Docker's json-file has "log", journald's JSON has "MESSAGE". "" is no such line.
std::string InJson(const std::string& line) {
  if (!line.starts_with('{')) return "";
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object()) return "";
  for (const char* key : {"log", "MESSAGE"})
    if (const auto text = object.find(key); text != object.end() && text->is_string())
      return text->get<std::string>();
  return "";
}

// What others put before a line; each may come once, in this order.
std::string WithoutPrefixes(std::string line) {
  static const RE2 quote(R"(^(?:\s*(?:>|&gt;) ?)+)"), list(R"(^\s*[-*] )");
  static const RE2 kubernetes(
      R"(^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d) (?:stdout|stderr) [FP] )");
  static const RE2 compose(R"(^[A-Za-z0-9][\w.-]* +\| ?)");
  static const RE2 journald(
      R"(^(?:\S{2,12} [ 0-9]?\d \d\d:\d\d:\d\d(?:\.\d+)?|)"
      R"(\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)) \S+ [\w./@-]+\[\d+\]: ?)");
  static const RE2 pod(R"(^\[(?:pod/)?[\w.-]+(?:/[\w.-]+)*\] )");
  static const RE2 time(
      R"(^\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?(?: -)? *)");
  static const RE2 slog_time(R"(\btime="?[^\s"]+"? )");
  RE2::Replace(&line, quote, "");
  for (const RE2* prefix : {&pod, &compose, &kubernetes, &journald})
    RE2::Replace(&line, *prefix, "");
  // docker logs -t, and a desktop's viewer, put a time before slog's own; Go's plain log has one.
  RE2::Replace(&line, time, "");
  if (line.find("msg=") != std::string::npos) RE2::Replace(&line, slog_time, "");
  if (line.find("level=") != std::string::npos) RE2::Replace(&line, list, "");
  return line;
}

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t`");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t`") + 1 - begin);
}

// What a terminal would obey, and no program means as text.
std::string WithoutControls(std::string text) {
  std::erase_if(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
  return text;
}

bool IsGap(const std::string& text) {
  static const RE2 gap(R"((?i)^[\[(<]*\s*(?:\.{3,}|…|\.\s\.\s\.|)"
                       R"(snip(?:ped)?|truncated|omitted)(?:\s*\w+)?\s*[\])>]*$)");
  return RE2::FullMatch(text, gap);
}

void Add(const std::string& line, int number, std::vector<PastedLine>& lines) {
  std::string text = Trimmed(WithoutPrefixes(WithoutControls(WithoutColour(line))));
  if (text.empty()) return;
  const bool gap = IsGap(text);
  lines.push_back({number, std::move(text), gap});
}

}  // namespace

std::vector<PastedLine> PlainLines(std::string_view text) {
  std::vector<PastedLine> lines;
  int number = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line(text.substr(start, end - start));
    ++number;
    start = end + 1;
    const std::string held = InJson(line);
    if (held.empty()) {
      Add(line, number, lines);
      continue;
    }
    for (size_t at = 0; at < held.size();) {
      const size_t stop = std::min(held.find('\n', at), held.size());
      Add(held.substr(at, stop - at), number, lines);
      at = stop + 1;
    }
  }
  return lines;
}

}  // namespace gpustage
