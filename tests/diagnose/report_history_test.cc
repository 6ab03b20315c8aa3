// The states that the report of scanner-not-loading went through: why names their cause first, and
// refutes what was announced then.
#include <fstream>
#include <sstream>

#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

struct State {
  std::string id, about, announced, verdict;
};

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

std::vector<State> AllStates() {
  std::vector<State> states;
  std::ifstream file(GPUSTAGE_REPORT_HISTORY);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    State state;
    for (std::string* field : {&state.id, &state.about, &state.announced, &state.verdict}) {
      std::getline(fields, *field, '|');
      *field = Trimmed(*field);
    }
    states.push_back(state);
  }
  return states;
}

class ReportHistoryTest : public DiagnoseTest, public testing::WithParamInterface<State> {
 protected:
  static FlatCase FlatOfState(const std::string& id) {
    const Result<std::vector<Case>> cases = LoadCases(
        FindCatalog({}).scenarios + "/" + id.substr(0, id.find('@')) + ".yaml", FindCatalog({}));
    EXPECT_THAT(cases, IsOk());
    if (cases)
      for (const Case& c : *cases)
        for (size_t i = 0; c.id == id && i < c.runs.size(); ++i)
          if (c.runs[i].scanner.missing.empty()) return FlatOf(c, i);
    ADD_FAILURE() << "no case " << id;
    return {};
  }
};

TEST_P(ReportHistoryTest, NamesTheCauseAndHoldsWhatWasAnnounced) {
  const State& state = GetParam();
  const FlatCase flat = FlatOfState(state.id);
  WhyOptions options;
  options.weigh = false;
  options.most_answers = 1;
  const WhyReport report = WhyOf(flat, options);
  if (state.about == "healthy") {
    EXPECT_TRUE(report.healthy) << FirstOf(report);
    EXPECT_TRUE(report.answers.empty());
  } else {
    EXPECT_THAT(FirstOf(report), HasSubstr(state.about));
  }
  if (state.verdict == "-") return;
  const Result<Announcement> announced = ReadAnnouncement(state.announced);
  ASSERT_THAT(announced, IsOk());
  const Held held = Hold(*announced, flat, report, TheRunner(), options);
  EXPECT_EQ(held.brings_back, state.verdict == "confirmed") << HeldText(held);
}

std::string NameOf(const testing::TestParamInfo<State>& info) {
  std::string name = std::to_string(info.index) + "_";
  for (const char c : info.param.id.substr(info.param.id.find("state-")))
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(States, ReportHistoryTest, testing::ValuesIn(AllStates()), NameOf);

using TheReportTest = DiagnoseTest;

// What it was told to set, and the link that it was told to make.
TEST_F(TheReportTest, WhatItSetAndLinkedIsWithoutInfluence) {
  const Result<std::vector<Case>> cases = LoadCases(
      FindCatalog({}).scenarios + "/scanner-not-loading/the-report.yaml", FindCatalog({}));
  ASSERT_THAT(cases, IsOk());
  const auto c = std::find_if(cases->begin(), cases->end(), [](const Case& one) {
    return one.id == "scanner-not-loading/the-report@cause=B1-no-libcublas";
  });
  ASSERT_NE(c, cases->end());
  WhyOptions options;
  options.most_answers = 1;
  const WhyReport report = WhyOf(FlatOf(*c), options);
  for (const char* name :
       {"OLLAMA_NUM_GPU", "OLLAMA_LIBRARY_PATH", "/usr/local/lib/ollama/libggml-cuda.so"}) {
    const auto about =
        std::find_if(report.influence.begin(), report.influence.end(),
                     [&](const Influence& one) { return one.without.subject == name; });
    ASSERT_NE(about, report.influence.end()) << name;
    EXPECT_FALSE(about->matters) << name;
  }
}

}  // namespace
}  // namespace gpustage
