#include "harness/verdict/suspects.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "harness/evidence/records/log_lines.h"

namespace gpustage {
namespace {

const LogLine* Find(const Evidence& log, const std::string& pattern) {
  const RE2 expression(pattern, RE2::Quiet);
  const auto line = std::find_if(log.log.begin(), log.log.end(), [&](const LogLine& l) {
    return RE2::PartialMatch(l.text, expression);
  });
  return line == log.log.end() ? nullptr : &*line;
}

// Whether a line is missing that should be there. A pattern of one message says nothing of a log
// without any such message.
bool Lacks(const Evidence& log, const std::string& pattern) {
  if (pattern.empty() || Find(log, pattern) != nullptr) return false;
  std::string message;
  return !RE2::PartialMatch(pattern, R"(^(msg=\w+))", &message) || Find(log, message) != nullptr;
}

WeighedSuspect WeighOne(const Case& c, const Evidence& log, bool traced) {
  const Suspect& suspect = *c.suspect;
  WeighedSuspect weighed{suspect, c.id, "", ""};
  const LogLine* const verified = Find(log, "verifying if device is supported");
  if (const LogLine* line = suspect.missing.empty() ? nullptr : Find(log, suspect.missing)) {
    weighed.against = "its log would not have this line";
    weighed.line = line->text;
  } else if (verified != nullptr && suspect.extra.empty()) {
    weighed.against = "it leaves the first pass without a device, and there was one";
    weighed.line = verified->text;
  } else if (Lacks(log, suspect.extra)) {
    weighed.against = fmt::format("there is no line {}", suspect.extra);
  } else if (Lacks(log, suspect.has)) {
    weighed.against = fmt::format("there is no line {}", suspect.has);
  } else if (traced && Lacks(log, suspect.traced)) {
    weighed.against = fmt::format("there is no line {}, though the log shows what children print",
                                  suspect.traced);
  } else if (const LogLine* quiet =
                 traced && !suspect.untraced.empty() ? Find(log, suspect.untraced) : nullptr) {
    weighed.against = "its log would not have this line";
    weighed.line = quiet->text;
  }
  if (!weighed.against.empty()) return weighed;
  for (const std::string* pattern : {&suspect.extra, &suspect.traced})
    if (const LogLine* line = pattern->empty() ? nullptr : Find(log, *pattern))
      weighed.shown.push_back(line->text);
  return weighed;
}

// The line from its time on; one that was pasted without its time has one of no value, so that it
// is read like the others. A child's own line has none and loses what journalctl, docker compose
// and a quoted mail put before it.
std::string PlainLine(const std::string& line) {
  static const RE2 timed(R"((time=\d{4}-\d\d-\d\dT.*)$)");
  static const RE2 untimed(R"(((?:level=(?:TRACE|DEBUG|INFO|WARN|ERROR) |source=\S+ )*msg=.*)$)");
  static const RE2 before(
      R"(^(?:> ?)*(?:(?:[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ [\w.-]+\[\d+\]: |[\w.-]*ollama[\w.-]* +\| )?)");
  std::string rest;
  if (RE2::PartialMatch(line, timed, &rest)) return rest;
  if (RE2::PartialMatch(line, untimed, &rest)) return "time=- " + rest;
  rest = line;
  RE2::Replace(&rest, before, "");
  return rest;
}

}  // namespace

bool IsTraced(const Evidence& log) {
  return std::any_of(log.log.begin(), log.log.end(),
                     [](const LogLine& line) { return line.level == "TRACE"; });
}

std::vector<WeighedSuspect> Weigh(const std::vector<Case>& cases, const Evidence& log) {
  const bool traced = IsTraced(log);
  std::vector<WeighedSuspect> all;
  for (const Case& c : cases)
    if (c.suspect) all.push_back(WeighOne(c, log, traced));
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.shown.size() > b.shown.size(); });
  // A log at level 2 names the cause, if a line of the children's can: then it is none of those
  // that leave no line.
  const auto named = [](const WeighedSuspect& weighed) { return !weighed.shown.empty(); };
  if (!traced || std::none_of(all.begin(), all.end(), named)) return all;
  for (WeighedSuspect& weighed : all)
    if (weighed.against.empty() && !named(weighed)) weighed.against = "the log names another cause";
  return all;
}

std::string PlainOllamaLog(std::string_view text) {
  std::string plain;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    plain += PlainLine(WithoutColour(text.substr(start, end - start)));
    if (end < text.size()) plain += '\n';
    start = end + 1;
  }
  return plain;
}

}  // namespace gpustage
