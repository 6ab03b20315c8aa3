#include "tests/diagnose/kept_scores.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/files.h"

namespace gpustage {
namespace {

using nlohmann::json;

uint64_t HashOf(const std::string& text) {  // FNV-1a
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

std::string KeyOf(const Task& task) {
  const Result<std::string> text = ReadFile(task.c.file);
  return fmt::format("{} {:x}", task.Name(), HashOf(text ? *text : ""));
}

json ToJson(const Score& score) {
  return {{"name", score.name},           {"before", score.before.value_or(-1)},
          {"answers", score.answers},     {"all_starts", score.all_starts},
          {"seconds", score.seconds},     {"found", score.found},
          {"first", score.first},         {"named", score.named},
          {"by_claims", score.by_claims}, {"by_text", score.by_text},
          {"mended", score.mended},       {"again", score.again},
          {"starts", score.starts}};
}

Score FromJson(const json& j) {
  Score score;
  score.name = j.at("name");
  if (const int64_t before = j.at("before"); before >= 0) score.before = before;
  score.answers = j.at("answers").get<std::vector<std::string>>();
  score.all_starts = j.at("all_starts");
  score.seconds = j.at("seconds");
  score.found = j.at("found");
  score.first = j.at("first");
  score.named = j.at("named");
  score.by_claims = j.at("by_claims");
  score.mended = j.at("mended");
  score.by_text = j.at("by_text");
  score.again = j.at("again");
  score.starts = j.at("starts");
  return score;
}

}  // namespace

KeptScores::KeptScores(std::string file, const std::string& stamp) : file_(std::move(file)) {
  if (file_.empty()) return;
  std::string line;
  std::ifstream kept(file_);
  if (std::getline(kept, line) && line == "stamp " + stamp) {
    while (std::getline(kept, line)) {
      const json j = json::parse(line, nullptr, false);
      // The last line of one that was killed.
      if (j.is_discarded()) continue;
      scores_[j.at("key")] = {j.at("proofs"), FromJson(j.at("score"))};
    }
    return;
  }
  std::ofstream(file_) << "stamp " << stamp << '\n';
}

const Score* KeptScores::Find(const Task& task, size_t again) const {
  const auto kept = scores_.find(KeyOf(task));
  return kept == scores_.end() || kept->second.first < again ? nullptr : &kept->second.second;
}

void KeptScores::Add(const Task& task, size_t again, const Score& score) {
  if (file_.empty()) return;
  const json line = {{"key", KeyOf(task)}, {"proofs", again}, {"score", ToJson(score)}};
  std::ofstream(file_, std::ios::app)
      << line.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace gpustage
