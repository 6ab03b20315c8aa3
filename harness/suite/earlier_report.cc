#include "harness/suite/earlier_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/report/json.h"

namespace gpustage {
namespace {

using nlohmann::json;

Result<std::ifstream> Open(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || IsDirectory(file))
    return Error{fmt::format("cannot read {}: {}", file,
                             IsDirectory(file) ? "it is a directory" : std::strerror(errno))};
  return in;
}

}  // namespace

Result<Report> ReadReport(const std::string& file, const RunVisitor& visit) {
  TRY(std::ifstream in, Open(file));
  return ReadJsonReport(in, file, visit);
}

Result<Baseline> ReadBaseline(const std::string& file) {
  Baseline baseline(file);
  TRY(ReadReport(file, [&](const ReportedRun& run) -> Status {
    baseline.AddBefore(run);
    return Ok();
  }));
  return baseline;
}

Result<FailedRuns> ReadFailed(const std::string& file) {
  FailedRuns failed;
  TRY(ReadReport(file, [&](const ReportedRun& run) -> Status {
    if (!IsBad(run.verdict)) return Ok();
    failed.names.insert(run.Name());
    if (std::find(failed.files.begin(), failed.files.end(), run.file) == failed.files.end())
      failed.files.push_back(run.file);
    return Ok();
  }));
  return failed;
}

Result<std::map<std::string, double>> ReadDurations(const std::string& file) {
  TRY(std::ifstream in, Open(file));
  std::map<std::string, double> milliseconds;
  std::string key, why;
  const auto take = [&](int depth, json::parse_event_t event, json& value) {
    if (depth == 1 && event == json::parse_event_t::key) key = value.get<std::string>();
    if (depth != 2 || event != json::parse_event_t::object_end || key != "cases") return true;
    if (!value.contains("id") || !value["id"].is_string())
      why = "a case has no \"id\"";
    else if (!value.contains("duration_ms") || !value["duration_ms"].is_number())
      why = "a case has no \"duration_ms\"";
    else
      milliseconds[value["id"].get<std::string>()] += value["duration_ms"].get<double>();
    return false;
  };
  const json rest = json::parse(in, take, false);
  if (!rest.is_object())
    why = "it is no JSON object";
  else if (const auto cases = rest.find("cases"); cases == rest.end() || !cases->is_array())
    why = "it has no \"cases\"";
  else if (!cases->empty())
    why = "a case has no \"id\"";
  if (!why.empty())
    return Error{fmt::format("{} is no JSON report of gpustage run: {}", Quote(file), why)};
  return milliseconds;
}

}  // namespace gpustage
