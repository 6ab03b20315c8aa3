#include <nlohmann/json.hpp>

#include "harness/diagnose/minimize.h"
#include "harness/diagnose/why.h"

namespace gpustage {
namespace {

using nlohmann::json;

json Count(const std::optional<int64_t>& count) { return count ? json(*count) : json(nullptr); }

json ToJson(const Intervention& change) {
  json j = {{"kind", ToString(change.kind)},
            {"subject", change.subject},
            {"words", ToString(change)},
            {"can_be_done", CanBeDone(change)}};
  if (!change.value.empty()) j["value"] = change.value;
  return j;
}

json ToJson(const Mending& answer) {
  json changes = json::array(), commands = json::array();
  for (const Intervention& change : answer.changes) changes.push_back(ToJson(change));
  json without = json::array();
  for (const auto& count : answer.without) without.push_back(Count(count));
  for (const Commands& one : answer.commands)
    commands.push_back({{"do", one.apply}, {"undo", one.undo}});
  return {{"changes", changes},
          {"size", answer.size},
          {"devices", Count(answer.after)},
          {"proven", answer.IsProven()},
          {"came_back", answer.came_back},
          {"lost_again", answer.lost_again},
          {"rounds", answer.rounds},
          {"found_at_start", answer.found_at},
          {"devices_without", without},
          {"commands", commands}};
}

}  // namespace

std::string WhyJson(const WhyReport& report) {
  json answers = json::array(), consistent = json::array();
  for (const Mending& answer : report.answers) answers.push_back(ToJson(answer));
  for (const Mending& answer : report.consistent) consistent.push_back(ToJson(answer));
  json influence = json::array();
  for (const Influence& one : report.influence)
    influence.push_back({{"without", ToJson(one.without)},
                         {"devices", Count(one.count)},
                         {"matters", one.matters}});
  const json whole = {
      {"version", 1},
      {"case", report.id},
      {"run", report.run},
      {"there", report.there},
      {"wanted", report.goal.empty() ? ToString(report.wanted) : ToString(report.goal)},
      {"devices", report.goal.empty() ? Count(report.before) : json(nullptr)},
      {"seen", report.unmet},
      {"healthy", report.healthy},
      {"reason", report.looked.loss.reason},
      {"cause", ToString(report.looked.loss.cause)},
      {"event", report.event},
      {"answers", answers},
      {"consistent", consistent},
      {"influence", influence},
      {"tried", report.tried},
      {"unseen", report.unseen},
      {"starts", report.starts},
      {"proof_starts", report.proof_starts},
      {"first_answer_at", report.first_answer_at},
      {"whole", report.whole},
      {"interrupted", report.interrupted}};
  return whole.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string MinimizedJson(const Minimized& small, const std::string& text) {
  const json whole = {{"version", 1},
                      {"parts", small.parts},
                      {"parts_before", small.parts_before},
                      {"floor", small.floor},
                      {"starts", small.starts},
                      {"whole", !small.interrupted},
                      {"devices", Count(small.count)},
                      {"library", small.loss.library},
                      {"cause", ToString(small.cause)},
                      {"named", small.loss.named},
                      {"mending", small.mending ? ToJson(*small.mending) : json(nullptr)},
                      {"scenario", text}};
  return whole.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace gpustage
