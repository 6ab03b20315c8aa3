// The keys of a case in the JSON report: one list for the writer and the reader.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "harness/report/report.h"

namespace gpustage {

inline constexpr int kOptional = 1 << 30;  // Field::since: absent where it is null

template <typename Struct, typename Member>
struct Field {
  const char* key;
  Member Struct::*member;
  int since = kOldestReport;  // the version that has it first
};
template <typename Struct, typename Member>
Field(const char*, Member Struct::*) -> Field<Struct, Member>;
template <typename Struct, typename Member>
Field(const char*, Member Struct::*, int) -> Field<Struct, Member>;

inline auto FieldsOf(const UnmetClaim*) {
  using T = UnmetClaim;
  return std::tuple{Field{"expected", &T::expected}, Field{"seen", &T::seen},
                    Field{"unknown", &T::unknown},   Field{"because", &T::because},
                    Field{"file", &T::file},         Field{"line", &T::line},
                    Field{"column", &T::column}};
}
inline auto FieldsOf(const ReportedDevice*) {
  using T = ReportedDevice;
  return std::tuple{Field{"name", &T::name},
                    Field{"library", &T::library},
                    Field{"library_path", &T::library_path},
                    Field{"pci_id", &T::pci_id},
                    Field{"uuid", &T::uuid},
                    Field{"memory_total", &T::memory_total}};
}
inline auto FieldsOf(const ReportedOutcome*) {
  using T = ReportedOutcome;
  return std::tuple{Field{"kind", &T::kind}, Field{"code", &T::code}, Field{"text", &T::text}};
}
inline auto FieldsOf(const ReportedProcess*) {
  using T = ReportedProcess;
  return std::tuple{Field{"pid", &T::pid}, Field{"parent", &T::parent}, Field{"role", &T::role}};
}
inline auto FieldsOf(const ReportedRow*) {
  using T = ReportedRow;
  return std::tuple{Field{"library", &T::library}, Field{"pid", &T::pid},
                    Field{"process", &T::process}, Field{"steps", &T::steps},
                    Field{"reached", &T::reached}, Field{"lost_at", &T::lost_at},
                    Field{"reason", &T::reason},   Field{"cause", &T::cause},
                    Field{"remark", &T::remark},   Field{"said", &T::said}};
}
inline auto FieldsOf(const RepeatedAnswer*) {
  using T = RepeatedAnswer;
  return std::tuple{Field{"times", &T::times}, Field{"verdict", &T::verdict},
                    Field{"device_count", &T::device_count}, Field{"lost_at", &T::lost_at}};
}
inline auto FieldsOf(const ReportedEvent*) {
  using T = ReportedEvent;
  return std::tuple{Field{"id", &T::id}, Field{"ms", &T::ms}, Field{"pid", &T::pid},
                    Field{"kind", &T::kind}, Field{"text", &T::text}};
}
inline auto FieldsOf(const ReportedLine*) {
  using T = ReportedLine;
  return std::tuple{Field{"level", &T::level}, Field{"stream", &T::stream}, Field{"text", &T::text},
                    Field{"event", &T::event}};
}
inline auto FieldsOf(const ReportedLife*) {
  using T = ReportedLife;
  return std::tuple{Field{"pid", &T::pid},         Field{"parent", &T::parent},
                    Field{"name", &T::name},       Field{"command", &T::command},
                    Field{"from_ms", &T::from_ms}, Field{"to_ms", &T::to_ms},
                    Field{"end", &T::end}};
}
inline auto FieldsOf(const ReportedDetail*) {
  using T = ReportedDetail;
  return std::tuple{
      Field{"answer", &T::answer},           Field{"chain", &T::chain},
      Field{"suggestions", &T::suggestions}, Field{"not_observable", &T::not_observable},
      Field{"processes", &T::processes},     Field{"events", &T::events},
      Field{"events_seen", &T::events_seen}, Field{"log", &T::log},
      Field{"environment", &T::environment}, Field{"tree", &T::tree},
      Field{"machine", &T::machine}};
}
inline auto FieldsOf(const ReportedRun*) {
  using T = ReportedRun;
  return std::tuple{Field{"id", &T::id},
                    Field{"scenario", &T::scenario},
                    Field{"file", &T::file},
                    Field{"claim", &T::claim},
                    Field{"scanner", &T::scanner},
                    Field{"scanner_version", &T::version},
                    Field{"run", &T::run},
                    Field{"axes", &T::axes},
                    Field{"isolation", &T::isolation},
                    Field{"verdict", &T::verdict},
                    Field{"because", &T::because},
                    Field{"unmet", &T::unmet},
                    Field{"devices", &T::devices},
                    Field{"device_count", &T::device_count},
                    Field{"outcome", &T::outcome},
                    Field{"processes", &T::processes},
                    Field{"log", &T::log},
                    Field{"funnel", &T::funnel},
                    Field{"lost_at", &T::lost_at},
                    Field{"assumed", &T::assumed},
                    Field{"silent_failure", &T::silent_failure},
                    Field{"silent_because", &T::silent_because},
                    Field{"duration_ms", &T::duration_ms},
                    Field{"answers", &T::answers},
                    Field{"unjudged", &T::unjudged, 3},
                    Field{"detail", &T::detail, kOptional}};
}
}  // namespace gpustage
