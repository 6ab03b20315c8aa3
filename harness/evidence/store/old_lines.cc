#include "harness/evidence/store/old_lines.h"

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
  event.discarded = line.at("unheard");
  event.rule = static_cast<SearchRule>(IndexOf(kRules, line.at("rule").get<std::string>()));
  event.by = ReadText(line.at("by"));
  event.fault = line.at("fault");
  event.gives = ReadOptional<int64_t>(line.at("gives"));
  event.writes = line.value("writes", false);
  if (line.contains("links")) event.links = ReadTexts(line.at("links"));
  if (version == 4) ReadOldDetail(event);
  return event;
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

LogLine ReadLog(const ordered_json& line) {
  return {line.at("stream") == "stdout" ? Stream::kStdout : Stream::kStderr,
          ReadText(line.at("raw")),
          ReadText(line.at("text")),
          ReadText(line.at("level")),
          ReadText(line.at("message")),
          ReadMap(line.at("fields")),
          line.at("event")};
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

Interposer ReadInterposer(const ordered_json& line) {
  return {line.at("pid"), ReadText(line.at("function")), ReadText(line.at("library")),
          line.at("event")};
}

Outside ReadOutside(const ordered_json& line, int version) {
  const std::string what = line.at("what");
  const int index = version == 4 ? IndexOf(kOldOutsides, what) : IndexOf(kOutsides, what);
  return {line.at("pid"),  ReadText(line.at("path")), static_cast<Outside::What>(index),
          line.at("leak"), line.at("count"),          line.at("event")};
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

}  // namespace

void ReadOldLine(const std::string& text, int version, Evidence& evidence) {
  const ordered_json line = ordered_json::parse(text);
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
    ReadFunnelLine(record, text, version, evidence);
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

}  // namespace gpustage
