#include "harness/suite/find.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "harness/base/files.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/scenario_words.h"

namespace gpustage {
namespace {

// Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009): how soon a
// word said again counts no more, and how much a long text must say it more often.
constexpr double kSaturation = 1.2, kLength = 0.75;
// A word of the claim, and a scenario that somebody reported, are what people look for.
constexpr double kClaim = 3, kName = 2.5, kCause = 2, kTag = 2, kThread = 1.5, kHead = 2,
                 kLog = 1.5, kRest = 0.5, kReported = 2;

std::string_view WithoutAxes(std::string_view id) { return id.substr(0, id.find('@')); }

}  // namespace

FindQuestion QuestionOf(const ReportedRun& run) {
  FindQuestion question;
  question.without = run.scenario;
  for (const ReportedRow& row : run.funnel) {
    if (!row.lost_at) continue;
    question.texts.emplace_back(BaseNameOf(row.library), 1);
    question.texts.emplace_back(*row.lost_at + " " + row.cause.value_or(""), 2);
    question.texts.emplace_back(row.reason, 1);
  }
  for (const std::string& line : run.log)
    if (SpeaksOfFailure(line)) question.texts.emplace_back(line, 0.5);
  return question;
}

void Finder::Add(const std::string& text, double weight) {
  for (const auto& [word, times] : words_.Of(text)) {
    index_[word][scenarios_.size() - 1] += weight * times;
    lengths_.back() += weight * times;
  }
}

Result<Finder> Finder::Read(const Catalog& catalog, const std::string& words) {
  TRY(FindWords read, FindWords::Read(words));
  Finder finder(std::move(read));
  TRY(const std::vector<std::string> files, DiscoverScenarios({catalog.scenarios}));
  for (const std::string& file : files) {
    TRY(const Scenario scenario, ReadScenarioFile(file, catalog));
    TRY(const ScenarioWords said, WordsOf(scenario));
    finder.scenarios_.push_back(
        {scenario.id, scenario.file, scenario.claim, said.chain, said.fix, said.thread, said.tags});
    finder.lengths_.push_back(0);
    finder.Add(scenario.claim, kClaim);
    finder.Add(scenario.id, kName);
    finder.Add(said.head, kHead);
    for (const std::string& tag : said.tags) finder.Add(tag, kTag);
    for (const std::string& thread : said.thread) finder.Add(thread, kThread);
    for (const std::string& cause : said.causes) finder.Add(cause, kCause);
    for (const std::string& line : said.lines) finder.Add(line, kLog);
    finder.Add(said.rest, kRest);
  }
  return finder;
}

std::vector<FoundScenario> Finder::Find(const FindQuestion& question, size_t limit) const {
  std::map<std::string, double> asked;
  for (const auto& [text, weight] : question.texts)
    for (const auto& [word, times] : words_.Of(text)) asked[word] += weight * times;
  double mean = 0;
  for (const double length : lengths_) mean += length / static_cast<double>(lengths_.size());
  std::vector<double> scores(scenarios_.size());
  for (const auto& [word, weight] : asked) {
    const auto found = index_.find(word);
    if (found == index_.end()) continue;
    const double in = static_cast<double>(found->second.size());
    const double rare =
        std::log(1 + (static_cast<double>(scenarios_.size()) - in + 0.5) / (in + 0.5));
    // A word that a long log says a hundred times is not a hundred times as telling.
    const double wanted = weight * (kSaturation + 1) / (kSaturation + weight);
    for (const auto& [scenario, times] : found->second) {
      const double length = 1 - kLength + kLength * lengths_[scenario] / mean;
      scores[scenario] +=
          wanted * rare * times * (kSaturation + 1) / (times + kSaturation * length);
    }
  }
  std::vector<FoundScenario> best;
  for (size_t i = 0; i < scenarios_.size(); ++i) {
    if (scores[i] <= 0 || scenarios_[i].id == WithoutAxes(question.without)) continue;
    best.push_back(scenarios_[i]);
    best.back().score = scores[i] * (scenarios_[i].thread.empty() ? 1 : kReported);
  }
  std::stable_sort(best.begin(), best.end(), [](const FoundScenario& a, const FoundScenario& b) {
    return a.score > b.score;
  });
  if (best.size() > limit) best.resize(limit);
  return best;
}

}  // namespace gpustage
