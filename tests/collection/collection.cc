#include "tests/collection/collection.h"

#include <re2/re2.h>

#include <algorithm>

#include "harness/scenario/read/scenario.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/scenario_words.h"

namespace gpustage {
namespace {

YamlNode ReadFixture(const std::string& name) {
  const Result<YamlNode> root = ReadYamlFile(InSources("/tests/collection/") + name);
  EXPECT_THAT(root, IsOk());
  return root ? *root : YamlNode{};
}

std::string TextOf(const YamlNode& node, std::string_view key) {
  const YamlNode* value = node.Find(key);
  return value == nullptr ? "" : value->text;
}

std::vector<Thread> ReadThreads(const std::string& fixture) {
  std::vector<Thread> threads;
  for (const YamlNode& node : ReadFixture(fixture).items)
    threads.push_back({TextOf(node, "id"), TextOf(node, "source"), TextOf(node, "title")});
  return threads;
}

bool IsOfUser(const Claim& claim) {
  return std::holds_alternative<DevicesClaim>(claim.what) ||
         std::holds_alternative<OutcomeClaim>(claim.what) ||
         std::holds_alternative<LogClaim>(claim.what);
}

}  // namespace

std::vector<Thread> Threads() { return ReadThreads("titles.yaml"); }

std::vector<Thread> NewerThreads() { return ReadThreads("newer_titles.yaml"); }

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds;
  for (const YamlNode& node : ReadFixture("kinds.yaml").items) {
    Kind kind{TextOf(node, "kind"), TextOf(node, "whose"), TextOf(node, "is"), {}};
    for (const YamlNode& thread : node.Find("threads")->items) kind.threads.insert(thread.text);
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

std::set<std::string> ThreadsIn(const std::vector<std::string>& source) {
  static const re2::RE2 kThread(
      R"(([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)(?:#|/(?:issues|pull|discussions)/)(\d+))");
  std::set<std::string> threads;
  for (const std::string& text : source) {
    re2::StringPiece rest(text);
    for (std::string name, number; re2::RE2::FindAndConsume(&rest, kThread, &name, &number);)
      threads.insert(name + "#" + number);
  }
  return threads;
}

std::vector<FoundScenario> AllScenarioFiles() {
  const Catalog catalog = FindCatalog({});
  const Result<std::vector<std::string>> files = DiscoverScenarios({catalog.scenarios});
  EXPECT_THAT(files, IsOk());
  std::vector<FoundScenario> all;
  if (!files) return all;
  for (const std::string& file : *files) {
    const Result<Scenario> scenario = ReadScenarioFile(file, catalog);
    EXPECT_THAT(scenario, IsOk());
    if (!scenario) continue;
    const Result<ScenarioWords> words = WordsOf(*scenario);
    EXPECT_THAT(words, IsOk());
    all.push_back({scenario->id, file, scenario->claim, words->chain, words->fix, words->thread,
                   words->tags});
  }
  return all;
}

std::vector<ClaimedChain> ChainsOf(const std::vector<FoundScenario>& scenarios) {
  std::vector<ClaimedChain> chains;
  for (const FoundScenario& scenario : scenarios) {
    const Result<std::vector<Case>> cases = SelectCases({{scenario.file}, {}, ""});
    EXPECT_THAT(cases, IsOk()) << scenario.file;
    for (const Case& c : cases ? *cases : std::vector<Case>()) {
      for (const RunSpec& run : c.runs) {
        ClaimedChain cell{c.id, run.name, ""};
        for (const Expectation& expectation : c.expect) {
          if (expectation.of_fix || expectation.run.value_or(run.name) != run.name) continue;
          for (const Claim& claim : expectation.claims)
            if (!IsOfUser(claim)) cell.chain += ToString(claim) + "\n";
        }
        // As one reads it.
        re2::RE2::GlobalReplace(&cell.chain, "\"|, count: at least 1", "");
        chains.push_back(std::move(cell));
      }
    }
  }
  return chains;
}

std::vector<RootCause> RootCauses() {
  std::vector<RootCause> causes;
  for (const YamlNode& node : ReadFixture("root_causes.yaml").items) {
    RootCause cause{TextOf(node, "id"), {}, TextOf(node, "near")};
    if (const YamlNode* shown = node.Find("shown_by"))
      for (const YamlNode& words : shown->items) cause.shown_by.push_back(words.text);
    causes.push_back(std::move(cause));
  }
  return causes;
}

std::vector<ClaimedChain> RunsThatShow(const RootCause& cause,
                                       const std::vector<FoundScenario>& own) {
  std::vector<ClaimedChain> best;
  ptrdiff_t most = 0;
  for (ClaimedChain& one : ChainsOf(own)) {
    const ptrdiff_t shown = std::count_if(
        cause.shown_by.begin(), cause.shown_by.end(),
        [&](const std::string& words) { return one.chain.find(words) != std::string::npos; });
    if (shown > most) best.clear();
    most = std::max(most, shown);
    if (shown > 0 && shown == most) best.push_back(std::move(one));
  }
  return best;
}

ByThread ScenariosByThread(const std::vector<FoundScenario>& scenarios) {
  ByThread by_thread;
  for (const FoundScenario& scenario : scenarios)
    for (const std::string& thread : ThreadsIn(scenario.thread))
      by_thread[thread].push_back(scenario);
  return by_thread;
}

}  // namespace gpustage
