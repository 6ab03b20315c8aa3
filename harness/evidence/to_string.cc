#include <fmt/format.h>

#include <cstring>
#include <iterator>

#include "fakes/world/format.h"
#include "harness/evidence/evidence.h"

namespace gpustage {
namespace {

constexpr const char* kKnown[] = {"not observable", "seen", "derived",
                                  "asked"};  // in the order of Known

// ": No such file or directory"; "" when it went well.
std::string AnswerText(int64_t value) {
  if (value == 0) return "";
  return value == kNoAnswer ? ": its answer is not known"
                            : fmt::format(": {}", std::strerror(static_cast<int>(value)));
}

std::string RuleText(SearchRule rule) {
  switch (rule) {
    case SearchRule::kAsAsked: return "as asked";
    case SearchRule::kPathOrRpath: return "by LD_LIBRARY_PATH or RPATH";
    case SearchRule::kRunpath: return "by RUNPATH";
    case SearchRule::kCache: return "by ld.so.cache";
    case SearchRule::kDefault: return "in the default directories";
    case SearchRule::kNone: break;
  }
  return "by a rule of its own";
}

std::string WhatHappened(const Event& event) {
  switch (event.kind) {
    case EventKind::kProcess: return fmt::format("started {} ({})", event.subject, event.detail);
    case EventKind::kSearch:
      return fmt::format("looked for {} {}, for {}", event.subject, RuleText(event.rule),
                         event.by.empty() ? "the program" : event.by);
    case EventKind::kLoad:
      return fmt::format("loaded {}{}", event.subject.empty() ? "the program" : event.subject,
                         event.detail.empty() ? "" : fmt::format(" (build-id {})", event.detail));
    case EventKind::kUnload: return fmt::format("unloaded {}", event.subject);
    case EventKind::kSymbol: return fmt::format("found {} in {}", event.subject, event.detail);
    case EventKind::kMiss: return fmt::format("did not find {} in {}", event.subject, event.detail);
    case EventKind::kBinding: return fmt::format("takes {} from {}", event.subject, event.detail);
    case EventKind::kCall: return CallText(event);
    case EventKind::kNote: return event.subject;
    case EventKind::kLog: return fmt::format("{}: {}", event.detail, event.subject);
    case EventKind::kOutcome: return event.subject;
    case EventKind::kOpen:
    case EventKind::kLook:
      return fmt::format("{} {}{}", event.detail, event.subject, AnswerText(event.value));
    case EventKind::kList: return fmt::format("listed {}", event.subject);
    case EventKind::kExec:
      return fmt::format("executes {} ({}){}", event.subject, event.detail,
                         AnswerText(event.value));
    case EventKind::kOutput: return fmt::format("{}: {}", event.detail, event.subject);
    case EventKind::kExit: return event.subject;
  }
  return "";
}

}  // namespace

std::string CallText(const Event& call) {
  std::string text = fmt::format("{}({}{}{})", call.subject, call.detail,
                                 call.detail.empty() || call.fault.empty() ? "" : "; ",
                                 call.fault.empty() ? "" : "fault: " + call.fault);
  text += call.value == world::kNoResult ? " did not return" : fmt::format(" = {}", call.value);
  return text + (call.gives ? fmt::format(", gives {}", *call.gives) : "");
}

std::string ToString(Known known) { return kKnown[static_cast<size_t>(known)]; }

std::optional<Known> ParseKnown(const std::string& word) {
  for (size_t i = 0; i < std::size(kKnown); ++i)
    if (word == kKnown[i]) return static_cast<Known>(i);
  return std::nullopt;
}

std::string ToString(EventKind kind) {
  switch (kind) {
    case EventKind::kProcess: return "process";
    case EventKind::kSearch: return "search";
    case EventKind::kLoad: return "load";
    case EventKind::kUnload: return "unload";
    case EventKind::kSymbol: return "symbol";
    case EventKind::kMiss: return "miss";
    case EventKind::kBinding: return "binding";
    case EventKind::kCall: return "call";
    case EventKind::kNote: return "note";
    case EventKind::kLog: return "log";
    case EventKind::kOutcome: return "outcome";
    case EventKind::kOpen: return "open";
    case EventKind::kLook: return "look";
    case EventKind::kList: return "list";
    case EventKind::kExec: return "exec";
    case EventKind::kOutput: return "output";
    case EventKind::kExit: return "exit";
  }
  return "";
}

std::optional<EventKind> ParseEventKind(const std::string& word) {
  for (int i = 0; !ToString(static_cast<EventKind>(i)).empty(); ++i)
    if (ToString(static_cast<EventKind>(i)) == word) return static_cast<EventKind>(i);
  return std::nullopt;
}

std::string ToString(const Event& event) {
  return event.pid == 0 ? fmt::format("#{} {}", event.id, WhatHappened(event))
                        : fmt::format("#{} pid {} {}", event.id, event.pid, WhatHappened(event));
}

}  // namespace gpustage
