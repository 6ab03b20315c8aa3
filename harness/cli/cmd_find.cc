#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/log_question.h"
#include "harness/cli/one_run.h"
#include "harness/cli/verbs.h"
#include "harness/logs/read_log.h"
#include "harness/pipeline.h"
#include "harness/report/for_terminal.h"
#include "harness/report/trace.h"
#include "harness/suite/case_names.h"
#include "harness/suite/collection_page.h"
#include "harness/suite/find.h"
#include "harness/suite/installation.h"
#include "harness/suite/scenario_words.h"

namespace gpustage {
namespace {

struct FindOptions {
  std::vector<std::string> words;
  int limit = 5;
  bool json = false;
  bool page = false;  // the page of all that people reported instead
};

constexpr size_t kMostOfLog = 4 << 20;

Result<FindQuestion> OfLog(const std::string& file) {
  TRY(const std::string text, ReadFileStart(file == "-" ? "/dev/stdin" : file, kMostOfLog));
  TRY(const Knowledge knowledge, ReadKnowledge(LogsFolder()));
  const LogReading log = ReadLog(knowledge, text);
  FindQuestion question = QuestionOfLog(knowledge, log);
  for (const auto& [name, value] : log.settings)
    if (!value.empty()) question.texts.emplace_back(name, 0.3);
  if (question.texts.empty()) question.texts.emplace_back(text, 1);
  return question;
}

// What is lost when the case runs.
Result<FindQuestion> OfCase(const std::string& name) {
  TRY(OneRun one, FindOneRun(name, ""));
  const RunSpec wanted = one.c.runs[one.run];
  DropRuns(one.c.runs, [&](const RunSpec& run) { return run != wanted; });
  const Isolation isolation = ProbeIsolation();
  TRY(const Workspace workspace, Workspace::Enter(isolation, false));
  CaseRunner runner(workspace, FindRecorders(), false);
  const CaseReport report = RunCase(one.c, runner);
  FindQuestion question = QuestionOf(ReportedRunOf(report, report.runs.front(), ""));
  question.texts.emplace_back(one.c.claim, 0.3);
  return question;
}

bool IsCase(const Catalog& catalog, const std::string& word) {
  if (FileExists(word)) return word.ends_with(".yaml");
  if (word.find('/') == std::string::npos) return false;
  const Result<NamedFiles> named = FilesNamed(catalog, word);
  return named && named->files.size() == 1;
}

Result<FindQuestion> QuestionOf(const std::vector<std::string>& words, const Catalog& catalog) {
  const std::string& first = words.front();
  if (words.size() == 1 && IsCase(catalog, first)) return OfCase(first);
  if (words.size() == 1 && (first == "-" || FileExists(first))) return OfLog(first);
  FindQuestion question;
  question.texts.emplace_back(fmt::format("{}", fmt::join(words, " ")), 1);
  return question;
}

void PrintText(const std::vector<FoundScenario>& found, size_t width) {
  constexpr size_t kLabel = 10;
  const auto line = [&](const char* label, const std::string& text) {
    fmt::print("  {:<7} {}\n", label, Wrapped(OneLine(text), kLabel, width));
  };
  for (const FoundScenario& scenario : found) {
    fmt::print("{}{}\n", &scenario == &found.front() ? "" : "\n", scenario.id);
    line("claim", scenario.claim);
    for (const std::string& cause : scenario.cause) line("cause", cause);
    for (const std::string& fix : scenario.fix) line("fix", fix);
    for (const std::string& thread : scenario.thread) line("thread", ThreadAddress(thread));
    fmt::print("  {:<7} {} trace {}\n", "look", CalledAs(), ShellWord(scenario.id));
  }
}

void PrintJson(const std::vector<FoundScenario>& found) {
  nlohmann::json list = nlohmann::json::array();
  for (const FoundScenario& scenario : found) {
    std::vector<std::string> threads;
    for (const std::string& thread : scenario.thread) threads.push_back(ThreadAddress(thread));
    list.push_back({{"id", scenario.id},
                    {"file", scenario.file},
                    {"claim", scenario.claim},
                    {"cause", scenario.cause},
                    {"fix", scenario.fix},
                    {"thread", threads},
                    {"tags", scenario.tags},
                    {"score", scenario.score},
                    {"look", fmt::format("{} trace {}", CalledAs(), ShellWord(scenario.id))}});
  }
  fmt::print("{}\n", nlohmann::json({{"version", 1}, {"found", list}})
                         .dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
}

int PrintPage(const Catalog& catalog) {
  const Result<std::string> page = CollectionPage(catalog);
  if (!page) return PrintError(page.error(), kBadInput);
  fmt::print("{}", *page);
  return kAsExpected;
}

int Find(const FindOptions& options) {
  const Catalog catalog = FindCatalog({});
  if (options.page) return PrintPage(catalog);
  if (options.words.empty()) return PrintError({"find needs words, a log or a case"}, kBadInput);
  const Result<FindQuestion> question = QuestionOf(options.words, catalog);
  if (!question) return PrintError(question.error(), kBadInput);
  const Result<Finder> finder = Finder::Read(catalog, WordsFile());
  if (!finder) return PrintError(finder.error(), kBadInput);
  const std::vector<FoundScenario> found =
      finder->Find(*question, static_cast<size_t>(options.limit));
  if (found.empty())
    return PrintError({fmt::format("none of {} scenarios speaks of it", finder->size())},
                      kBadInput);
  options.json ? PrintJson(found) : PrintText(found, WidthOfOutput());
  return kAsExpected;
}

}  // namespace

Action DeclareFind(CLI::App& app) {
  const auto options = std::make_shared<FindOptions>();
  AddFooter(
      app,
      "Words as you would search for them: find \"libcuda.so.1: cannot open shared object file\". "
      "One word that is a file is a log (- is standard input), one that names a case is run, and "
      "what it loses is looked for.");
  AddOption(app, "what", options->words, "words, a log, or a case").Kind("WORDS|FILE|SCENARIO");
  AddOption(app, "--limit", options->limit, "most scenarios that are shown")
      .Kind("N")
      .Between(1, 1000);
  AddFlag(app, "--json", options->json,
          "for programs: {version, found: [{id, claim, cause, fix, thread, look, …}]}");
  AddFlag(app, "--page", options->page, "the page scenarios/README.md, as Markdown");
  return [options](const Program&) { return Find(*options); };
}

}  // namespace gpustage
