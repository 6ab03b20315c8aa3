// The words for the values of a scenario.
#include <fmt/format.h>

#include <array>
#include <cstring>

#include "harness/base/text.h"
#include "harness/scenario/model/case.h"
#include "harness/scenario/model/claim.h"
#include "harness/scenario/model/machine.h"
#include "harness/scenario/model/tree_op.h"
#include "harness/scenario/read/readers.h"

namespace gpustage {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

constexpr std::array<std::string_view, 8> kSteps = {
    "listed", "matched", "opened", "loaded", "entry point", "initialised", "counted", "reported"};

// A path or a name as it is, in quotes where it holds anything odd.
std::string Bare(const std::string& text) {
  const std::string quoted = Quote(text);
  const bool plain =
      quoted.size() == text.size() + 2 && text.find_first_of(" ,:{}[]#'") == std::string::npos;
  return plain && !text.empty() ? text : quoted;
}

std::string ModeText(const std::optional<FileMode>& mode) {
  return mode ? fmt::format(" mode {:04o}", *mode) : "";
}

std::string ToString(const LinePattern& pattern) {
  return pattern.regex ? fmt::format("{{re: {}}}", Quote(pattern.text)) : Quote(pattern.text);
}

std::string ToString(const LibrarySource& source) {
  switch (source.kind) {
    case LibrarySource::Kind::kFake: return "fake " + Bare(source.name);
    case LibrarySource::Kind::kReal: return "real " + Bare(source.name);
    case LibrarySource::Kind::kFile: return "file " + Bare(source.name);
  }
  return "";
}

std::string ToString(const Breakage& broken) {
  std::string text = " broken: " + BreakageWords().at(static_cast<size_t>(broken.kind));
  if (broken.bytes != 0) text += fmt::format(" {}", broken.bytes);
  if (!broken.names.empty()) text += fmt::format(" {}", fmt::join(broken.names, ", "));
  if (!broken.text.empty()) text += " " + Quote(broken.text);
  return text;
}

std::string BrokenText(const std::vector<Breakage>& ways) {
  std::string text;
  for (const Breakage& broken : ways) text += ToString(broken);
  return text;
}

std::string ArchsText(const std::vector<ComputeCapability>& archs) {
  std::string text;
  for (const ComputeCapability& arch : archs)
    text += fmt::format("{}{}.{}", text.empty() ? " archs: " : ", ", arch.major, arch.minor);
  return text;
}

std::string MachineText(const std::optional<MachineChange>& change) {
  return change ? fmt::format(" machine: {}", fmt::join(change->keys, ", ")) : "";
}

std::string OutcomeText(const OutcomeClaim& outcome) {
  if (!outcome.code) return fmt::format("outcome: {}", outcome.kind);
  const char* signal = outcome.kind == "killed" ? sigabbrev_np(*outcome.code) : nullptr;
  if (signal != nullptr) return fmt::format("outcome: {{killed: SIG{}}}", signal);
  return fmt::format("outcome: {{{}: {}}}", outcome.kind, *outcome.code);
}

std::string DistributionText(const DistributionClaim& distribution) {
  std::string text;
  for (const auto& [count, share] : distribution.shares)
    text += fmt::format("{}{}: {:.6g}%", text.empty() ? "" : ", ", count, share * 100);
  return fmt::format("distribution: {{{}}}", text);
}

std::string DeviceText(const DeviceClaim& device) {
  std::string fields = fmt::format("index: {}", device.index);
  for (const auto& [name, value] : device.fields)
    fields += fmt::format(", {}: {}", name, Bare(value));
  return fmt::format("device: {{{}}}", fields);
}

// ", in: ollama runner" for a key that is there.
std::string Also(const char* key, const std::optional<std::string>& value) {
  return value ? fmt::format(", {}: {}", key, Bare(*value)) : "";
}

std::string CallsText(const CallsClaim& calls) {
  const std::string result = calls.result ? fmt::format(", result: {}", *calls.result) : "";
  const std::string device = calls.device ? fmt::format(", device: {}", *calls.device) : "";
  return fmt::format("calls: {{function: {}, count: {}{}{}{}{}}}", calls.function,
                     ToString(calls.count), result, device, Also("arguments", calls.arguments),
                     Also("in", calls.in));
}

std::string OrderText(const LogOrderClaim& order) {
  std::string patterns;
  for (const LinePattern& pattern : order.patterns)
    patterns += (patterns.empty() ? "" : ", ") + ToString(pattern);
  return fmt::format("log: {{in_order: [{}]}}", patterns);
}

std::string LoadsText(const LoadsClaim& loads) {
  if (!loads.present) return fmt::format("loads_not: {}", Bare(loads.library));
  if (!loads.from && !loads.by && !loads.build_id && !loads.in)
    return fmt::format("loads: {}", Bare(loads.library));
  return fmt::format("loads: {{library: {}{}{}{}{}}}", Bare(loads.library),
                     Also("from", loads.from), Also("by", loads.by),
                     Also("build_id", loads.build_id), Also("in", loads.in));
}

std::string SearchesText(const SearchesClaim& searches) {
  return fmt::format("searches: {{path: {}{}{}{}, count: {}}}", Bare(searches.path),
                     Also("by", searches.by), Also("for", searches.requester),
                     Also("in", searches.in), ToString(searches.count));
}

std::string DlsymText(const DlsymClaim& dlsym) {
  return fmt::format("dlsym: {{symbol: {}{}{}{}, count: {}}}", Bare(dlsym.symbol),
                     Also("answer", dlsym.answer), Also("from", dlsym.from), Also("in", dlsym.in),
                     ToString(dlsym.count));
}

std::string LacksText(const LacksClaim& lacks) {
  return fmt::format("lacks: {{library: {}{}{}{}, count: {}}}", Bare(lacks.library),
                     Also("of", lacks.of), Also("symbol", lacks.symbol),
                     Also("version", lacks.version), ToString(lacks.count));
}

std::string TakesText(const TakesClaim& takes) {
  return fmt::format("takes: {{function: {}{}{}, count: {}}}", Bare(takes.function),
                     Also("from", takes.from), Also("in", takes.in), ToString(takes.count));
}

std::string LostText(const LostClaim& lost) {
  const std::string because =
      lost.because ? fmt::format(", because: {}", Quote(*lost.because)) : "";
  return fmt::format("lost: {{library: {}, at: {}{}{}{}}}", Bare(lost.library), ToString(lost.at),
                     Also("cause", lost.cause), Also("known", lost.known), because);
}

std::string ProcessText(const ProcessClaim& process) {
  std::string environment;
  for (const std::string& entry : process.environment)
    environment += (environment.empty() ? "" : ", ") + Bare(entry);
  if (!environment.empty()) environment = fmt::format(", environment: [{}]", environment);
  return fmt::format("process: {{role: {}, count: {}{}{}{}}}", Bare(process.role),
                     ToString(process.count), environment,
                     process.ended ? ", ended: " + *process.ended : "", Also("argv", process.argv));
}

std::string FilesText(const FilesClaim& files) {
  std::string text = "path: " + Bare(files.path);
  if (files.how) text += ", how: " + *files.how;
  if (files.answer) text += ", answer: " + *files.answer;
  if (files.in) text += ", in: " + Bare(*files.in);
  return fmt::format("files: {{{}, count: {}}}", text, ToString(files.count));
}

}  // namespace

std::string ToString(const CountRange& range) {
  if (range.at_most == range.at_least) return fmt::format("{}", range.at_least);
  if (!range.at_most) return fmt::format("at least {}", range.at_least);
  if (range.at_least == 0) return fmt::format("at most {}", *range.at_most);
  return fmt::format("{} to {}", range.at_least, *range.at_most);
}

std::string ToString(Step step) { return std::string(kSteps[static_cast<size_t>(step)]); }

std::optional<Step> ParseStep(std::string_view text) {
  for (size_t i = 0; i < kSteps.size(); ++i)
    if (kSteps[i] == text) return static_cast<Step>(i);
  return std::nullopt;
}

std::string ToString(const Claim& claim) {
  const std::string text = std::visit(
      Overloaded{[](const DevicesClaim& c) { return "devices: " + ToString(c.count); },
                 [](const DistributionClaim& c) { return DistributionText(c); },
                 [](const DeviceClaim& c) { return DeviceText(c); },
                 [](const LogClaim& c) {
                   return fmt::format("log: {{{}: {}}}", c.present ? "has" : "lacks",
                                      ToString(c.pattern));
                 },
                 [](const LogOrderClaim& c) { return OrderText(c); },
                 [](const OutcomeClaim& c) { return OutcomeText(c); },
                 [](const LoadsClaim& c) { return LoadsText(c); },
                 [](const SearchesClaim& c) { return SearchesText(c); },
                 [](const DlsymClaim& c) { return DlsymText(c); },
                 [](const LacksClaim& c) { return LacksText(c); },
                 [](const TakesClaim& c) { return TakesText(c); },
                 [](const CallsClaim& c) { return CallsText(c); },
                 [](const LostClaim& c) { return LostText(c); },
                 [](const SilentClaim& c) { return fmt::format("silent: {}", c.silent); },
                 [](const ProcessClaim& c) { return ProcessText(c); },
                 [](const FilesClaim& c) { return FilesText(c); },
                 [](const UnheardClaim& c) { return "unheard: " + ToString(c.pattern); },
                 [](const ReachedClaim& c) {
                   return fmt::format("reached: {{library: {}, step: {}{}}}", Bare(c.library),
                                      ToString(c.step), c.cause ? ", cause: " + *c.cause : "");
                 }},
      claim.what);
  return claim.inverted ? "not " + text : text;
}

std::string ToString(const TreeOp& op) {
  return std::visit(
      Overloaded{
          [](const MakeDirOp& o) {
            return fmt::format("dir {}{}", Bare(o.path), ModeText(o.mode));
          },
          [](const WriteFileOp& o) {
            return fmt::format("file {} {} bytes{}", Bare(o.path), o.content.size(),
                               ModeText(o.mode));
          },
          [](const SymlinkOp& o) {
            return fmt::format("symlink {} -> {}", Bare(o.path), Bare(o.to));
          },
          [](const HardLinkOp& o) {
            return fmt::format("hard_link {} = {}", Bare(o.path), Bare(o.to));
          },
          [](const CopyOp& o) {
            return fmt::format("copy {} from {}", Bare(o.path), Bare(o.from));
          },
          [](const ChmodOp& o) { return fmt::format("chmod {:04o} {}", o.mode, Bare(o.path)); },
          [](const ChownOp& o) {
            return fmt::format("chown {}:{} {}", o.user.value_or(""), o.group.value_or(""),
                               Bare(o.path));
          },
          [](const RemoveOp& o) { return "remove " + Bare(o.path); },
          [](const PlaceLibraryOp& o) {
            return fmt::format("library {} {}{}{}{}{}", Bare(o.path), ToString(o.source),
                               BrokenText(o.broken), MachineText(o.machine), ArchsText(o.archs),
                               ModeText(o.mode));
          },
          [](const LdconfigOp& o) { return "ldconfig " + Bare(o.path); }},
      op.what);
}

std::string UuidText(const GpuDevice& device) {
  std::string text = UuidText(device.uuid);
  return device.mig_parent.empty() ? text : text.replace(0, 3, "MIG");
}

std::string UuidText(const std::array<uint8_t, 16>& uuid) {
  std::string text = "GPU-";
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

}  // namespace gpustage
