#include "harness/logs/answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/logs/answer_list.h"
#include "harness/logs/directory_facts.h"
#include "harness/logs/placeholders.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr size_t kMostUnknown = 3;

std::string Count(size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// "" where no line shows which.
std::string ProgramText(const LogReading& log) {
  if (log.program == "container-toolkit") return "Docker, or NVIDIA's container toolkit";
  std::string name = log.program == "ollama" ? "Ollama" : log.program;
  if (!log.version.empty()) return name + " " + log.version;
  const auto& [from, below] = log.dated;
  if (!from.empty() && !below.empty())
    return fmt::format("{}, of a version from {} on and below {}, as its lines show", name, from,
                       below);
  if (!from.empty() || !below.empty())
    return fmt::format("{}, of a version {}, as its lines show", name, ToString(log.dated));
  return name;
}

std::string DeviceText(const LineFact& fact) {
  const auto of = [&](const char* name) {
    const auto field = fact.fields.find(name);
    return field == fact.fields.end() ? std::string() : field->second;
  };
  const std::string library = of("library");
  const std::string name = of("name").empty() ? of("description") : of("name");
  return (name.empty() ? "a device" : name) + (library.empty() ? "" : " by " + library);
}

std::string DevicesText(const Explanation& explanation) {
  std::string list;
  for (const LineFact* fact : explanation.devices)
    list += (list.empty() ? "" : ", ") + DeviceText(*fact);
  return Count(explanation.devices.size(), "device") + ": " + list;
}

std::string OutcomeText(const LogReading& log, const Explanation& explanation) {
  switch (explanation.outcome) {
    case LogOutcome::kHealthy: return DevicesText(explanation) + ". Discovery is healthy.";
    case LogOutcome::kUse:
      return DevicesText(explanation) + ". Discovery is healthy; something failed after it.";
    case LogOutcome::kNone: return "No GPU: it computes on the CPU.";
    case LogOutcome::kFailed:
      return std::all_of(explanation.says.begin(), explanation.says.end(),
                         [](const LineFact* fact) { return fact->rule->kind == LineKind::kDrop; })
                 ? "A device was dropped; what came of it is not in it."
                 : "Something failed; what came of it is not in it.";
    case LogOutcome::kUnfinished:
      if (const LineFact* loaded = log.Find("backend-loaded"); loaded != nullptr)
        return fmt::format("The backend of {} was loaded; what it found is not in it.",
                           loaded->fields.at("library"));
      return log.program.empty() ? "Nothing in it speaks of a GPU."
                                 : "How discovery ended is not in it.";
    case LogOutcome::kNothing: return "Nothing in it speaks of a GPU.";
  }
  return "";
}

std::string UnknownText(const LogReading& log) {
  if (log.unknown.empty()) return "";
  std::string text = "\nNot known here, and it may be what matters:\n";
  for (size_t i = 0; i < std::min(log.unknown.size(), kMostUnknown); ++i)
    text += QuotedLine(log.unknown[i]);
  if (log.unknown.size() > kMostUnknown)
    text += fmt::format("  and {} more\n", log.unknown.size() - kMostUnknown);
  return text;
}

// The log's own lines, each with what it says.
std::string SaidText(const LogReading& log, const std::vector<const LineFact*>& facts,
                     const char* heading, size_t width) {
  if (facts.empty()) return "";
  std::string text = fmt::format("\n{}:\n", heading);
  for (const LineFact* fact : facts) {
    std::map<std::string, std::string> values = PlacesOf(log);
    for (const auto& [name, value] : fact->fields) values[name] = value;
    text += QuotedLine(fact->line);
    if (!fact->rule->says.empty())
      text += fmt::format("      {}\n", Wrapped(Filled(fact->rule->says, values), 6, width));
  }
  return text;
}

std::string NamedText(const Knowledge& knowledge, const LogReading& log,
                      const Explanation& explanation, size_t width) {
  const std::vector<WeighedCause>& named = explanation.named;
  std::string text = named.size() == 1 ? "\nThe log names the cause:\n"
                                       : fmt::format("\nThe log leaves {} causes:\n", named.size());
  for (const WeighedCause& weighed : named) {
    const LogCause& cause = *weighed.cause;
    std::map<std::string, std::string> values = PlacesOf(log);
    for (const auto& [name, value] : weighed.by->fields) values[name] = value;
    const std::map<std::string, std::string> all = WithAll(values, explanation.says, cause);
    text += fmt::format("  {}\n      {}\n", cause.id, Wrapped(Filled(cause.is, all), 6, width));
    text += fmt::format("      mend:    {}\n", Wrapped(Filled(cause.mend, all), 15, width));
    if (const std::string command = LookFor(knowledge, cause, values); !command.empty())
      text += fmt::format("      look:    {}\n", command);
    if (!cause.see.empty())
      text += fmt::format("      you see: {}\n", Wrapped(Filled(cause.see, values), 15, width));
    if (!cause.staged.empty())
      text += fmt::format("      try it:  gpustage run {}\n", cause.staged);
  }
  return text;
}

std::string LeftText(const Knowledge& knowledge, const LogReading& log,
                     const Explanation& explanation, size_t width) {
  const std::vector<WeighedCause>& left = explanation.left;
  if (left.empty())
    return "\nNo cause that is known here gives this log.\n" + DeeperText(knowledge, log);
  std::string text = fmt::format("\nThis log cannot tell the cause: {} {} possible.\n",
                                 Count(left.size(), "cause"), left.size() == 1 ? "is" : "are");
  if (const LineFact* hint = left.front().by; hint != nullptr)
    text += fmt::format("  Its line {} points at {}.\n", hint->line.number, left.front().cause->id);
  text += DeeperText(knowledge, log);
  if (const std::string now = FirstCommand(knowledge, log, left); !now.empty())
    text += fmt::format("  now:  {}\n", now);
  text += SilentText(knowledge, log, width);
  // A part without an error and without a result: a list of all that may be is no answer.
  if (explanation.outcome == LogOutcome::kUnfinished && left.front().by == nullptr) return text;
  return text + "\nStill possible, by what tells them apart:\n" +
         CausesText(knowledge, log, left, width);
}

std::string FactsText(const LogReading& log, size_t width) {
  const std::vector<LogFact> facts = FactsOfLog(log);
  if (facts.empty()) return "";
  std::string text = "\nWhat its lines say:\n";
  for (const LogFact& fact : facts)
    text += fmt::format("  {}\n      {}\n", Wrapped(fact.says, 2, width), fact.line);
  return text;
}

// What is known of where it comes from; "" is nothing. `whole`: it is all that there is.
std::string OriginText(const LogReading& log, std::string text, bool whole) {
  if (text.empty()) return "";
  if (!log.level.empty() && log.program == "ollama") text += ", at level " + log.level;
  if (!log.platform.empty())
    text += log.platform == "container" ? ", in a container" : ", on " + log.platform;
  if (log.starts > 1) text += fmt::format(", {} starts, of which this is the last", log.starts);
  if (log.program == "ollama" && (whole || log.begins || log.ends))
    text += log.whole()              ? "; discovery is whole"
            : log.begins || log.ends ? "; a part of discovery is not in it"
                                     : "; discovery is not in it";
  return text + ". ";
}

bool SaysItsVersion(const LogReading& log) {
  return log.program == "container-toolkit" || !log.version.empty() || !log.dated.from.empty() ||
         !log.dated.below.empty();
}

}  // namespace

std::string Headline(const LogReading& log, const Explanation& explanation) {
  const std::string program = ProgramText(log);
  const std::string origin = program.empty()       ? "Which program wrote it is not in it"
                             : SaysItsVersion(log) ? program
                                                   : program + ", of no version that it says";
  return OriginText(log, origin, /*whole=*/true) + OutcomeText(log, explanation);
}

std::string HeadlineOfPaste(const LogReading& log, const Explanation& explanation) {
  const bool known =
      explanation.outcome != LogOutcome::kFailed && explanation.outcome != LogOutcome::kUnfinished;
  const std::string origin = OriginText(log, ProgramText(log), /*whole=*/false);
  if (!known) return origin.substr(0, origin.find_last_not_of(' ') + 1);
  return origin + OutcomeText(log, explanation);
}

std::string SilentText(const Knowledge& knowledge, const LogReading& log, size_t width) {
  std::string text;
  for (const SilentLoss& loss : knowledge.silent) {
    if (loss.program != log.program || Rank(log.level) < 0) continue;
    if (!loss.level.empty() && Rank(log.level) >= Rank(loss.level)) continue;
    if (!log.version.empty() && !Holds(loss.versions, log.version)) continue;
    if (loss.linux_alone && (log.platform == "Windows" || log.platform == "macOS")) continue;
    if (std::any_of(loss.never.begin(), loss.never.end(),
                    [&](const std::string& id) { return log.Find(id) != nullptr; }))
      continue;
    const std::string told = loss.level.empty() ? "told at no level" : "told at " + loss.level;
    text += fmt::format("  - {}\n", Wrapped(fmt::format("{} ({})", loss.what, told), 4, width));
  }
  if (text.empty()) return "";
  return fmt::format("\nOf these it writes nothing at level {}:\n", log.level) + text;
}

std::string DeeperText(const Knowledge& knowledge, const LogReading& log) {
  const Deeper* best = nullptr;
  for (const Deeper& way : knowledge.deeper) {
    if (way.program != log.program || Rank(log.level) >= Rank(way.level)) continue;
    if (!MayBeOf(way.versions, log)) continue;
    if (!way.platform.empty() && way.platform != log.platform) continue;
    const auto closer = [](const Deeper& one) {
      return std::pair(one.platform.empty() ? 0 : 1, Rank(one.level));
    };
    if (best == nullptr || closer(way) > closer(*best)) best = &way;
  }
  return best == nullptr ? "" : fmt::format("  next: {}\n", Filled(best->say, PlacesOf(log)));
}

std::string ExplanationText(const Knowledge& knowledge, const LogReading& log,
                            const Explanation& explanation, size_t width) {
  std::string text = Wrapped(Headline(log, explanation), 0, width) + "\n";
  const bool named = !explanation.named.empty();
  const std::string said = SaidText(log, explanation.says, "It says why", width);
  if (named) text += NamedText(knowledge, log, explanation, width) + said;
  if (!named) text += UnknownText(log) + said;
  text += SaidText(log, explanation.drops, "A device was dropped", width);
  if (!named && explanation.outcome != LogOutcome::kHealthy &&
      explanation.outcome != LogOutcome::kNothing)
    text += LeftText(knowledge, log, explanation, width);
  text += FactsText(log, width);
  if (named && explanation.outcome != LogOutcome::kUse) text += UnknownText(log);
  if (!named) text += RuledOutText(knowledge, log, explanation.ruled_out, width);
  return text;
}

}  // namespace gpustage
