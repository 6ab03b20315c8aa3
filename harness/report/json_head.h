// The keys of the JSON report but for those of its cases.
#pragma once

#include "harness/report/json_fields.h"

namespace gpustage {

inline auto FieldsOf(const MovedDevice*) {
  using T = MovedDevice;
  return std::tuple{Field{"run", &T::run}, Field{"device", &T::device}, Field{"from", &T::from},
                    Field{"to", &T::to}};
}
inline auto FieldsOf(const BaselineChanges*) {
  using T = BaselineChanges;
  return std::tuple{Field{"file", &T::file},
                    Field{"newly_failing", &T::newly_failing},
                    Field{"newly_passing", &T::newly_passing},
                    Field{"moved", &T::moved},
                    Field{"newly_silent", &T::newly_silent},
                    Field{"still_failing", &T::still_failing},
                    Field{"not_run", &T::not_run}};
}
inline auto FieldsOf(const Problem*) {
  using T = Problem;
  return std::tuple{Field{"kind", &T::kind}, Field{"text", &T::text}};
}
inline auto FieldsOf(const ReportedShard*) {
  using T = ReportedShard;
  return std::tuple{Field{"index", &T::index}, Field{"total", &T::total}};
}
inline auto FieldsOf(const ReportedSelection*) {
  using T = ReportedSelection;
  return std::tuple{Field{"cases", &T::cases}, Field{"digest", &T::digest}};
}
inline auto FieldsOf(const Totals*) {
  using T = Totals;
  return std::tuple{Field{"pass", &T::pass},   Field{"fail", &T::fail},   Field{"skip", &T::skip},
                    Field{"xfail", &T::xfail}, Field{"xpass", &T::xpass}, Field{"error", &T::error},
                    Field{"flaky", &T::flaky}};
}

// The document but for its cases, which stand behind all that is known of them.
struct Head {
  int version = kReportVersion;
  int exit_status = 0;
  std::optional<std::string> interrupted;
  Totals totals;
  double seconds = 0;
  int reports = 1;
  std::vector<ReportedShard> shards;
  std::optional<ReportedSelection> selection;
  std::vector<Problem> problems;
  std::optional<BaselineChanges> baseline;
};
inline auto FieldsOf(const Head*) {
  using T = Head;
  return std::tuple{Field{"version", &T::version},
                    Field{"exit_status", &T::exit_status},
                    Field{"interrupted", &T::interrupted, 3},
                    Field{"totals", &T::totals},
                    Field{"seconds", &T::seconds},
                    Field{"reports", &T::reports},
                    Field{"shards", &T::shards},
                    Field{"selection", &T::selection, 3},
                    Field{"problems", &T::problems},
                    Field{"baseline", &T::baseline}};
}

}  // namespace gpustage
