#include "harness/logs/answer_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/logs/placeholders.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr size_t kLongestLine = 600;

using Places = std::map<std::string, std::string>;
using Group = std::vector<const WeighedCause*>;

// What the line that names it says comes before what the whole log does.
Places With(Places places, const WeighedCause& weighed) {
  if (weighed.by != nullptr)
    for (const auto& [name, value] : weighed.by->fields) places[name] = value;
  return places;
}

std::vector<Group> ByLook(const std::vector<WeighedCause>& causes) {
  std::vector<Group> groups;
  for (const WeighedCause& weighed : causes) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.front()->cause->look == weighed.cause->look;
    });
    if (same == groups.end())
      groups.push_back({&weighed});
    else
      same->push_back(&weighed);
  }
  const auto hinted = [](const Group& group) { return group.front()->by != nullptr; };
  std::stable_sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
    if (hinted(a) != hinted(b)) return hinted(a);
    return a.size() > b.size();
  });
  return groups;
}

std::string MissingText(const Knowledge& knowledge, const LogReading& log,
                        const WeighedCause& weighed) {
  std::string quotes;
  for (const std::string& id : weighed.missing)
    for (const LineRule& rule : knowledge.rules)
      if (rule.id == id)
        quotes +=
            (quotes.empty() ? "\"" : " or \"") + (rule.quote.empty() ? id : rule.quote) + "\"";
  return fmt::format("there is no line {}, which {} writes at {}", quotes,
                     log.version.empty() ? "this version" : "Ollama " + log.version, weighed.level);
}

// What several lines together rule out, of DerivedFacts.
std::string DerivedText(const std::string& fact) {
  if (fact == "wanted-asked") return "the directory that it speaks of was tried";
  if (fact == "all-loaded") return "the backend was loaded from every directory that was tried";
  if (fact == "first-pass-full") return "a device was counted first, and lost after that";
  if (fact == "first-pass-empty") return "no device was counted, so none was dropped after that";
  return fact;
}

}  // namespace

std::string QuotedLine(const PastedLine& line) {
  std::string text = line.text;
  if (text.size() > kLongestLine) text = text.substr(0, kLongestLine) + "…";
  return fmt::format("  line {}: {}\n", line.number, text);
}

std::string CausesText(const Knowledge& knowledge, const LogReading& log,
                       const std::vector<WeighedCause>& causes, size_t width) {
  const Places places = PlacesOf(log);
  std::string text;
  int number = 0;
  for (const Group& group : ByLook(causes)) {
    const std::string command =
        LookFor(knowledge, *group.front()->cause, With(places, *group.front()));
    text += fmt::format("\n{}. {}\n", ++number,
                        command.empty() ? "(no command tells it; read on)" : command);
    for (const WeighedCause* weighed : group) {
      const LogCause& cause = *weighed->cause;
      const Places filled = With(places, *weighed);
      std::string said = cause.id + "  " + Filled(cause.is, filled);
      if (!cause.see.empty()) said += "; you see: " + Filled(cause.see, filled);
      text += fmt::format("   {}\n", Wrapped(said, 6, width));
      if (weighed->by != nullptr) text += "    " + QuotedLine(weighed->by->line);
    }
  }
  return text;
}

std::string RuledOutText(const Knowledge& knowledge, const LogReading& log,
                         const std::vector<WeighedCause>& causes, size_t width) {
  std::vector<std::pair<std::string, std::string>> reasons;  // and the names
  for (const WeighedCause& weighed : causes) {
    const std::string reason = weighed.by != nullptr
                                   ? fmt::format("line {} says otherwise", weighed.by->line.number)
                               : weighed.missing.empty() ? DerivedText(weighed.level)
                                                         : MissingText(knowledge, log, weighed);
    const auto same = std::find_if(reasons.begin(), reasons.end(),
                                   [&](const auto& known) { return known.first == reason; });
    if (same == reasons.end())
      reasons.emplace_back(reason, weighed.cause->id);
    else
      same->second += ", " + weighed.cause->id;
  }
  std::string text = reasons.empty() ? "" : "\nRuled out:\n";
  for (const auto& [reason, names] : reasons)
    text += fmt::format("  {}\n      {}\n", Wrapped(names, 2, width), Wrapped(reason, 6, width));
  return text;
}

std::string FirstCommand(const Knowledge& knowledge, const LogReading& log,
                         const std::vector<WeighedCause>& causes) {
  const Places places = PlacesOf(log);
  for (const Group& group : ByLook(causes))
    if (const std::string command =
            LookFor(knowledge, *group.front()->cause, With(places, *group.front()));
        !command.empty())
      return command;
  return "";
}

}  // namespace gpustage
