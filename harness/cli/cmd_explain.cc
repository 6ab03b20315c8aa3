#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/issue_answer.h"
#include "harness/cli/verbs.h"
#include "harness/logs/answer.h"
#include "harness/report/suspects.h"
#include "harness/suite/case_selection.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct ExplainOptions {
  std::vector<std::string> files;  // logs; "-" is standard input
  std::string issue;               // an issue instead: Markdown, or the event's JSON
  bool page = false;               // the page of all causes instead
};

int PrintPage() {
  CaseFilter selection;
  selection.paths = {"scanner-not-loading/the-report"};
  const Result<std::vector<Case>> cases = SelectCases(selection);
  if (!cases) return PrintError(cases.error(), kBadInput);
  fmt::print("{}", SuspectsPage(*cases));
  return kAsExpected;
}

Result<std::string> ReadPasted(const std::string& file) {
  return ReadFile(file == "-" ? "/dev/stdin" : file);
}

int PrintComment(const Knowledge& knowledge, const std::string& issue) {
  const Result<std::string> text = ReadPasted(issue);
  if (!text) return PrintError(text.error(), kBadInput);
  const Result<std::string> comment = AnswerToIssue(knowledge, *text);
  if (!comment) return PrintError(comment.error(), kBadInput);
  if (comment->empty())
    return PrintError({"this issue speaks of no GPU; it is Markdown, or the JSON of an event"},
                      kBadInput);
  fmt::print("{}", *comment);
  return kAsExpected;
}

int Explain(const ExplainOptions& options) {
  if (options.page) return PrintPage();
  if (options.files.empty() && options.issue.empty())
    return PrintError({"explain needs a file, or - for standard input"}, kBadInput);
  const Result<Knowledge> knowledge = ReadKnowledge(LogsFolder());
  if (!knowledge) return PrintError(knowledge.error(), kBadInput);
  if (!options.issue.empty()) return PrintComment(*knowledge, options.issue);
  bool known = false;
  for (const std::string& file : options.files) {
    const Result<std::string> text = ReadPasted(file);
    if (!text) return PrintError(text.error(), kBadInput);
    const LogReading log = ReadLog(*knowledge, *text);
    known |= !log.facts.empty() || !log.unknown.empty();
    if (options.files.size() > 1)
      fmt::print("{}== {}\n", file == options.files.front() ? "" : "\n", file);
    fmt::print("{}", ExplanationText(*knowledge, log, Weigh(*knowledge, log), WidthOfOutput()));
  }
  if (known) return kAsExpected;
  return PrintError(
      {"no line of a program that is known here: expected lines such as level=INFO msg=… of "
       "Ollama, or what llama.cpp, PyTorch, TensorFlow, vLLM or nvidia-smi print; what tools list "
       "(ls, env, nvidia-smi -L, collect_env, …) is for gpustage import"},
      kBadInput);
}

}  // namespace

Action DeclareExplain(CLI::App& app) {
  const auto options = std::make_shared<ExplainOptions>();
  AddFooter(
      app,
      "Logs of Ollama, llama.cpp, PyTorch, TensorFlow, nvidia-smi and containers, as people paste "
      "them.");
  AddOption(app, "log", options->files, "files, or - for standard input").Kind("FILE");
  AddOption(app, "--issue", options->issue,
            "an issue as GitHub gives it, Markdown or the JSON of an event: writes a comment in "
            "Markdown, and posts nothing")
      .Kind("FILE");
  AddFlag(app, "--page", options->page, "the page of scenarios/scanner-not-loading, as Markdown");
  return [options](const Program&) { return Explain(*options); };
}

}  // namespace gpustage
