#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/text.h"
#include "harness/diagnose/announced.h"

namespace gpustage {
namespace {

using nlohmann::json;

// "1 device, 3 of 3" or "0, 1 and 1 devices".
std::string Counts(const std::vector<std::optional<int64_t>>& counts, const Goal& goal) {
  if (!goal.empty()) {
    const auto met = std::count(counts.begin(), counts.end(), std::optional<int64_t>(1));
    return fmt::format("{} in {} of {} starts", ToString(goal), met, counts.size());
  }
  const auto text = [](const std::optional<int64_t>& count) {
    return count ? std::to_string(*count) : std::string("no count");
  };
  const bool same = std::all_of(counts.begin(), counts.end(),
                                [&](const auto& count) { return count == counts.front(); });
  if (same)
    return fmt::format("{} device{}, {} of {} starts", text(counts.front()),
                       counts.front() == 1 ? "" : "s", counts.size(), counts.size());
  std::string all;
  for (const auto& count : counts) all += (all.empty() ? "" : ", ") + text(count);
  return all + " devices";
}

std::string ChangesOf(const Mending& mending) {
  std::string words;
  for (const Intervention& change : mending.changes)
    words += (words.empty() ? "" : ", and ") + ToString(change);
  return words;
}

json ToJson(const std::vector<std::optional<int64_t>>& counts) {
  json all = json::array();
  for (const auto& count : counts) all.push_back(count ? json(*count) : json(nullptr));
  return all;
}

}  // namespace

std::string HeldText(const Held& held) {
  std::string text = fmt::format("announced  {}\n", held.announced.words);
  if (held.brings_back)
    return text + fmt::format("confirmed  with it {}\n", Counts(held.with_it, held.goal));
  text += fmt::format("refuted    {}{}\n",
                      !held.is_so_already ? "with it "
                      : held.goal.empty() ? "it is so already, and there are "
                                          : "it is so already: ",
                      Counts(held.with_it, held.goal));
  if (!held.mending) return text;
  text += fmt::format("mends it   {}\n", ChangesOf(*held.mending));
  text += fmt::format("           then, without what was announced: {}{}\n",
                      Counts(held.without_it, held.goal),
                      held.is_needed ? "; so it is needed, and not enough" : "");
  return text;
}

std::string HeldJson(const Held& held) {
  json j = {{"version", 1},
            {"announced", held.announced.words},
            {"confirmed", held.brings_back},
            {"is_so_already", held.is_so_already},
            {"with_it", ToJson(held.with_it)},
            {"without_it", ToJson(held.without_it)},
            {"is_needed", held.mending ? json(held.is_needed) : json(nullptr)},
            {"mended_by", held.mending ? json(ChangesOf(*held.mending)) : json(nullptr)},
            {"starts", held.starts}};
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace gpustage
