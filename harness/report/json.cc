#include "harness/report/json.h"

#include <nlohmann/json.hpp>

namespace gpustage {
namespace {

using nlohmann::ordered_json;

ordered_json OutcomeJson(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
    case Outcome::Kind::kStopped: return {{"kind", "exited"}, {"code", outcome.code}};
    case Outcome::Kind::kKilled: return {{"kind", "killed"}, {"code", outcome.code}};
    case Outcome::Kind::kTimedOut: return {{"kind", "timed_out"}, {"code", outcome.code}};
    case Outcome::Kind::kNotStarted: break;
  }
  return nullptr;
}

ordered_json DevicesJson(const Evidence& evidence) {
  if (!evidence.devices) return nullptr;
  ordered_json list = ordered_json::array();
  for (const SeenDevice& device : *evidence.devices) {
    ordered_json entry;
    for (const char* key : {"name", "library", "library_path", "pci_id", "uuid", "memory_total"}) {
      const auto found = device.fields.find(key);
      entry[key] = found == device.fields.end() ? ordered_json(nullptr) : ordered_json(found->second);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

ordered_json FunnelJson(const Evidence& evidence) {
  ordered_json rows = ordered_json::array();
  for (const FunnelRow& row : evidence.funnel) {
    ordered_json entry = {{"library", row.library}, {"pid", row.pid}, {"process", row.role}};
    entry["reached"] = row.reached ? ordered_json(ToString(*row.reached)) : ordered_json(nullptr);
    entry["lost_at"] = row.lost_at ? ordered_json(ToString(*row.lost_at)) : ordered_json(nullptr);
    entry["reason"] = row.reason;
    entry["cause"] = row.lost_at || !row.remark.empty() ? ordered_json(ToString(row.cause)) : ordered_json(nullptr);
    entry["remark"] = row.remark;
    entry["said"] = row.said != 0;
    rows.push_back(std::move(entry));
  }
  return rows;
}

ordered_json RunJson(const CaseReport& report, const RunReport& run) {
  ordered_json log = ordered_json::array();
  for (const LogLine& line : run.evidence.log) log.push_back(line.text);
  ordered_json entry = {{"id", report.c.id},
                        {"scenario", report.c.scenario},
                        {"claim", report.c.claim},
                        {"scanner", run.spec.scanner.name},
                        {"run", run.spec.name},
                        {"axes", report.c.axes},
                        {"verdict", ToString(run.verdict.kind)},
                        {"because", run.verdict.because}};
  const bool ran = !run.evidence.events.empty();
  entry["devices"] = ran ? DevicesJson(run.evidence) : ordered_json(nullptr);
  entry["device_count"] = run.evidence.device_count ? ordered_json(*run.evidence.device_count) : ordered_json(nullptr);
  entry["outcome"] = ran ? OutcomeJson(run.evidence.outcome) : ordered_json(nullptr);
  entry["log"] = std::move(log);
  entry["funnel"] = FunnelJson(run.evidence);
  entry["silent_failure"] = run.evidence.silent_failure ? ordered_json(*run.evidence.silent_failure) : ordered_json(nullptr);
  entry["silent_because"] = run.evidence.silent_because;
  entry["duration_ms"] = static_cast<double>(run.evidence.duration_ns) / 1e6;
  return entry;
}

}  // namespace

std::string JsonReport(const std::vector<CaseReport>& reports) {
  const Totals totals = Count(reports);
  ordered_json cases = ordered_json::array();
  for (const CaseReport& report : reports)
    for (const RunReport& run : report.runs) cases.push_back(RunJson(report, run));
  const ordered_json whole = {{"version", 1},
                              {"cases", std::move(cases)},
                              {"totals",
                               {{"pass", totals.pass},
                                {"fail", totals.fail},
                                {"skip", totals.skip},
                                {"xfail", totals.xfail},
                                {"xpass", totals.xpass},
                                {"error", totals.error}}}};
  return whole.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace gpustage
