#include "harness/words/words.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/evidence/path/families.h"
#include "harness/words/parts.h"

namespace gpustage {

const Fact* First(const FunnelRow& row, Fact::Kind kind) {
  for (const Fact& fact : row.loss->because)
    if (fact.kind == kind) return &fact;
  return nullptr;
}

bool IsToolkitsStub(const std::string& path) { return path.find("/stubs/") != std::string::npos; }

namespace {

constexpr size_t kMostWords = 160;  // of a scanner's line that is quoted

std::string EventMark(int event) { return event == 0 ? "" : fmt::format(" (#{})", event); }

std::string Cut(const std::string& text) {
  return text.size() <= kMostWords ? text : text.substr(0, kMostWords) + "…";
}

std::string QuoteCut(const std::string& text) {
  return text.size() <= kMostWords ? Quote(text) : Quote(text.substr(0, kMostWords)) + "…";
}

std::string ModeText(const Fact& place) {
  return fmt::format("({:04o} {}{})", place.mode & 07777, place.owner,
                     (place.mode & 0777) == 0 && place.other.starts_with("/dev/")
                         ? ": nobody may, and no driver makes its node so"
                         : "");
}

// "uid 998 may not enter /opt/models (0700 root:root)"
std::string PlaceText(const Fact& place) {
  const std::string on_the_way =
      place.subject == place.other ? "" : ", on the way to " + place.other;
  switch (place.error) {
    case EACCES: {
      const char* const what = place.number == 1                  ? "enter"
                               : S_ISDIR(place.mode)              ? "list"
                               : place.other.starts_with("/dev/") ? "read and write"
                                                                  : "read";
      return fmt::format("uid {} may not {} {} {}{}", place.uid, what, place.subject,
                         ModeText(place), on_the_way);
    }
    case ELOOP:
      return fmt::format("{} is a link that leads to itself{}", place.subject, on_the_way);
    case ENOTDIR: return fmt::format("{} is no directory{}", place.subject, on_the_way);
    case ENOENT: return fmt::format("{} is not there{}", place.subject, on_the_way);
    default: return fmt::format("{}: {}{}", place.subject, std::strerror(place.error), on_the_way);
  }
}

// A Vulkan driver is known by its manifest alone.
std::string ManifestText(const Fact& fact) {
  if (!fact.subject.empty())
    return fmt::format("no driver was loaded of what was read: {}{}", fact.subject,
                       EventMark(fact.event));
  if (fact.other.empty())
    return fmt::format("there is no directory of Vulkan manifests: {} were asked for", fact.number);
  return fmt::format("no driver's manifest is in {}{}; {} directories were asked for", fact.other,
                     EventMark(fact.event), fact.number);
}

std::string ByRuleText(const std::string& rule) {
  return rule.empty() ? "" : ", found " + ByRule(rule);
}

// "libcudart.so.12: libcuda.so.1, needed by …"
std::string ReasonOf(const Fact& fact) {
  std::string text;
  for (const Reason& reason : fact.reasons) text += (text.empty() ? "" : "; ") + SentenceOf(reason);
  return (fact.subject.empty() ? "" : fact.subject + ": ") + text + EventMark(fact.event);
}

// Behind those that are missing stand the calls that failed later.
std::vector<Fact>::const_iterator FirstLate(const Evidence& evidence) {
  return std::find_if(evidence.missing.begin(), evidence.missing.end(),
                      [](const Fact& fact) { return fact.kind == Fact::Kind::kCalled; });
}

// Drivers that draw on the processor: Mesa's lavapipe, and Google's SwiftShader, by their files.
bool RendersOnProcessor(const std::string& path) {
  return path.find("libvulkan_lvp.so") != std::string::npos ||
         path.find("libvk_swiftshader.so") != std::string::npos;
}

std::string RemarkOnCopy(const std::string& path) {
  if (IsToolkitsStub(path)) return ": the toolkit's stub, and no driver";
  if (RendersOnProcessor(path))
    return path.find(" and ") == std::string::npos
               ? ": a renderer on the processor"
               : "; lvp is Mesa's lavapipe, a renderer on the processor";
  return "";
}

}  // namespace

std::string CopyText(const Fact& answered) {
  if (answered.subject.empty()) return JoinAnd(answered.names);
  return answered.names.empty() ? answered.other : answered.other + " -> " + answered.names.front();
}

std::string FactText(const Fact& fact) {
  switch (fact.kind) {
    case Fact::Kind::kReason: return ReasonOf(fact);
    case Fact::Kind::kNode:
      if (fact.error == 0)
        return fmt::format("{} is {}, and not the node of a device{}", fact.subject,
                           S_ISDIR(fact.mode) ? "a directory" : "a file of another kind",
                           EventMark(fact.event));
      return fmt::format("{} {}: {}{}", fact.subject,
                         fact.error == ENOENT ? "is not there" : "could not be opened",
                         std::strerror(fact.error), EventMark(fact.event));
    case Fact::Kind::kPlace: return PlaceText(fact);
    case Fact::Kind::kLink: return fmt::format("{} is a link to {}", fact.subject, fact.other);
    case Fact::Kind::kMask:
      return fmt::format("{} is \"{}\" there{}", fact.subject, fact.other,
                         fact.number > 0   ? fmt::format(", which leaves {}", fact.number)
                         : fact.number < 0 ? ", which leaves no device"
                                           : "");
    case Fact::Kind::kOpened:
      return fact.number != 0
                 ? JoinAnd(fact.names) + " could be opened"
                 : fmt::format("nothing was refused: it opened {}; the library itself says so",
                               JoinAnd(fact.names));
    case Fact::Kind::kAlso:
      if (fact.error == ENOENT)
        return JoinAnd(fact.names) +
               (fact.number == 1 ? " would not be there either" : " is not there");
      return fmt::format("{} would be refused{}: {}", JoinAnd(fact.names),
                         fact.number == 1 ? " too" : "", std::strerror(fact.error));
    case Fact::Kind::kElsewhere:
      return fmt::format(
          "{} is at {}, where nothing looked{}", fact.other, fact.subject,
          fact.other.ends_with(".so") ? "; ld.so.cache knows a library by its SONAME alone"
          : fact.rule.empty()         ? "; the loader that ran asked no ld.so.cache"
          : fact.number != 0 ? "; ld.so.cache does not have it, and who asks for it has no RUNPATH"
                             : "; ld.so.cache does not have it");
    case Fact::Kind::kSibling:
      return fmt::format("{} of the same driver is there, and no {} is anywhere", fact.subject,
                         fact.other);
    case Fact::Kind::kVersions:
      if (fact.subject == fact.other)
        return fmt::format("the library and the kernel's module are both of version {}",
                           fact.subject);
      return fmt::format("the library is of version {} and the kernel's module of {}", fact.subject,
                         fact.other);
    case Fact::Kind::kNowhere:
      return fmt::format("{}{} was looked for in {} {}, and was not found{}", fact.subject,
                         fact.other.empty() ? "" : ", which " + fact.other + " needs,", fact.number,
                         fact.number == 1 ? "place" : "places", EventMark(fact.event));
    case Fact::Kind::kManifest: return ManifestText(fact);
    case Fact::Kind::kAnswered:
      return fmt::format("{} is {}{}{}", fact.subject.empty() ? "the Vulkan driver" : fact.subject,
                         CopyText(fact), ByRuleText(fact.rule), RemarkOnCopy(CopyText(fact)));
    case Fact::Kind::kRefused:
      return fmt::format("{} was refused: {}{}", fact.subject, std::strerror(fact.error),
                         EventMark(fact.event));
    case Fact::Kind::kProgram:
      return fmt::format("the program {} was looked for in {} {} of PATH, and is not there{}",
                         fact.subject, fact.number, fact.number == 1 ? "folder" : "folders",
                         EventMark(fact.event));
    case Fact::Kind::kVain:
      return fmt::format("{} was asked for, and is not there{}; {} is", fact.subject,
                         EventMark(fact.event), fact.other);
    case Fact::Kind::kNamed:
      return fmt::format("the log speaks of {}{}, and no process came to one: {}", fact.subject,
                         EventMark(fact.event),
                         fact.other.empty() ? "it is nowhere"
                                            : "it is at " + fact.other + RemarkOnCopy(fact.other));
    case Fact::Kind::kCopy:
      return fmt::format("{} is not there; {} is, and nobody tried it",
                         fact.number == 1 ? ParentOf(fact.other) : fact.other, fact.subject);
    case Fact::Kind::kUnversioned:
      return fmt::format("it was asked for as {}, without a version; {} is another one",
                         fact.subject, fact.other);
    case Fact::Kind::kRunpath:
      return fmt::format("{} has a RUNPATH that leads to {}, and {} has none that does",
                         fact.other.empty() ? "the program" : fact.other, fact.subject,
                         BaseNameOf(fact.names.front()) +
                             (fact.names.size() > 1 ? " -> " + BaseNameOf(fact.names[1]) : ""));
    case Fact::Kind::kOtherCounts:
      return fmt::format(
          "{} counted {} (#{}): NVML is another library, which asks the kernel's module and not "
          "libcuda.so.1, so its devices and their memory do not show that CUDA starts",
          fact.subject, fact.number, fact.event);
    case Fact::Kind::kIgnored:
      return fmt::format("{} is \"{}\" there, which leads to it, and nobody took it by that{}",
                         fact.subject, fact.other,
                         fact.names.empty() ? ""
                                            : fmt::format(": {} was given \"{}\" instead",
                                                          fact.rule, fact.names.front()));
    case Fact::Kind::kToolkit:
      return fmt::format("{} is CUDA's runtime, which brings no driver", fact.subject);
    case Fact::Kind::kAdvised:
      return fmt::format("the log says what lets it in: {}={}{}", fact.subject, fact.other,
                         EventMark(fact.event));
    case Fact::Kind::kContainer:
      return fmt::format("the program runs in a container or a sandbox: {} is {}{}", fact.subject,
                         fact.number == 1 ? "set" : "there",
                         fact.other.empty() ? ""
                                            : "; its devices came by a CDI specification "
                                              "(NVIDIA_VISIBLE_DEVICES is \"void\")");
    case Fact::Kind::kDevice:
      return fmt::format("the last device that it asked said {}{}", fact.subject,
                         EventMark(fact.event));
    case Fact::Kind::kShadowed:
      return fmt::format("another copy is {}{}", fact.subject,
                         fact.other.empty() ? "" : " of version " + fact.other);
    case Fact::Kind::kCalled:
      return fmt::format("{}{} gave {}{}", fact.subject,
                         fact.names.empty() ? "" : "(" + fact.names.front() + ")",
                         CodeText(fact.subject, fact.number), EventMark(fact.event));
    case Fact::Kind::kNothing:
      return "nothing below it was seen: no node of a GPU that was asked for was refused or "
             "missing; the library itself says so";
  }
  return "";
}

// What was looked at and is in order, or would follow, is no reason.
static bool IsBeside(const FunnelRow& row, const Fact& fact) {
  const bool copy = fact.kind == Fact::Kind::kAnswered || fact.kind == Fact::Kind::kShadowed;
  const bool in_order =
      First(row, Fact::Kind::kOpened) != nullptr || First(row, Fact::Kind::kNothing) != nullptr;
  return (copy && in_order) || fact.kind == Fact::Kind::kNothing ||
         fact.kind == Fact::Kind::kContainer || fact.kind == Fact::Kind::kOpened ||
         fact.kind == Fact::Kind::kAlso || fact.kind == Fact::Kind::kOtherCounts ||
         fact.kind == Fact::Kind::kAdvised || fact.kind == Fact::Kind::kToolkit ||
         (fact.kind == Fact::Kind::kVersions && fact.subject == fact.other);
}

std::string ReasonText(const FunnelRow& row) {
  if (!row.loss) return "";
  std::string text = SentenceOf(row.loss->reason);
  if (!row.loss->loader_says.empty()) text += "; ld.so says: " + row.loss->loader_says;
  for (const Fact& fact : row.loss->because) {
    const bool names = fact.kind == Fact::Kind::kAnswered || fact.kind == Fact::Kind::kShadowed ||
                       fact.kind == Fact::Kind::kLink;
    if (!IsBeside(row, fact)) text += (names ? "; " : ", because ") + FactText(fact);
  }
  return text;
}

std::string LastFact(const FunnelRow& row) {
  if (!row.loss) return "";
  for (auto fact = row.loss->because.rbegin(); fact != row.loss->because.rend(); ++fact)
    if (fact->kind == Fact::Kind::kNode || fact->kind == Fact::Kind::kNowhere ||
        (fact->kind == Fact::Kind::kVersions && fact->subject != fact->other) ||
        fact->kind == Fact::Kind::kPlace || fact->kind == Fact::Kind::kManifest ||
        fact->kind == Fact::Kind::kElsewhere || fact->kind == Fact::Kind::kSibling ||
        fact->kind == Fact::Kind::kRefused || fact->kind == Fact::Kind::kProgram ||
        fact->kind == Fact::Kind::kVain || fact->kind == Fact::Kind::kNamed ||
        fact->kind == Fact::Kind::kCopy || fact->kind == Fact::Kind::kRunpath ||
        (fact->kind == Fact::Kind::kMask && fact->number <= 0))
      return FactText(*fact);
  if (const Fact* const advised = First(row, Fact::Kind::kAdvised); advised != nullptr)
    return "the scanner dropped the device that was counted; " + FactText(*advised);
  return SentenceOf(row.loss->reason);
}

std::string EndText(const Evidence& evidence) {
  if (!evidence.bad_end) return "";
  const BadEnd& end = *evidence.bad_end;
  const auto line = [&](EventId id) { return Cut(evidence.At(id).subject); };
  if (end.before_main)
    return fmt::format(
        "The program ended with status 127 before it began: the loader says \"{}\" "
        "(#{})",
        line(end.said), end.said);
  std::string text;
  if (end.said != 0) text = fmt::format("Its last line is \"{}\" (#{})", line(end.said), end.said);
  if (end.last != 0) {
    const Event& last = evidence.At(end.last);
    text += fmt::format(
        "{}{}{}",
        text.empty() ? "The last that was seen of it: " : "; the last that was seen of it: ", "",
        ToString(last));
  }
  return text;
}

std::string LastLineText(const Evidence& evidence) {
  const Outcome& outcome = evidence.outcome;
  if (outcome.kind != Outcome::Kind::kExited || outcome.code == 0 ||
      evidence.device_count.value_or(0) > 0)
    return "";
  const LogLine* last = nullptr;
  for (auto line = evidence.log.rbegin(); line != evidence.log.rend(); ++line) {
    if (line->text.empty() || line->stream != Stream::kStderr) continue;
    if (last == nullptr) last = &*line;
    if (!Complains(*line)) continue;
    last = &*line;
    break;
  }
  return last == nullptr ? ""
                         : fmt::format(" It ended with status {} after {} (#{}).", outcome.code,
                                       QuoteCut(last->text), last->event);
}

std::string MissingText(const Evidence& evidence) {
  const int64_t count = evidence.device_count.value_or(0);
  if (count <= 0 || count >= evidence.setting.devices) return "";
  std::string text = fmt::format("{} of the machine's {} devices", count, evidence.setting.devices);
  for (auto fact = evidence.missing.begin(); fact != FirstLate(evidence); ++fact)
    text += (fact == evidence.missing.begin() ? ": " : "; ") + FactText(*fact);
  return text;
}

std::string LateText(const Evidence& evidence) {
  std::string text;
  for (auto fact = FirstLate(evidence); fact != evidence.missing.end(); ++fact)
    text += (text.empty()                        ? ""
             : fact->kind == Fact::Kind::kCalled ? "; "
                                                 : ", because ") +
            FactText(*fact);
  return text;
}

}  // namespace gpustage
