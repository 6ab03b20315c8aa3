#include <string.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <tuple>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/cuda_codes.h"
#include "harness/evidence/path/funnel_passes.h"

namespace gpustage {
namespace {

// "NVMLError_OperatingSystem": how NVIDIA's client of NVML calls NVML_ERROR_OPERATING_SYSTEM, whose
// text it has in words of its own.
std::string ClassOf(std::string_view name) {
  constexpr std::string_view kStart = "NVML_ERROR_";
  if (!name.starts_with(kStart)) return "";
  std::string text = "NVMLError_";
  bool first = true;
  for (const char c : name.substr(kStart.size())) {
    if (c != '_') text += first ? c : static_cast<char>(std::tolower(c));
    first = c == '_';
  }
  return text;
}

// That killed it, or whoever was lost for it; 0: none.
int SignalIn(const Reason& reason) {
  if (reason.signal != 0) return reason.signal;
  for (const Reason& below : reason.below)
    if (const int signal = SignalIn(below); signal != 0) return signal;
  return 0;
}

// All by which a line may show that it is about this loss.
std::vector<std::string> NamesOf(const Evidence& evidence, const FunnelRow& row) {
  std::vector<std::string> names;
  if (row.cause() == Cause::kNoEntryPoint &&
      evidence.At(row.event).kind == EventKind::kSymbolMissing)
    names.push_back(evidence.At(row.event).subject);
  // What Python's client says of a library or a function that it does not find is the text of a
  // code.
  if (row.family == Family::kManagement && row.cause() == Cause::kNotFound)
    names.emplace_back(CodeOf("nvmlInit_v2", 12).text);
  if (row.family == Family::kManagement && row.cause() == Cause::kNoEntryPoint)
    names.emplace_back(CodeOf("nvmlInit_v2", 13).text);
  for (const Need& need : row.needs)
    if (need.found.empty()) names.push_back(BaseNameOf(need.name));
  const Event& event = evidence.At(row.event);
  if (event.kind == EventKind::kCall && event.value != 0) {
    const CudaCode code = CodeOf(event.subject, event.value);
    for (const std::string_view text : {code.name, code.text})
      if (!text.empty()) names.emplace_back(text);
    if (std::string of_client = ClassOf(code.name); !of_client.empty())
      names.push_back(std::move(of_client));
  }
  // What the loader says where no driver is left: LoaderInterfaceArchitecture.md of its own.
  if (row.cause() == Cause::kNeverAsked &&
      StackOf(BaseNameOf(row.library)) == Family::kVulkanLoader)
    names.insert(names.end(), {"vkCreateInstance", "ERROR_INCOMPATIBLE_DRIVER"});
  // ggml gives the text of HIP's code, and it was HSA's call that failed.
  if (row.lost_at() == Step::kInitialised && row.family == Family::kBackend)
    names.emplace_back("to initialize");
  // A scanner that leaves a device out says that it does.
  if (row.lost_at() == Step::kReported)
    names.insert(names.end(), {"dropping", "filtering device", "skipping device"});
  for (const Fact& fact : row.loss->because)
    if (fact.kind == Fact::Kind::kMask && row.cause() == Cause::kMasked)
      names.push_back(fact.subject);
  // What stopped the scanner before it came to the library.
  for (const Fact& fact : row.loss->because)
    if (fact.kind == Fact::Kind::kRefused || fact.kind == Fact::Kind::kProgram ||
        fact.kind == Fact::Kind::kNamed)
      names.push_back(fact.subject);
  if (row.cause() == Cause::kTooOld) names.emplace_back("for this arch");  // a quote of ggml
  const int signal = SignalIn(row.loss->reason);
  if (const char* const name = signal == 0 ? nullptr : sigabbrev_np(signal))
    names.push_back(std::string("SIG") + name);
  return names;
}

// A path goes on behind these: "/opt/cuda_v12" is no word about "/opt/cuda_v12.bak" or what is
// below it.
bool IsInPath(const std::string& text, size_t at) {
  const auto c = static_cast<unsigned char>(at < text.size() ? text[at] : ' ');
  return std::isalnum(c) != 0 || c == '/' || c == '.' || c == '_' || c == '-';
}

// The library itself, its file without a directory, or its directory.
bool NamesLibrary(const std::string& text, const std::string& library) {
  const std::string file = BaseNameOf(library), directory = ParentOf(library);
  for (size_t at = text.find(file); at != std::string::npos; at = text.find(file, at + 1))
    if (at == 0 || text[at - 1] != '/' || text.substr(0, at + file.size()).ends_with(library))
      return true;
  for (size_t at = text.find(directory); at != std::string::npos; at = text.find(directory, at + 1))
    if (!IsInPath(text, at + directory.size())) return true;
  return false;
}

// A complaint about this loss.
bool Says(const LogLine& line, const FunnelRow& row, const std::vector<std::string>& names) {
  if (!Complains(line)) return false;
  return NamesLibrary(line.text, row.library) ||
         std::any_of(names.begin(), names.end(), [&](const std::string& name) {
           return line.text.find(name) != std::string::npos;
         });
}

// Where no library is lost there is no name to look for; a key that a server made for itself is no
// word of a GPU either.
bool SpeaksOfGpus(const LogLine& line) {
  constexpr std::string_view kWords[] = {"gpu",    "cuda",   "nvidia", "nvml",   "driver",
                                         "device", "vulkan", "rocm",   "amdgpu", "backend",
                                         "librar", "metal",  "opencl", "sycl",   "vram"};
  const std::string text = InSmallLetters(line.text);
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

std::string Start(const LogLine& line) {
  constexpr size_t kLongest = 160;
  const std::string& text = line.message.empty() ? line.text : line.message;
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "…";
}

// What was printed in place of a word about the loss: mostly the next to read. A list for programs
// is no word to anybody.
Reason NoLine(const std::vector<LogLine>& log) {
  if (log.empty()) return {Reason::Kind::kNothingPrinted};
  const auto last = [&](auto is) {
    const auto line = std::find_if(log.rbegin(), log.rend(), is);
    return line == log.rend() ? nullptr : &*line;
  };
  const LogLine* const complaint = last([](const LogLine& line) {
    return Complains(line) && (SpeaksOfGpus(line) || line.level == "ERROR");
  });
  const LogLine* const shown = complaint != nullptr ? complaint : last([](const LogLine& line) {
    return !line.text.empty() && line.text[0] != '[' && line.text[0] != '{';
  });
  return {.kind = complaint != nullptr ? Reason::Kind::kNoLineComplains : Reason::Kind::kNoLine,
          .text = shown == nullptr ? "" : Start(*shown),
          .number = static_cast<int64_t>(log.size()),
          .event = shown == nullptr ? 0 : shown->event};
}

int DevicesOf(const Setting& setting) {
  return std::max(setting.devices, 0) + std::max(setting.others, 0);
}

// The machine has a GPU, the scanner counted none, and nobody asked for any library of one.
bool NothingAsked(const Evidence& evidence) {
  return evidence.device_count == 0 && DevicesOf(evidence.setting) > 0 &&
         evidence.loader_observed && evidence.funnel.empty() && evidence.inner.empty() &&
         std::none_of(evidence.log.begin(), evidence.log.end(),
                      [](const LogLine& line) { return Complains(line) && SpeaksOfGpus(line); });
}

EventId WhoSays(const Evidence& evidence, const FunnelRow& row) {
  if (evidence.bad_end && evidence.bad_end->before_main) return evidence.bad_end->said;
  const std::vector<std::string> names = NamesOf(evidence, row);
  for (const LogLine& line : evidence.log)
    if (Says(line, row, names)) return line.event;
  const Outcome::Kind end = evidence.outcome.kind;
  const bool dead = end == Outcome::Kind::kKilled || end == Outcome::Kind::kTimedOut ||
                    end == Outcome::Kind::kNotStarted;
  return dead ? evidence.outcome_event() : 0;
}

bool IsExcluded(const FunnelRow& row) {
  return row.cause() == Cause::kFiltered || row.cause() == Cause::kNotTried;
}

// Whether a process asked for it, or looked where it lies: what a scanner set out to use.
bool IsSought(const Evidence& evidence, const FunnelRow& row) {
  return row.pid != 0 || !evidence.files_observed || WasNear(evidence, ParentOf(row.library));
}

bool IsBelow(const FunnelRow& row, const FunnelRow& other) {
  return row.pid != 0 && other.pid == row.pid && other.family == Family::kRuntime &&
         row.family == Family::kDriver && other.loss && other.reached >= Step::kEntryPoint;
}

bool IsOfNvidia(Family stack) {
  return stack == Family::kRuntime || stack == Family::kBlas || stack == Family::kDriver ||
         stack == Family::kManagement;
}

// A device can be missing only where there is one; and of a program that the loader ended, only
// what it was linked to is to blame.
bool HasFailed(const Evidence& evidence, const FunnelRow& row) {
  if (!row.loss || !MayHave(evidence.setting, StackOf(BaseNameOf(row.library)))) return false;
  const bool some = evidence.device_count.value_or(0) > 0;
  // What comes with a program for a maker whose GPU the machine lacks is no loss beside one
  // counted.
  if (some && IsOfNvidia(StackOf(BaseNameOf(row.library))) && evidence.setting.devices == 0)
    return false;
  if (evidence.bad_end && evidence.bad_end->before_main && row.pid != evidence.bad_end->pid)
    return false;
  if (some && row.family != Family::kBackend && row.family != Family::kNone) return false;
  switch (row.cause()) {
    case Cause::kDuplicate:
    case Cause::kOverlap: return false;
    case Cause::kFiltered:
    case Cause::kMasked: return !some;
    default: break;
  }
  if (row.pid == 0) return !some;
  if (row.loss->at > Step::kEntryPoint) return true;
  return std::none_of(evidence.funnel.begin(), evidence.funnel.end(), [&](const FunnelRow& other) {
    return other.library == row.library && other.reached && *other.reached >= Step::kCounted;
  });
}

// Of a long line that part in which the first of these names stands.
std::string Words(const Evidence& evidence, EventId id,
                  const std::vector<std::string>& names = {}) {
  std::string text = evidence.At(id).subject;
  for (const LogLine& line : evidence.log)
    if (line.event == id) text = line.message;
  constexpr size_t kLongest = 80, kBefore = 20;
  size_t at = std::string::npos;
  for (const std::string& name : names)
    if (at == std::string::npos && !name.empty()) at = text.find(name);
  const bool late = at != std::string::npos && at > kLongest / 2;
  const size_t start = late ? at - kBefore : 0;
  return (late ? "…" : "") + text.substr(start, kLongest) +
         (text.size() > start + kLongest ? "…" : "");
}

// Whether `number` stands in it by itself.
bool HasNumber(const std::string& text, const std::string& number) {
  const auto digit = [&](size_t at) {
    return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
  };
  for (size_t at = text.find(number); at != std::string::npos; at = text.find(number, at + 1))
    if ((at == 0 || !digit(at - 1)) && !digit(at + number.size())) return true;
  return false;
}

// No device is missing; but a call may have failed that was to work with one.
Reason AfterTheCount(const Evidence& evidence) {
  const auto late = std::find_if(evidence.missing.begin(), evidence.missing.end(),
                                 [](const Fact& fact) { return fact.kind == Fact::Kind::kCalled; });
  if (late == evidence.missing.end())
    return {evidence.device_count == 0 && evidence.setting.any_device
                ? Reason::Kind::kNothingSeenFailed
                : Reason::Kind::kNothingFailed};
  const Event& call = evidence.At(late->event);
  const CudaCode code = CodeOf(call.subject, call.value);
  for (const LogLine& line : evidence.log)
    if (Complains(line) &&
        ((!code.name.empty() && (line.text.find(code.name) != std::string::npos ||
                                 line.text.find(code.text) != std::string::npos)) ||
         HasNumber(line.text, std::to_string(call.value))))
      return {.kind = Reason::Kind::kLateSaid,
              .subject = call.subject,
              .text = Words(evidence, line.event),
              .event = line.event};
  return {Reason::Kind::kLateUnsaid, call.subject};
}

// The same by the process that lost it, where nobody reads.
const Event* SaidToNobody(const Evidence& evidence, const FunnelRow& row) {
  const std::vector<std::string> names = NamesOf(evidence, row);
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kOutput || !event.discarded || event.pid != row.pid) continue;
    LogLine line;
    line.text = line.message = event.subject;
    if (Says(line, row, names)) return &event;
  }
  return nullptr;
}

// Of a loss that no line tells: what was printed instead, and who says so unheard.
Reason Unsaid(const Evidence& evidence, const FunnelRow& row) {
  Reason unsaid = {.kind = Reason::Kind::kUnsaid,
                   .subject = BaseNameOf(row.library),
                   .other = ToString(row.loss->at),
                   .below = {NoLine(evidence.log)}};
  if (const Event* const said = SaidToNobody(evidence, row))
    unsaid.below.push_back({.kind = Reason::Kind::kSaidToNobody,
                            .text = Words(evidence, said->id),
                            .event = said->id});
  for (const Process& process : evidence.processes)
    if (const auto level = VariableOf(&process, "OLLAMA_DEBUG");
        level && process.role == "ollama serve" && *level != "2")
      unsaid.below.push_back({Reason::Kind::kLevel, "", *level});
  return unsaid;
}

}  // namespace

void FindLostRow(Evidence& evidence) {
  const FunnelRow* best = nullptr;
  const auto rank = [&](const FunnelRow& row) {
    // A Vulkan backend that came to no driver is beside one that was tried and failed.
    const bool asked = row.cause() != Cause::kNeverAsked || row.stack != Family::kVulkanLoader;
    return std::tuple(row.failed(), !IsExcluded(row) && IsSought(evidence, row),
                      row.family == Family::kBackend, asked, row.pid != 0,
                      row.failed() && row.loss->said == 0, row.reached);
  };
  for (const FunnelRow& row : evidence.funnel)
    if (row.loss && (best == nullptr || rank(row) > rank(*best))) best = &row;
  evidence.lost.reset();
  if (best != nullptr) evidence.lost = static_cast<size_t>(best - evidence.funnel.data());
}

void FindSilence(Evidence& evidence) {
  for (FunnelRow& row : evidence.funnel)
    if (row.loss) row.loss->failed = HasFailed(evidence, row);
  // What somebody left out, or nobody tried, is no loss beside one that was tried and failed.
  const bool tried =
      std::any_of(evidence.funnel.begin(), evidence.funnel.end(),
                  [](const FunnelRow& row) { return row.failed() && !IsExcluded(row); });
  for (FunnelRow& row : evidence.funnel) {
    if (!row.loss) continue;
    PathLoss& loss = *row.loss;
    loss.failed = loss.failed && !(tried && IsExcluded(row));
    // What another library asked for and did not get is that one's loss.
    loss.failed =
        loss.failed && std::none_of(evidence.funnel.begin(), evidence.funnel.end(),
                                    [&](const FunnelRow& other) { return IsBelow(row, other); });
    loss.said = loss.failed ? WhoSays(evidence, row) : 0;
  }
  FindLostRow(evidence);
  const FunnelRow* const lost = LostRow(evidence);
  const bool failed = lost != nullptr && lost->failed();
  const FunnelRow* const silent = failed && lost->loss->said == 0 ? lost : nullptr;
  const FunnelRow* const told = failed && lost->loss->said != 0 ? lost : nullptr;
  evidence.silent_failure = silent != nullptr;
  if (silent != nullptr && evidence.cut_lines > 0) {
    evidence.silent_failure.reset();
    evidence.silent_because = {.kind = Reason::Kind::kLinesCut, .number = evidence.cut_lines};
    return;
  }
  if (lost == nullptr && NothingAsked(evidence)) {
    evidence.silent_failure = true;
    evidence.silent_because = {.kind = Reason::Kind::kNothingAsked,
                               .number = DevicesOf(evidence.setting),
                               .below = {NoLine(evidence.log)}};
    return;
  }
  if (silent != nullptr) {
    evidence.silent_because = Unsaid(evidence, *silent);
    return;
  }
  if (told != nullptr) {
    evidence.silent_because = {.kind = Reason::Kind::kLineSays,
                               .text = Words(evidence, told->loss->said, NamesOf(evidence, *told)),
                               .event = told->loss->said};
  } else if (!evidence.loader_observed && evidence.device_count.value_or(0) == 0) {
    evidence.silent_failure.reset();
    evidence.silent_because = {Reason::Kind::kUnwatched};
  } else if (evidence.bad_end) {
    evidence.silent_because = {.kind = Reason::Kind::kNoEnd, .text = ToString(evidence.outcome)};
  } else {
    evidence.silent_because = AfterTheCount(evidence);
  }
}

}  // namespace gpustage
