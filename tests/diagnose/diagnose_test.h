// A scenario as text, flattened in the workspace of this process.
#pragma once

#include <memory>
#include <string>

#include "harness/diagnose/announced.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"
#include "tests/support/workspace.h"

namespace gpustage {

class DiagnoseTest : public WorkspaceTest {
 protected:
  static CaseRunner& TheRunner() {
    static const auto runner =
        std::make_unique<CaseRunner>(*TheWorkspace(), FindRecorders(), false);
    return *runner;
  }
  static const ProposalContext& TheKnowledge() {
    static const ProposalContext knowledge = *ProposalContext::Read(FindCatalog({}));
    return knowledge;
  }

  // The machine of one H100 and Ollama that a scenario with these lines has.
  Case CaseOf(const std::string& lines) const {
    return WholeCaseOf(
        "machine: {devices: [h100-80gb]}\nlayout: [nvidia-driver-debian, ollama-cuda-12]\n"
        "user: ollama\n" +
        lines + "runs: [{name: a-name, scanner: ollama-model}]\n");
  }
  Case WholeCaseOf(const std::string& lines) const {
    return CaseWith(lines + "expect: [{devices: 0}]\n");
  }
  // A program that counts a GPU where the test of a shell holds.
  Case ScriptCaseOf(const std::string& lines, const std::string& test) const {
    return WholeCaseOf("machine: {devices: [h100-80gb]}\nlayout: []\nuser: ollama\n" + lines +
                       "runs:\n  - scanner: script\n    args: ['" + test +
                       " && echo \"GPU 0: all\"; exit 0']\n");
  }
  // With what it expects.
  Case CaseWith(const std::string& lines) const {
    const std::string file = scratch_.path() + "/s.yaml";
    EXPECT_THAT(WriteFile(file, "claim: a claim of its author\n" + lines), IsOk());
    const Result<std::vector<Case>> cases = LoadCases(file, FindCatalog({}));
    EXPECT_THAT(cases, IsOk());
    return cases ? cases->front() : Case{};
  }
  static FlatCase FlatOf(const Case& c, size_t run = 0) {
    Result<FlatCase> flat = Flatten(c, run, TheKnowledge().packages.images(), TheRunner());
    EXPECT_THAT(flat, IsOk());
    return flat ? *std::move(flat) : FlatCase{};
  }
  static WhyReport WhyOf(const FlatCase& flat, WhyOptions options = {}) {
    const Result<WhyReport> report = Why(flat, TheKnowledge(), TheRunner(), options);
    EXPECT_THAT(report, IsOk());
    return report ? *report : WhyReport{};
  }
  static WhyOptions WithoutWeighing() {
    WhyOptions options;
    options.weigh = false;
    return options;
  }
  static std::string FirstOf(const WhyReport& report) {
    std::string words;
    if (!report.answers.empty())
      for (const Intervention& change : report.answers.front().changes)
        words += (words.empty() ? "" : ", ") + ToString(change);
    return words;
  }

 private:
  ScratchDirectory scratch_ = *ScratchDirectory::Make();
};

}  // namespace gpustage
