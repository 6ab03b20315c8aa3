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

namespace gpustage {
namespace {

using Kind = Fact::Kind;

constexpr size_t kMostWords = 160;  // of a scanner's line that is quoted

std::string EventMark(int event) { return event == 0 ? "" : fmt::format(" (#{})", event); }

std::string Cut(const std::string& text) {
  return text.size() <= kMostWords ? text : text.substr(0, kMostWords) + "…";
}

std::string ModeText(const Fact& place) {
  return fmt::format("({:04o} {})", place.mode & 07777, place.owner);
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

const Fact* First(const FunnelRow& row, Kind kind) {
  for (const Fact& fact : row.loss->because)
    if (fact.kind == kind) return &fact;
  return nullptr;
}

// Behind those that are missing stand the calls that failed later.
std::vector<Fact>::const_iterator FirstLate(const Evidence& evidence) {
  return std::find_if(evidence.missing.begin(), evidence.missing.end(),
                      [](const Fact& fact) { return fact.kind == Kind::kCalled; });
}

// Where the CUDA Toolkit keeps libraries that are there to be linked against alone: its
// installation guide, "stubs".
bool IsToolkitsStub(const std::string& path) { return path.find("/stubs/") != std::string::npos; }

// What mends a place: as little as lets whoever was refused in.
std::string Mend(const Fact& fact) {
  const std::string& path = fact.subject;
  if (fact.kind == Kind::kNode && fact.error == 0)
    return fmt::format("remove {} and make the node anew (nvidia-modprobe, or mknod)", path);
  if (fact.kind == Kind::kNode && fact.error == ENOENT) {
    if (path == "/dev/nvidia-uvm")
      return "load the module nvidia-uvm (nvidia-modprobe -u -c=0); in a container add the node "
             "/dev/nvidia-uvm";
    if (path.starts_with("/dev/nvidia"))
      return fmt::format(
          "load the driver's module (nvidia-modprobe); in a container add the node {}", path);
    if (path == "/dev/kfd" || path.starts_with("/dev/dri/"))
      return "load the module amdgpu; in a container pass --device /dev/kfd --device /dev/dri";
    return "";
  }
  if (fact.kind == Kind::kManifest && fact.subject.empty())
    return "install the manifest of the driver, as /usr/share/vulkan/icd.d/nvidia_icd.json; in a "
           "container of NVIDIA's ask for NVIDIA_DRIVER_CAPABILITIES=all";
  if (fact.kind == Kind::kManifest)
    return "see that the manifest names the driver's library, and that this is there";
  if (fact.kind == Kind::kElsewhere && fact.other.ends_with(".so"))
    return fmt::format("ask for it by its SONAME, or make a link {} in a folder that is searched",
                       fact.other);
  if (fact.kind == Kind::kElsewhere)
    return fmt::format("add {} to LD_LIBRARY_PATH", ParentOf(path)) +
           (fact.rule.empty() ? "" : ", or to /etc/ld.so.conf and run ldconfig");
  if (fact.kind == Kind::kMask && path == "NVIDIA_DRIVER_CAPABILITIES")
    return fact.other.find("compute") != std::string::npos || fact.other == "all"
               ? ""
               : "set NVIDIA_DRIVER_CAPABILITIES=compute,utility for the container";
  if (fact.kind == Kind::kAlso && fact.error == EACCES)
    return fmt::format("chmod o+rw {}, too", path);
  if (fact.kind == Kind::kMask && fact.number < 0)
    return "unset " + fact.subject + ", or name a device in it";
  if (fact.kind == Kind::kMask && fact.subject.ends_with("VISIBLE_DEVICES"))
    return "unset " + fact.subject + ", or name each device in it once";
  if (fact.kind == Kind::kMask && fact.subject.ends_with("ORDER"))
    return "unset " + fact.subject + ", or say PCI_BUS_ID or FASTEST_FIRST";
  if (fact.kind == Kind::kMask && fact.subject.starts_with("VK_"))
    return "unset " + fact.subject + ", or name the driver in it";
  if (fact.kind != Kind::kPlace) return "";
  if (fact.error == EACCES) {
    if (fact.number == 1) return "chmod o+x " + path;
    if (S_ISDIR(fact.mode)) return "chmod o+rx " + path;
    if (path.starts_with("/dev/")) {
      const std::string group = fact.owner.substr(fact.owner.find(':') + 1);
      const bool helps = (fact.mode & 0060) == 0060 && group != "root" && group != "0";
      return fmt::format("chmod o+rw {}, or in a container pass it with --device", path) +
             (helps ? fmt::format(", or put the user into the group {}", group) : "");
    }
    return "chmod o+r " + path;
  }
  return "";
}

// Which of several copies should answer: the one of the module's version, if there is one.
template <typename Add>
void AddMendsOfCopies(const FunnelRow& row, const Add& add) {
  const Fact* const versions = First(row, Kind::kVersions);
  const Fact* const answered = First(row, Kind::kAnswered);
  const Fact* shadowed = First(row, Kind::kShadowed);
  const bool differ = versions != nullptr && versions->subject != versions->other;
  for (const Fact& fact : row.loss->because)
    if (differ && fact.kind == Kind::kShadowed && fact.other == versions->other) shadowed = &fact;
  const bool fits = differ && shadowed != nullptr && shadowed->other == versions->other;
  const bool theirs = row.cause() == Cause::kInitError || row.cause() == Cause::kMissingSymbol ||
                      row.cause() == Cause::kMissingVersion;
  if (answered != nullptr && shadowed != nullptr && theirs) {
    const std::string first = fmt::format("put {} first into LD_LIBRARY_PATH, so that {} answers",
                                          ParentOf(shadowed->subject), shadowed->subject);
    const bool fixed = answered->rule == "RPATH" || answered->rule.empty();
    const bool store = answered->other.starts_with("/nix/store/");
    add(store   ? first
        : fixed ? fmt::format("take {} out of the way, so that {} answers", answered->other,
                              shadowed->subject)
                : fmt::format("take {} out of the way, or {}", answered->other, first));
  }
  if (differ && !fits)
    add(fmt::format(
        "restart, so that the kernel loads the module of {}, or install the libraries of {}; in a "
        "container, or with a compat folder, take that copy of the driver out of the way",
        versions->subject, versions->other));
}

}  // namespace

std::string FactText(const Fact& fact) {
  switch (fact.kind) {
    case Kind::kReason: return fact.subject + EventMark(fact.event);
    case Kind::kNode:
      if (fact.error == 0)
        return fmt::format("{} is {}, and not the node of a device{}", fact.subject,
                           S_ISDIR(fact.mode) ? "a directory" : "a file of another kind",
                           EventMark(fact.event));
      return fmt::format("{} {}: {}{}", fact.subject,
                         fact.error == ENOENT ? "is not there" : "could not be opened",
                         std::strerror(fact.error), EventMark(fact.event));
    case Kind::kPlace: return PlaceText(fact);
    case Kind::kLink: return fmt::format("{} is a link to {}", fact.subject, fact.other);
    case Kind::kMask:
      return fmt::format("{} is \"{}\" there{}", fact.subject, fact.other,
                         fact.number > 0   ? fmt::format(", which leaves {}", fact.number)
                         : fact.number < 0 ? ", which leaves no device"
                                           : "");
    case Kind::kOpened:
      return fact.number != 0
                 ? fact.subject + " could be opened"
                 : fmt::format("nothing was refused: it opened {}; the library itself says so",
                               fact.subject);
    case Kind::kAlso:
      return fact.error == ENOENT ? fact.subject + " would not be there either"
                                  : fmt::format("{} would be refused too: {}", fact.subject,
                                                std::strerror(fact.error));
    case Kind::kElsewhere:
      return fmt::format("{} is at {}, where nothing looked{}", fact.other, fact.subject,
                         fact.other.ends_with(".so")
                             ? "; ld.so.cache knows a library by its SONAME alone"
                         : fact.rule.empty() ? "; the loader that ran asked no ld.so.cache"
                         : fact.number != 0  ? "; who asks for it has no RUNPATH"
                                             : "");
    case Kind::kSibling:
      return fmt::format("{} of the same driver is there, and no {} is anywhere", fact.subject,
                         fact.other);
    case Kind::kVersions:
      if (fact.subject == fact.other)
        return fmt::format("the library and the kernel's module are both of version {}",
                           fact.subject);
      return fmt::format("the library is of version {} and the kernel's module of {}", fact.subject,
                         fact.other);
    case Kind::kNowhere:
      return fmt::format("{}{} was looked for in {} {}, and was not found{}", fact.subject,
                         fact.other.empty() ? "" : ", which " + fact.other + " needs,", fact.number,
                         fact.number == 1 ? "place" : "places", EventMark(fact.event));
    case Kind::kManifest: return ManifestText(fact);
    case Kind::kAnswered:
      return fmt::format("{} is {}{}{}", fact.subject, fact.other, ByRuleText(fact.rule),
                         IsToolkitsStub(fact.other) ? ": the toolkit's stub, and no driver" : "");
    case Kind::kShadowed:
      return fmt::format("another copy is {}{}", fact.subject,
                         fact.other.empty() ? "" : " of version " + fact.other);
    case Kind::kCalled:
      return fmt::format("{} gave {}{}", fact.subject, fact.other, EventMark(fact.event));
    case Kind::kNothing:
      return "nothing below it was seen: no node of a GPU that was asked for was refused or "
             "missing; the library itself says so";
  }
  return "";
}

// What was looked at and is in order, or would follow, is no reason.
static bool IsBeside(const FunnelRow& row, const Fact& fact) {
  const bool copy = fact.kind == Kind::kAnswered || fact.kind == Kind::kShadowed;
  const bool in_order =
      First(row, Kind::kOpened) != nullptr || First(row, Kind::kNothing) != nullptr;
  return (copy && in_order) || fact.kind == Kind::kNothing || fact.kind == Kind::kOpened ||
         fact.kind == Kind::kAlso || (fact.kind == Kind::kVersions && fact.subject == fact.other);
}

std::string ReasonText(const FunnelRow& row) {
  if (!row.loss) return "";
  std::string text = row.loss->reason;
  if (!row.loss->loader_says.empty()) text += "; ld.so says: " + row.loss->loader_says;
  for (const Fact& fact : row.loss->because) {
    const bool names =
        fact.kind == Kind::kAnswered || fact.kind == Kind::kShadowed || fact.kind == Kind::kLink;
    if (!IsBeside(row, fact)) text += (names ? "; " : ", because ") + FactText(fact);
  }
  return text;
}

std::string LastFact(const FunnelRow& row) {
  if (!row.loss) return "";
  for (auto fact = row.loss->because.rbegin(); fact != row.loss->because.rend(); ++fact)
    if (fact->kind == Kind::kNode || fact->kind == Kind::kNowhere ||
        (fact->kind == Kind::kVersions && fact->subject != fact->other) ||
        fact->kind == Kind::kPlace || fact->kind == Kind::kManifest ||
        fact->kind == Kind::kElsewhere || fact->kind == Kind::kSibling ||
        (fact->kind == Kind::kMask && fact->number <= 0))
      return FactText(*fact);
  return row.loss->reason;
}

std::vector<std::string> Suggestions(const FunnelRow& row) {
  std::vector<std::string> all;
  if (!row.loss) return all;
  const auto add = [&](const std::string& what) {
    if (!what.empty() && std::find(all.begin(), all.end(), what) == all.end()) all.push_back(what);
  };
  const bool driver_lost =
      First(row, Kind::kNowhere) != nullptr || First(row, Kind::kReason) != nullptr;
  for (const Fact& fact : row.loss->because)
    if (fact.kind != Kind::kManifest || !driver_lost) add(Mend(fact));
  if (const Fact* const nowhere = First(row, Kind::kNowhere))
    add(fmt::format(
        "install what has {}: {}", nowhere->subject,
        FamilyOfLibrary(nowhere->subject) == Family::kDriver ? "NVIDIA's driver" : "its package"));
  AddMendsOfCopies(row, add);
  // "All required driver daemons" must run: driver_types.h of CUDA, cudaErrorSystemNotReady.
  const bool not_ready = row.loss->code == 802;
  if (not_ready)
    add("start the driver's daemons: nvidia-fabricmanager on a machine with NVSwitch, "
        "nvidia-persistenced");
  const bool of_driver = row.family == Family::kDriver || row.family == Family::kManagement ||
                         row.family == Family::kBackend;
  if (row.cause() == Cause::kHung && of_driver && First(row, Kind::kAnswered) != nullptr)
    add("put another version of the driver there, module and libraries: the call hangs in it");
  const Fact* const answered = First(row, Kind::kAnswered);
  const Fact* const versions = First(row, Kind::kVersions);
  const bool refuses =
      First(row, Kind::kOpened) != nullptr || First(row, Kind::kNothing) != nullptr;
  if (refuses && !not_ready && answered != nullptr && First(row, Kind::kShadowed) == nullptr &&
      (versions == nullptr || versions->subject == versions->other))
    add(IsToolkitsStub(answered->other)
            ? fmt::format("take {} out of the way: the driver's own is wanted", answered->other)
            : fmt::format("put another copy of {} there: of the same version anew, or of another",
                          answered->subject));
  if ((row.cause() == Cause::kMissingSymbol || row.cause() == Cause::kMissingVersion) &&
      answered != nullptr && First(row, Kind::kShadowed) == nullptr)
    add(fmt::format("install another version of {}: this one is the only copy", answered->subject));
  const bool elsewhere = First(row, Kind::kElsewhere) != nullptr;
  if (row.cause() == Cause::kNotFound && !elsewhere)
    add(fmt::format("install {}, or add its directory to LD_LIBRARY_PATH", row.library));
  if (row.cause() == Cause::kMissingDependency && !elsewhere)
    for (const Need& need : row.needs)
      if (need.found.empty() && !need.opened) {
        add(fmt::format(
            "install what has {}{}", BaseNameOf(need.name),
            FamilyOfLibrary(BaseNameOf(need.name)) == Family::kDriver ? ": NVIDIA's driver" : ""));
        break;
      }
  return all;
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
  for (auto line = evidence.log.rbegin(); line != evidence.log.rend(); ++line)
    if (!line->text.empty() && line->stream == Stream::kStderr)
      return fmt::format(" It ended with status {} after {} (#{}).", outcome.code,
                         Quote(Cut(line->text)), line->event);
  return "";
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
    text += (text.empty()                  ? ""
             : fact->kind == Kind::kCalled ? "; "
                                           : ", because ") +
            FactText(*fact);
  return text;
}

}  // namespace gpustage
