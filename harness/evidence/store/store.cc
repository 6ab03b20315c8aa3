#include "harness/evidence/store/store.h"

#include <sstream>

#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/relate.h"
#include "harness/evidence/store/funnel_lines.h"
#include "harness/evidence/store/kept_reason.inc"

namespace gpustage {
namespace {

using namespace kept;

constexpr const char* kOutcomes[] = {"exited", "killed", "timed_out", "stopped", "not_started"};
constexpr const char* kRules[] = {"", "as asked", "path", "runpath", "cache", "default"};
constexpr const char* kOutsides[] = {"library", "declared library", "declared directory", "devices",
                                     "kernel"};
constexpr const char* kOldOutsides[] = {  // sentences of version 4
    "a GPU library of this machine", "a GPU library in a directory that the scanner declares",
    "a directory that the scanner declares", "what this machine's kernel says of devices",
    "of this machine's kernel"};
constexpr const char* kLevels[] = {"none", "libs", "files", "all"};

ordered_json Line(const Event& event) {
  ordered_json line = {{"record", "event"},
                       {"id", event.id},
                       {"time_ns", event.time_ns},
                       {"pid", event.pid},
                       {"tid", event.tid},
                       {"kind", ToString(event.kind)},
                       {"subject", Write(event.subject)},
                       {"detail", Write(event.detail)},
                       {"value", event.value},
                       {"device", event.device},
                       {"object", event.object},
                       {"first_name", event.first_name},
                       {"assumed", event.assumed},
                       {"unheard", event.unheard},
                       {"rule", kRules[static_cast<size_t>(event.rule)]},
                       {"by", Write(event.by)},
                       {"fault", event.fault},
                       {"gives", Write(event.gives)}};
  if (event.writes) line["writes"] = true;
  if (!event.links.empty()) line["links"] = Write(event.links);
  return line;
}
// Of version 4, in which the detail was a sentence: what is read elsewhere is taken out of it.
void ReadOldDetail(Event& event) {
  if (event.kind == EventKind::kOpen || event.kind == EventKind::kLook) {
    constexpr std::string_view kWrites = " to write", kThrough = " through ";
    std::string& call = event.detail;
    if (const size_t at = call.find(kThrough); at != std::string::npos) {
      const size_t start = at + kThrough.size();
      event.links = {call.substr(start, call.size() - start - 1)};
      call.resize(at);
    }
    event.writes = call.ends_with(kWrites);
    if (event.writes) call.resize(call.size() - kWrites.size());
  }
  if (event.kind != EventKind::kOutput) return;
  const size_t end = event.detail.find_first_of(", ");
  event.value = end == std::string::npos ? 1 : 0;
  if (event.detail.find(" to /dev/null,") != std::string::npos) event.by = "/dev/null";
  event.detail.resize(std::min(end, event.detail.size()));
}
Event ReadEvent(const ordered_json& line, int version) {
  const auto kind = ParseEventKind(line.at("kind").get<std::string>());
  if (!kind) throw std::invalid_argument("unknown kind of event");
  Event event;
  event.id = line.at("id");
  event.time_ns = line.at("time_ns");
  event.pid = line.at("pid");
  event.tid = line.at("tid");
  event.kind = *kind;
  event.subject = ReadText(line.at("subject"));
  event.detail = ReadText(line.at("detail"));
  event.value = line.at("value");
  event.device = line.at("device");
  event.object = line.at("object");
  event.first_name = line.at("first_name");
  event.assumed = line.at("assumed");
  event.unheard = line.at("unheard");
  event.rule = static_cast<SearchRule>(IndexOf(kRules, line.at("rule").get<std::string>()));
  event.by = ReadText(line.at("by"));
  event.fault = line.at("fault");
  event.gives = ReadOptional<int64_t>(line.at("gives"));
  event.writes = line.value("writes", false);
  if (line.contains("links")) event.links = ReadTexts(line.at("links"));
  if (version == 4) ReadOldDetail(event);
  return event;
}

ordered_json Line(const Process& process) {
  return {{"record", "process"},
          {"pid", process.pid},
          {"parent", process.parent},
          {"executable", Write(process.executable)},
          {"argv", Write(process.argv)},
          {"environment", Write(process.environment)},
          {"role", Write(process.role)},
          {"event", process.event},
          {"loader_observed", process.loader_observed},
          {"end", Write(process.end)},
          {"end_event", process.end_event},
          {"exit_status", Write(process.exit_status)}};
}
Process ReadProcess(const ordered_json& line) {
  return {line.at("pid"),
          line.at("parent"),
          ReadText(line.at("executable")),
          ReadTexts(line.at("argv")),
          ReadTexts(line.at("environment")),
          ReadText(line.at("role")),
          line.at("event"),
          line.at("loader_observed"),
          ReadText(line.at("end")),
          line.at("end_event"),
          ReadOptional<int>(line.at("exit_status"))};
}

ordered_json Line(const LogLine& log) {
  return {{"record", "log"},
          {"stream", log.stream == Stream::kStdout ? "stdout" : "stderr"},
          {"raw", Write(log.raw)},
          {"text", Write(log.text)},
          {"level", Write(log.level)},
          {"message", Write(log.message)},
          {"fields", Write(log.fields)},
          {"event", log.event}};
}
LogLine ReadLog(const ordered_json& line) {
  return {line.at("stream") == "stdout" ? Stream::kStdout : Stream::kStderr,
          ReadText(line.at("raw")),
          ReadText(line.at("text")),
          ReadText(line.at("level")),
          ReadText(line.at("message")),
          ReadMap(line.at("fields")),
          line.at("event")};
}

ordered_json Line(const SeenDevice& device) {
  return {{"record", "device"}, {"fields", Write(device.fields)}, {"event", device.event}};
}

ordered_json Line(const Gap& gap) {
  return {{"record", "gap"},
          {"pid", gap.pid},
          {"requester", Write(gap.requester)},
          {"provider", Write(gap.provider)},
          {"versions", Write(gap.versions)},
          {"symbols", Write(gap.symbols)},
          {"unversioned", gap.unversioned},
          {"newest", Write(gap.newest)}};
}
Gap ReadGap(const ordered_json& line, int version) {
  return {line.at("pid"),
          ReadText(line.at("requester")),
          ReadText(line.at("provider")),
          ReadTexts(line.at("versions")),
          ReadTexts(line.at("symbols")),
          line.at("unversioned"),
          version < 6 ? "" : ReadText(line.at("newest"))};
}

ordered_json Line(const Interposer& interposer) {
  return {{"record", "interposer"},
          {"pid", interposer.pid},
          {"function", Write(interposer.function)},
          {"library", Write(interposer.library)},
          {"event", interposer.event}};
}
Interposer ReadInterposer(const ordered_json& line) {
  return {line.at("pid"), ReadText(line.at("function")), ReadText(line.at("library")),
          line.at("event")};
}

ordered_json Line(const UnseenMisses& unseen) {
  return {{"record", "unseen_misses"}, {"pid", unseen.pid}, {"library", Write(unseen.library)}};
}

ordered_json Line(const Outside& outside) {
  return {{"record", "outside"},         {"pid", outside.pid},
          {"path", Write(outside.path)}, {"what", kOutsides[static_cast<size_t>(outside.what)]},
          {"leak", outside.leak},        {"count", outside.count},
          {"event", outside.event}};
}
Outside ReadOutside(const ordered_json& line, int version) {
  const std::string what = line.at("what");
  const int index = version == 4 ? IndexOf(kOldOutsides, what) : IndexOf(kOutsides, what);
  return {line.at("pid"),  ReadText(line.at("path")), static_cast<Outside::What>(index),
          line.at("leak"), line.at("count"),          line.at("event")};
}

ordered_json End(const Evidence& evidence) {
  const Outcome& outcome = evidence.outcome;
  return {{"record", "end"},
          {"outcome", kOutcomes[static_cast<size_t>(outcome.kind)]},
          {"code", outcome.code},
          {"note", Write(outcome.note)},
          {"duration_ns", evidence.duration_ns},
          {"devices_known", evidence.devices.has_value()},
          {"device_count", Write(evidence.device_count)},
          {"devices_unreadable", Write(evidence.devices_unreadable)},
          {"level", kLevels[static_cast<size_t>(evidence.level)]},
          {"journal_complete", evidence.journal_complete},
          {"loader_observed", evidence.loader_observed},
          {"files_observed", evidence.files_observed},
          {"files_unobserved", Write(evidence.files_unobserved)},
          {"left_over", evidence.left_over},
          {"silent_failure", Write(evidence.silent_failure)},
          {"silent_because", Write(evidence.silent_because)}};
}
void ReadEnd(const ordered_json& line, Evidence& evidence) {
  evidence.outcome.kind = static_cast<Outcome::Kind>(IndexOf(kOutcomes, line.at("outcome")));
  evidence.outcome.code = line.at("code");
  evidence.outcome.note = ReadText(line.at("note"));
  evidence.duration_ns = line.at("duration_ns");
  if (line.at("devices_known").get<bool>() && !evidence.devices) evidence.devices.emplace();
  evidence.device_count = ReadOptional<int64_t>(line.at("device_count"));
  evidence.devices_unreadable = ReadReason(line.at("devices_unreadable"));
  evidence.level = static_cast<EvidenceLevel>(IndexOf(kLevels, line.at("level")));
  evidence.journal_complete = line.at("journal_complete");
  evidence.loader_observed = line.at("loader_observed");
  evidence.files_observed = line.at("files_observed");
  evidence.files_unobserved = ReadReason(line.at("files_unobserved"));
  evidence.left_over = line.at("left_over");
  evidence.silent_failure = ReadOptional<bool>(line.at("silent_failure"));
  evidence.silent_because = ReadReason(line.at("silent_because"));
}

void ReadHead(const ordered_json& head, KeptRun& run) {
  for (const auto& [key, text] :
       {std::pair{"id", &run.id}, std::pair{"scenario", &run.scenario},
        std::pair{"claim", &run.claim}, std::pair{"run", &run.run},
        std::pair{"scanner", &run.scanner}, std::pair{"verdict", &run.verdict},
        std::pair{"because", &run.because}})
    *text = ReadText(head.at(key));
}

void ReadLine(const ordered_json& line, int version, Evidence& evidence) {
  const std::string record = line.at("record");
  if (record == "event") {
    evidence.events.push_back(ReadEvent(line, version));
    if (evidence.events.back().id != evidence.outcome_event())
      throw std::invalid_argument("events are not numbered in order");
  } else if (record == "process") {
    evidence.processes.push_back(ReadProcess(line));
  } else if (record == "log") {
    evidence.log.push_back(ReadLog(line));
  } else if (record == "device") {
    if (!evidence.devices) evidence.devices.emplace();
    evidence.devices->push_back({ReadMap(line.at("fields")), line.at("event")});
  } else if (record == "funnel" || record == "inner" || record == "setting") {
    ReadFunnelLine(record, line.dump(), version, evidence);
  } else if (record == "gap") {
    evidence.linkage.gaps.push_back(ReadGap(line, version));
  } else if (record == "own_path") {
    evidence.linkage.own_paths.push_back(
        {line.at("pid"), ReadText(line.at("library")), ReadText(line.at("folder"))});
  } else if (record == "outside") {
    evidence.outside.push_back(ReadOutside(line, version));
  } else if (record == "interposer") {
    evidence.linkage.interposers.push_back(ReadInterposer(line));
  } else if (record == "unseen_misses") {
    evidence.linkage.unseen_misses.push_back({line.at("pid"), ReadText(line.at("library"))});
  } else if (record == "end") {
    ReadEnd(line, evidence);
  } else {
    throw std::invalid_argument(fmt::format("unknown record \"{}\"", record));
  }
}

// An event that something names and that is not there; 0: none.
EventId UnknownEvent(const Evidence& evidence) {
  std::vector<EventId> named;
  for (const Process& process : evidence.processes)
    named.insert(named.end(), {process.event, process.end_event});
  for (const LogLine& line : evidence.log) named.push_back(line.event);
  const auto reason = [&](const auto& self, const Reason& one) -> void {
    named.push_back(one.event);
    for (const Reason& below : one.below) self(self, below);
  };
  const auto facts = [&](const std::vector<Fact>& list) {
    for (const Fact& fact : list) {
      named.push_back(fact.event);
      for (const Reason& one : fact.reasons) reason(reason, one);
    }
  };
  reason(reason, evidence.silent_because);
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows) {
      named.push_back(row.event);
      for (const auto& [step, seen] : row.steps) named.push_back(seen.event);
      reason(reason, row.remark);
      if (!row.loss) continue;
      reason(reason, row.loss->reason);
      named.push_back(row.loss->said);
      facts(row.loss->because);
    }
  facts(evidence.missing);
  if (evidence.bad_end) named.insert(named.end(), {evidence.bad_end->said, evidence.bad_end->last});
  for (const Interposer& interposer : evidence.linkage.interposers)
    named.push_back(interposer.event);
  for (const Outside& outside : evidence.outside) named.push_back(outside.event);
  if (evidence.devices)
    for (const SeenDevice& device : *evidence.devices) named.push_back(device.event);
  for (const EventId id : named)
    if (id < 0 || id > evidence.outcome_event()) return id;
  return 0;
}

}  // namespace

std::string EvidenceLines(const KeptRun& run) {
  const Evidence& evidence = run.evidence;
  struct Lines {  // each is text at once: a DOM of all took ten times their room
    std::string text;
    void push_back(const ordered_json& line) { text += line.dump() + "\n"; }
  } lines;
  lines.push_back({{"format", "gpustage-evidence"},
                   {"version", kEvidenceVersion},
                   {"id", Write(run.id)},
                   {"scenario", Write(run.scenario)},
                   {"claim", Write(run.claim)},
                   {"run", Write(run.run)},
                   {"scanner", Write(run.scanner)},
                   {"verdict", Write(run.verdict)},
                   {"because", Write(run.because)}});
  for (const Process& process : evidence.processes) lines.push_back(Line(process));
  for (const Event& event : evidence.events) lines.push_back(Line(event));
  for (const LogLine& log : evidence.log) lines.push_back(Line(log));
  if (evidence.devices)
    for (const SeenDevice& device : *evidence.devices) lines.push_back(Line(device));
  for (const Gap& gap : evidence.linkage.gaps) lines.push_back(Line(gap));
  for (const auto& [pid, library, folder] : evidence.linkage.own_paths)
    lines.push_back({{"record", "own_path"},
                     {"pid", pid},
                     {"library", Write(library)},
                     {"folder", Write(folder)}});
  for (const Interposer& interposer : evidence.linkage.interposers)
    lines.push_back(Line(interposer));
  for (const UnseenMisses& unseen : evidence.linkage.unseen_misses) lines.push_back(Line(unseen));
  for (const Outside& outside : evidence.outside) lines.push_back(Line(outside));
  std::string text = std::move(lines.text);
  for (const FunnelRow& row : evidence.funnel) text += RowText("funnel", row) + "\n";
  for (const FunnelRow& row : evidence.inner) text += RowText("inner", row) + "\n";
  text += SettingText(evidence) + "\n";
  return text + End(evidence).dump() + "\n";
}

Result<KeptRun> ParseEvidenceLines(const std::string& text, const std::string& file) {
  KeptRun run;
  std::istringstream stream(text);
  int number = 0, version = kEvidenceVersion;
  bool ended = false;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    const SourcePos pos = {file, number, 1, 1};
    const ordered_json parsed = ordered_json::parse(line, nullptr, false);
    if (!parsed.is_object())
      return Error{"this line is no JSON object; the file is damaged or not kept evidence", pos};
    try {
      if (number == 1) {
        if (parsed.value("format", "") != "gpustage-evidence")
          return Error{
              "this is no evidence that gpustage kept: its first line does not say \"format\": "
              "\"gpustage-evidence\"",
              pos};
        version = parsed.at("version");
        if (version < 4 || version > kEvidenceVersion)
          return Error{fmt::format("this evidence is of version {}; this gpustage reads versions 4 "
                                   "to {}, so run the scenario again or use the "
                                   "gpustage that kept it",
                                   version, kEvidenceVersion),
                       pos};
        ReadHead(parsed, run);
        continue;
      }
      ReadLine(parsed, version, run.evidence);
      ended = parsed.at("record") == "end";
    } catch (const std::exception& error) {
      return Error{fmt::format("this line is not as version {} has it: {}", version, error.what()),
                   pos};
    }
  }
  if (const EventId wrong = UnknownEvent(run.evidence); wrong != 0)
    return Error{fmt::format("something here names event {}, and there are {}", wrong,
                             run.evidence.events.size()),
                 SourcePos{file, number, 1, 1}};
  if (!ended)
    return Error{"this evidence has no end: it was not written to its last line",
                 SourcePos{file, std::max(number, 1), 1, 1}};
  NameRules(run.evidence);
  FindLostRow(run.evidence);
  return run;
}

}  // namespace gpustage
