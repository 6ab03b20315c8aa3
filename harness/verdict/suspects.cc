#include "harness/verdict/suspects.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace gpustage {
namespace {

const LogLine* Find(const Evidence& log, const std::string& pattern) {
  const RE2 expression(pattern, RE2::Quiet);
  const auto line = std::find_if(log.log.begin(), log.log.end(), [&](const LogLine& l) {
    return RE2::PartialMatch(l.text, expression);
  });
  return line == log.log.end() ? nullptr : &*line;
}

WeighedSuspect WeighOne(const Case& c, const Evidence& log, bool traced) {
  const Suspect& suspect = *c.suspect;
  WeighedSuspect weighed{suspect, c.id, "", ""};
  if (const LogLine* line = suspect.missing.empty() ? nullptr : Find(log, suspect.missing)) {
    weighed.against = "its log would not have this line";
    weighed.line = line->text;
  } else if (!suspect.extra.empty() && Find(log, suspect.extra) == nullptr) {
    weighed.against = fmt::format("there is no line {}", suspect.extra);
  } else if (!suspect.has.empty() && Find(log, suspect.has) == nullptr) {
    weighed.against = fmt::format("there is no line {}", suspect.has);
  } else if (traced && !suspect.traced.empty() && Find(log, suspect.traced) == nullptr) {
    weighed.against = fmt::format("there is no line {}, though the log shows what children print", suspect.traced);
  }
  return weighed;
}

}  // namespace

bool IsTraced(const Evidence& log) {
  return std::any_of(log.log.begin(), log.log.end(), [](const LogLine& line) { return line.level == "TRACE"; });
}

std::vector<WeighedSuspect> Weigh(const std::vector<Case>& cases, const Evidence& log) {
  const bool traced = IsTraced(log);
  std::vector<WeighedSuspect> all;
  for (const Case& c : cases)
    if (c.suspect) all.push_back(WeighOne(c, log, traced));
  // At level 2 a suspect that a line proves beats those of which the log would say nothing.
  const auto proven = [&](const WeighedSuspect& weighed) {
    return weighed.against.empty() && !weighed.suspect.traced.empty();
  };
  if (!traced || std::none_of(all.begin(), all.end(), proven)) return all;
  for (WeighedSuspect& weighed : all)
    if (weighed.against.empty() && weighed.suspect.traced.empty())
      weighed.against = "the log names another cause";
  return all;
}

std::string PlainOllamaLog(std::string text) {
  RE2::GlobalReplace(&text, R"((?m)^.*?(time=\d))", R"(\1)");
  return text;
}

}  // namespace gpustage
