#include "harness/report/page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/base/limits.h"
#include "harness/report/for_terminal.h"

namespace gpustage {
namespace {

int64_t Microseconds(double ms) { return std::llround(ms * 1000); }

size_t BytesOf(const std::vector<int64_t>& list) {
  size_t bytes = 3;
  for (const int64_t number : list) bytes += fmt::formatted_size("{},", number);
  return bytes;
}

}  // namespace

std::string JsonForScript(const std::string& text) {
  const std::string json =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    if (c == '<' || c == '>' || c == '&')
      safe += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      safe += c;
  }
  return safe;
}

PageData::PageData(const TextStyle& style) : style_(style) {
  Text("");
  Numbers({});
}

int64_t PageData::Text(const std::string& text) {
  const std::string line = OneLine(text);
  const auto [found, is_new] = text_numbers_.try_emplace(line, static_cast<int64_t>(texts_.size()));
  if (is_new) {
    texts_.push_back(&found->first);
    bytes_ += JsonForScript(line).size() + 1;
  }
  return found->second;
}

int64_t PageData::Numbers(const List& list) {
  const auto [found, is_new] = list_numbers_.try_emplace(list, static_cast<int64_t>(lists_.size()));
  if (is_new) {
    lists_.push_back(&found->first);
    bytes_ += BytesOf(list);
  }
  return found->second;
}

int64_t PageData::Texts(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& text : texts) list.push_back(Text(text));
  return Numbers(list);
}

void PageData::Add(const ReportedRun& run) {
  List axes, unmet;
  for (const auto& [axis, value] : run.axes) {
    axes.push_back(Text(axis));
    axes.push_back(Text(value));
  }
  for (const UnmetClaim& claim : run.unmet)
    unmet.push_back(Numbers({Text(claim.expected), Text(claim.seen), Text(claim.because),
                             Text(claim.file), claim.line, claim.unknown ? 1 : 0}));
  const std::string command = run.TraceCommand(style_.program) + style_.scanners;
  const bool usual = command == style_.program + " trace " + run.id + style_.scanners;
  runs_.push_back({Text(run.id), Text(run.scenario), Text(run.claim), Text(run.run),
                   Text(run.scanner), Text(ToString(run.verdict)), Numbers(axes),
                   run.device_count.value_or(-1), Text(run.lost_at.value_or("")), Text(run.because),
                   Microseconds(run.duration_ms), usual ? 0 : Text(command), Text(run.file),
                   Numbers(unmet), run.silent_failure.value_or(false) ? 1 : 0,
                   Text(run.outcome ? run.outcome->text : ""), 0, 0, 0});
  bytes_ += BytesOf(runs_.back());
}

int64_t PageData::Detail(const ReportedDetail& detail) {
  List processes, events, log;
  for (const ReportedLife& life : detail.processes)
    processes.push_back(
        Numbers({life.pid, life.parent, Text(life.name), Text(life.command),
                 Microseconds(life.from_ms), Microseconds(life.to_ms), Text(life.end)}));
  for (const ReportedEvent& event : detail.events)
    for (const int64_t number : {int64_t{event.id}, Microseconds(event.ms), int64_t{event.pid},
                                 Text(event.kind), Text(event.text)})
      events.push_back(number);
  for (const ReportedLine& line : detail.log)
    for (const int64_t number :
         {Text(line.level), Text(line.stream), Text(line.text), int64_t{line.event}})
      log.push_back(number);
  return Numbers({Text(detail.answer), Texts(detail.chain), Texts(detail.suggestions),
                  Text(detail.not_observable), Numbers(processes), Numbers(events),
                  detail.events_seen, Numbers(log), Texts(detail.environment), Texts(detail.tree),
                  Texts(detail.machine)});
}

bool PageData::AddBody(size_t number, const ReportedRun& run, size_t most_bytes) {
  if (bytes_ >= most_bytes) return false;
  List& line = runs_[number];
  List funnel;
  for (const ReportedRow& row : run.funnel)
    funnel.push_back(Numbers({Text(row.library), row.pid, Text(row.process), Text(row.steps),
                              Text(row.lost_at.value_or("")), Text(row.reason),
                              Text(row.cause.value_or("")), Text(row.remark), row.said ? 1 : 0}));
  const size_t end = line.size();
  line[end - 3] = Numbers(funnel);
  if (run.detail) {
    line[end - 1] = Detail(*run.detail);
    return true;
  }
  const size_t first = run.log.size() - std::min(run.log.size(), limits::kPageLogLines);
  std::vector<std::string> log(run.log.begin() + static_cast<ptrdiff_t>(first), run.log.end());
  for (std::string& text : log) text.resize(std::min(text.size(), limits::kPageLineBytes));
  line[end - 2] = Texts(log);
  return true;
}

std::string PageData::Json(const Report& report, const std::vector<size_t>& left_out) const {
  const auto list = [](const List& numbers) {
    return fmt::format("[{}]", fmt::join(numbers, ","));
  };
  std::string json =
      fmt::format("{{\"program\":{},\"scanners\":{},\"seconds\":{:.1f},\"texts\":[",
                  JsonForScript(style_.program), JsonForScript(style_.scanners), report.seconds);
  json.reserve(bytes_ + 1000);
  for (size_t i = 0; i < texts_.size(); ++i)
    json += (i == 0 ? "" : ",") + JsonForScript(*texts_[i]);
  json += "],\n\"lists\":[";
  for (size_t i = 0; i < lists_.size(); ++i) json += (i == 0 ? "" : ",") + list(*lists_[i]);
  json += "],\n\"runs\":[";
  for (size_t i = 0; i < runs_.size(); ++i) json += (i == 0 ? "" : ",\n") + list(runs_[i]);
  return json + fmt::format("],\n\"leftOut\":{}}}", left_out.size());
}

}  // namespace gpustage
