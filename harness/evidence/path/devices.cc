#include "harness/evidence/path/devices.h"

#include <re2/re2.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace gpustage {
namespace {

using nlohmann::json;
bool FromStream(const DeviceReader& reader, Stream stream) {
  if (reader.stream == "any") return true;
  return (reader.stream == "stdout") == (stream == Stream::kStdout);
}

std::string FieldText(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void AddJson(const json& list, EventId event, Evidence& evidence) {
  std::vector<SeenDevice> devices;
  for (const json& entry : list) {
    SeenDevice device;
    device.event = event;
    if (entry.is_object())
      for (const auto& [key, value] : entry.items())
        if (!value.is_null()) device.fields[key] = FieldText(value);
    devices.push_back(std::move(device));
  }
  evidence.device_count = static_cast<int64_t>(devices.size());
  evidence.devices = std::move(devices);
}

void ReadJson(const DeviceReader& reader, Evidence& evidence) {
  std::string text;
  const Stream wanted = reader.stream == "stderr" ? Stream::kStderr : Stream::kStdout;
  for (const LogLine& line : evidence.log)
    if (line.stream == wanted) text += line.raw + "\n";
  EventId event = evidence.outcome_event();
  for (const LogLine& line : evidence.log)
    if (line.stream == wanted) event = line.event;
  const json parsed = json::parse(text, nullptr, false);
  if (parsed.is_array()) return AddJson(parsed, event, evidence);
  if (parsed.is_object() && parsed.contains("devices") && parsed["devices"].is_array()) {
    AddJson(parsed["devices"], event, evidence);
    if (parsed.contains("count") && parsed["count"].is_number_integer())
      evidence.device_count = parsed["count"];
    return;
  }
  if (text.empty())
    evidence.devices_unreadable = {Reason::Kind::kPrintedNothing,
                                   wanted == Stream::kStdout ? "stdout" : "stderr"};
  else
    evidence.devices_unreadable = {Reason::Kind::kNoJson};
}

// All groups of a match, by name.
bool MatchGroups(const RE2& pattern, const std::string& line,
                 std::map<std::string, std::string>& groups) {
  const int count = pattern.NumberOfCapturingGroups();
  std::vector<re2::StringPiece> parts(static_cast<size_t>(count) + 1);
  if (!pattern.Match(line, 0, line.size(), RE2::UNANCHORED, parts.data(), count + 1)) return false;
  for (const auto& [name, index] : pattern.NamedCapturingGroups())
    if (const auto& part = parts[static_cast<size_t>(index)];
        part.data() != nullptr && !part.empty())
      groups[name] = std::string(part);
  return true;
}

void ReadLines(const DeviceReader& reader, const RE2& pattern, const Outcome& outcome,
               Evidence& evidence) {
  std::vector<SeenDevice> devices;
  for (const LogLine& line : evidence.log) {
    SeenDevice device;
    device.event = line.event;
    if (FromStream(reader, line.stream) && MatchGroups(pattern, line.text, device.fields))
      devices.push_back(std::move(device));
  }
  // Silence is no zero where the program could not be started: 126 and 127, as a shell and ld.so
  // say. One that looked may well end badly because it saw nothing, as vulkaninfo and rocm-smi do.
  const bool never_looked = outcome.code == 126 || outcome.code == 127;
  if (devices.empty() && outcome.kind == Outcome::Kind::kExited && never_looked) {
    evidence.devices_unreadable = {.kind = Reason::Kind::kListedNothing, .text = ToString(outcome)};
    return;
  }
  evidence.device_count = static_cast<int64_t>(devices.size());
  evidence.devices = std::move(devices);
}

void ReadCount(const DeviceReader& reader, const RE2& pattern, Evidence& evidence) {
  evidence.devices_unreadable = {.kind = Reason::Kind::kNoMatch, .text = reader.match};
  for (const LogLine& line : evidence.log) {
    std::map<std::string, std::string> groups;
    if (!FromStream(reader, line.stream) || !MatchGroups(pattern, line.text, groups)) continue;
    int64_t count = 0;
    if (!RE2::FullMatch(groups["count"], "(\\d+)", &count)) continue;
    evidence.device_count = count;
    evidence.devices_unreadable = {};
  }
}

}  // namespace

void ReadDevices(const RecordedRun& run, Evidence& evidence) {
  const DeviceReader& reader = run.devices;
  if (reader.kind == DeviceReader::Kind::kNone) {
    evidence.devices_unreadable = {Reason::Kind::kNoReader};
    return;
  }
  // A list that was cut short says nothing of what would have followed.
  if (run.outcome.kind != Outcome::Kind::kExited && run.outcome.kind != Outcome::Kind::kStopped) {
    evidence.devices_unreadable = {.kind = Reason::Kind::kNotDone, .text = ToString(run.outcome)};
    return;
  }
  if (evidence.cut_lines > 0) {
    evidence.devices_unreadable = {.kind = Reason::Kind::kLogCut, .number = evidence.cut_lines};
    return;
  }
  if (reader.kind == DeviceReader::Kind::kJson) return ReadJson(reader, evidence);
  const RE2 pattern(reader.match, RE2::Quiet);
  if (reader.kind == DeviceReader::Kind::kLines)
    ReadLines(reader, pattern, run.outcome, evidence);
  else
    ReadCount(reader, pattern, evidence);
}

}  // namespace gpustage
