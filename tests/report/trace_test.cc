// What gpustage trace prints.
#include "harness/report/trace.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/report/reports.h"
#include "tests/support/golden.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Every run of EveryKind.
std::vector<KeptRun> Runs() {
  std::vector<KeptRun> runs;
  for (const CaseReport& report : EveryKind())
    for (const RunReport& run : report.runs) runs.push_back(Keep(report, run));
  return runs;
}
KeptRun Good() { return Runs()[0]; }
KeptRun Bad() { return Runs()[1]; }
TraceOptions Only(const std::string& kind) {
  TraceOptions options;
  options.kinds = {kind};
  return options;
}
size_t TimelineLength(const KeptRun& run, const TraceOptions& options) {
  return json::parse(TraceJson({run}, options))["runs"][0]["timeline"].size();
}

TEST(Trace, LooksAsApproved) {
  std::string text;
  for (const KeptRun& run : Runs()) text += TraceText(run, {}) + "\n";
  TraceOptions timeline;
  timeline.timeline = true;
  ExpectGolden("trace.txt", text + TraceText(Bad(), timeline));
}

TEST(Trace, IsAtMostAHundredColumnsWide) {
  TraceOptions timeline;
  timeline.timeline = true;
  for (const KeptRun& run : Runs()) {
    std::istringstream lines(TraceText(run, timeline));
    // A word that is longer has nowhere to be cut.
    for (std::string line; std::getline(lines, line);)
      EXPECT_TRUE(line.size() <= 100 ||
                  line.find(' ', line.find_first_not_of(' ')) == std::string::npos)
          << line;
  }
}

TEST(Trace, HasColourOnlyWhenItIsWanted) {
  TraceOptions coloured;
  coloured.colour = true;
  std::string text = TraceText(Bad(), coloured);
  EXPECT_THAT(text, HasSubstr("\x1b["));
  for (size_t at; (at = text.find('\x1b')) != std::string::npos;)
    text.erase(at, text.find('m', at) - at + 1);
  EXPECT_EQ(text, TraceText(Bad(), {}));
}

TEST(Trace, GivesTheAnswerFirst) {
  EXPECT_THAT(TraceText(Good(), {}), HasSubstr("\n1 device: NVIDIA H100 through "));
  EXPECT_THAT(TraceText(Bad(), {}), HasSubstr("\nNo device. libggml-cuda.so was lost at \"loaded\" "
                                              "in ggml_driver 2, because libcuda.so.1, needed by"));
  EXPECT_THAT(TraceText(Bad(), {}), HasSubstr("and no log\nline says so.\n"));
}

TEST(Trace, ShowsTheTimelineOnDemand) {
  EXPECT_THAT(TraceText(Bad(), {}), Not(HasSubstr("looked for libcuda.so.1")));
  EXPECT_THAT(TraceText(Bad(), Only("loader")), HasSubstr("looked for libcuda.so.1 as asked"));
}

TEST(Trace, FiltersByKind) {
  const auto kinds = [&](const std::string& kind) {
    std::set<std::string> found;
    const json whole = json::parse(TraceJson({Good()}, Only(kind)));
    for (const json& event : whole["runs"][0]["timeline"]) found.insert(event["kind"]);
    return found;
  };
  EXPECT_EQ(kinds("calls"), (std::set<std::string>{"call"}));
  EXPECT_EQ(kinds("log"), (std::set<std::string>{"log"}));
  EXPECT_EQ(kinds("processes"), (std::set<std::string>{"outcome", "process"}));
  EXPECT_EQ(kinds("loader"), (std::set<std::string>{"load", "search", "symbol", "unload"}));
}

TEST(Trace, FiltersByLibraryAndProcess) {
  TraceOptions options;
  options.library = "libcuda.so.1";
  EXPECT_EQ(TimelineLength(Bad(), options), 2u);
  options = {};
  options.process = "ggml_driver";
  EXPECT_EQ(TimelineLength(Bad(), options), 6u);
  options.process = "2";
  EXPECT_EQ(TimelineLength(Bad(), options), 6u);
  options.process = "serve";
  EXPECT_EQ(TimelineLength(Bad(), options), 0u);
}

TEST(Trace, SaysWhatCouldNotBeObserved) {
  EXPECT_THAT(TraceText(Good(), {}), HasSubstr("  not observable: nothing\n"));
  const std::string unseen = TraceText(Runs()[6], {});
  EXPECT_THAT(
      unseen,
      HasSubstr(
          "  not observable: what it searched, loaded and called: no dynamic program was seen"));
  EXPECT_THAT(unseen,
              HasSubstr("  silent: not known (what it loaded and called could not be observed"));
  // What was not seen is not said to be none.
  EXPECT_THAT(unseen, Not(HasSubstr("0 calls")));
  EXPECT_THAT(unseen, Not(HasSubstr("No device")));
}

TEST(Trace, SaysWhoseMissesAreNotSeen) {
  KeptRun run = Good();
  run.evidence.linkage.unseen_misses = {{2, "/usr/lib/librust.so"}, {2, ""}};
  TraceOptions wide;
  wide.width = 1000;
  EXPECT_THAT(TraceText(run, wide),
              HasSubstr("  not observable: which symbols the program asked for in vain: it calls "
                        "dlsym past its PLT (ggml_driver 2); "
                        "which symbols librust.so asked for in vain: it calls dlsym past its PLT "
                        "(ggml_driver 2)\n"));
}

TEST(Trace, SaysWhyNothingRan) {
  EXPECT_THAT(TraceText(Runs()[2], {}), HasSubstr("\nNothing ran: no ollama here\n"));
}

TEST(Trace, NamesTheNextCommand) {
  EXPECT_THAT(TraceText(Bad(), {}),
              HasSubstr("  next: gpustage trace first-steps/healthy@cuda=12,gpus=1 --process 2\n"));
  TraceOptions kept;
  kept.again = "gpustage trace DIR";
  EXPECT_THAT(TraceText(Bad(), kept), HasSubstr("  next: gpustage trace DIR --process 2\n"));
}

TEST(TraceJson, HasTheWholeOfIt) {
  const json whole = json::parse(TraceJson(Runs(), {}));
  EXPECT_EQ(whole["version"], 1);
  ASSERT_EQ(whole["runs"].size(), 8u);
  const json& bad = whole["runs"][1];
  EXPECT_EQ(bad["silent_failure"], true);
  EXPECT_EQ(bad["funnel"][0]["cause"], "missing-dependency");
  EXPECT_EQ(bad["funnel"][0]["needs"][0]["name"], "libcuda.so.1");
  EXPECT_EQ(bad["funnel"][0]["needs"][0]["found"], "");
  EXPECT_TRUE(whole["runs"][2]["silent_failure"].is_null());
}

TEST(Wrapped, BreaksAtSpacesOnly) {
  EXPECT_EQ(Wrapped("one two three", 2, 9), "one two\n  three");
  EXPECT_EQ(Wrapped("averylongword b", 2, 6), "averylongword\n  b");
  EXPECT_EQ(Wrapped("a  b", 0, 80), "a  b");
  EXPECT_EQ(Wrapped("", 0, 80), "");
}

}  // namespace
}  // namespace gpustage
