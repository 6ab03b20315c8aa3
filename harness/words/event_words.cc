// Events as sentences.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "fakes/world/format.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

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
    case EventKind::kSymbolMissing:
      return fmt::format("did not find {} in {}", event.subject, event.detail);
    case EventKind::kBinding: return fmt::format("takes {} from {}", event.subject, event.detail);
    case EventKind::kCall: return CallText(event);
    case EventKind::kNote: return event.subject;
    case EventKind::kLog: return fmt::format("{}: {}", event.detail, event.subject);
    case EventKind::kOutcome: return event.subject;
    case EventKind::kOpen:
    case EventKind::kLook:
      return fmt::format("{} {}{}", DetailText(event), event.subject, AnswerText(event.value));
    case EventKind::kList: return fmt::format("listed {}", event.subject);
    case EventKind::kExec:
      return fmt::format("executes {} ({}){}", event.subject, event.detail,
                         AnswerText(event.value));
    case EventKind::kOutput: return fmt::format("{}: {}", DetailText(event), event.subject);
    case EventKind::kExit: return event.subject;
  }
  return "";
}

// "openat to write through /dev/fd:"
std::string AskedText(const Event& event) {
  std::string text = event.detail + (event.writes ? " to write" : "");
  constexpr size_t kShown = 4;  // a link to itself is followed 40 times
  for (size_t i = 0; i < std::min(event.links.size(), kShown); ++i)
    text += (i == 0 ? " through " : ", ") + event.links[i];
  if (event.links.size() > kShown) text += fmt::format(" and {} more", event.links.size() - kShown);
  return text + (event.links.empty() ? "" : ":");
}

// "stderr to another process, heard by nobody"
std::string PrintedText(const Event& event) {
  if (event.value != 0) return event.detail;
  if (!event.discarded) return event.detail + ", passed on";
  return fmt::format("{} to {}, heard by nobody", event.detail,
                     event.by.empty() ? "another process" : event.by);
}

}  // namespace

std::string DetailText(const Event& event) {
  switch (event.kind) {
    case EventKind::kOpen:
    case EventKind::kLook: return AskedText(event);
    case EventKind::kOutput: return PrintedText(event);
    default: return event.detail;
  }
}

std::string OutsideText(Outside::What what) {
  switch (what) {
    case Outside::What::kLibrary: return "a GPU library of this machine";
    case Outside::What::kDeclaredLibrary:
      return "a GPU library in a directory that the scanner declares";
    case Outside::What::kDeclaredDirectory: return "a directory that the scanner declares";
    case Outside::What::kDevices: return "what this machine's kernel says of devices";
    case Outside::What::kKernel: return "of this machine's kernel";
  }
  return "";
}

std::string CallText(const Event& call) {
  std::string text = fmt::format("{}({}{}{})", call.subject, call.detail,
                                 call.detail.empty() || call.fault.empty() ? "" : "; ",
                                 call.fault.empty() ? "" : "fault: " + call.fault);
  text += call.value == world::kNoResult ? " did not return" : fmt::format(" = {}", call.value);
  return text + (call.gives ? fmt::format(", gives {}", *call.gives) : "");
}

std::string ToString(const Event& event) {
  return event.pid == 0 ? fmt::format("#{} {}", event.id, WhatHappened(event))
                        : fmt::format("#{} pid {} {}", event.id, event.pid, WhatHappened(event));
}

std::vector<std::string> AssumedReads(const Evidence& evidence) {
  std::vector<std::string> reads;
  std::set<std::string> known;
  for (const Event& event : evidence.events) {
    if (!event.assumed) continue;
    std::string read = fmt::format("{}({})", event.subject, event.detail);
    if (known.insert(read).second) reads.push_back(std::move(read));
  }
  return reads;
}

}  // namespace gpustage
