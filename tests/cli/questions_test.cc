// Questions that the author of the report had, or should have had, in the states of
// scenarios/report-history. What is right was found by reading Ollama's source and by small
// experiments, before gpustage was; the logs are those of Ollama 0.17.4 itself.
#include <nlohmann/json.hpp>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/store/recording.h"
#include "tests/cli/cli_test.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The report, as journalctl shows it. The lines are those that its author quotes, in Ollama's order
// and form.
constexpr char kTheReport[] =
    "Feb 26 09:23:07 host ollama[123]: time=2026-02-26T09:23:07.187Z level=INFO "
    "source=runner.go:67 msg=\"discovering available GPUs...\"\n"
    "Feb 26 09:23:07 host ollama[123]: time=2026-02-26T09:23:07.188Z level=DEBUG "
    "source=runner.go:98 "
    "msg=\"skipping available library at user's request\" requested=cuda_v12 "
    "libDir=/usr/local/lib/ollama/cuda_v13\n"
    "Feb 26 09:23:07 host ollama[123]: time=2026-02-26T09:23:07.188Z level=DEBUG "
    "source=runner.go:98 "
    "msg=\"skipping available library at user's request\" requested=cuda_v12 "
    "libDir=/usr/local/lib/ollama/vulkan\n"
    "Feb 26 09:23:07 host ollama[123]: time=2026-02-26T09:23:07.417Z level=DEBUG "
    "source=runner.go:437 msg=\"bootstrap discovery took\" "
    "duration=228ms OLLAMA_LIBRARY_PATH=\"[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]\" "
    "extra_envs=map[]\n"
    "Feb 26 09:23:07 host ollama[123]: time=2026-02-26T09:23:07.417Z level=DEBUG "
    "source=runner.go:124 "
    "msg=\"evaluating which, if any, devices to filter out\" initial_count=0\n"
    "Feb 26 09:23:07 host ollama[123]: time=2026-02-26T09:23:07.417Z level=INFO source=types.go:60 "
    "msg=\"inference compute\" id=cpu library=cpu "
    "compute=\"\" name=cpu description=cpu libdirs=ollama driver=\"\" pci_id=\"\" type=\"\" "
    "total=\"3.8 GiB\" available=\"3.2 GiB\"\n";

// In one line, because reports are broken at 100 columns.
std::string Unwrapped(const std::string& text) {
  std::string flat;
  for (const char c : text)
    if (c != '\n' && c != ' ')
      flat += c;
    else if (!flat.empty() && flat.back() != ' ')
      flat += ' ';
  return flat;
}

class Question : public CliTest {
 protected:
  std::string Explain(const std::string& log) const {
    Write("ollama.log", log);
    const Ran ran = Run({"explain", Path("ollama.log")});
    EXPECT_EQ(ran.status, 0) << ran.err;
    return Unwrapped(ran.out);
  }
  // Of a case that Ollama was recorded in, "FOLDER/SCENARIO@… debug=1".
  std::string ExplainRecorded(const std::string& key) const { return Explain(RecordedLog(key)); }
  static std::string RecordedLog(const std::string& key) {
    const std::string scenario = key.substr(0, key.find_first_of("@ "));
    const auto json =
        ReadFile(InSources("/fixtures/recordings/ollama-0.17.4/") + scenario + ".json");
    EXPECT_THAT(json, IsOk());
    const auto recordings = ParseRecordings(*json);
    EXPECT_THAT(recordings, IsOk());
    std::string log;
    for (const std::string& line : recordings->of.at(key).log)
      log += (line.starts_with("level=") ? "time=2026-02-26T09:23:07.417Z " : "") + line + "\n";
    return log;
  }
  std::string Trace(const std::string& id,
                    std::vector<std::string> options = {"--filter", "service"}) const {
    options.insert(options.begin(), {"trace", id});
    const Ran ran = Run(options);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  }
  static bool Stages() {
    if (CanStage()) return true;
    std::cout << "this machine allows no private root\n";
    return false;
  }
};

TEST_F(Question, 1_WasCudaV12Tried) {
  const std::string says = Explain(kTheReport);
  EXPECT_THAT(says, HasSubstr("cuda_v12 was tried: a child was started for it; whether the child "
                              "answered [] or died is in no log below OLLAMA_DEBUG=2"));
  EXPECT_THAT(says, HasSubstr("msg=\"bootstrap discovery took\" duration=228ms"));
  EXPECT_THAT(ExplainRecorded("scanner-not-loading/the-report@cause=B1-no-libcudart debug=2"),
              HasSubstr("a child was started for it; the child lived and answered []"));
  EXPECT_THAT(
      ExplainRecorded("scanner-not-loading/the-report@cause=S2-unversioned-libcudart debug=2"),
      HasSubstr("a child was started for it; the child died, with exit code 127"));
}

TEST_F(Question, 2_IsALibraryThatTheServerDoesNotMapASignOfFailure) {
  if (!Stages()) GTEST_SKIP();
  const auto loads_of = [&](const char* process) {
    const std::string says =
        Trace("scanner-not-loading/the-report-as-listed",
              {"--filter", "service", "--kind", "loader", "--process", process});
    EXPECT_THAT(says, HasSubstr("1 device: NVIDIA H100 80GB HBM3 through ollama,cuda_v12."));
    return says.substr(says.find("\n  silent: "));
  };
  EXPECT_THAT(loads_of("serve"), AllOf(HasSubstr("libc.so.6"), Not(HasSubstr("libggml-cuda.so"))));
  EXPECT_THAT(loads_of("runner"), HasSubstr("libggml-cuda.so"));
}

TEST_F(Question, 3_DoesNoLineVerifyingProveThatTheLibraryWasNotLoaded) {
  EXPECT_THAT(Explain(kTheReport),
              HasSubstr("the first pass counted 0 devices, so there was nothing to verify: that no "
                        "line \"verifying if device is supported\" is "
                        "there says this and no more"));
}

TEST_F(Question, 5_WasTheOneWithoutASkipLineSkipped) {
  EXPECT_THAT(Explain(kTheReport),
              HasSubstr("cuda_v13, vulkan were passed over because OLLAMA_LLM_LIBRARY is cuda_v12, "
                        "which has no such line because it is the one that is wanted"));
}

TEST_F(Question, 6_WouldALinkAtTheTopTurn0Into1) {
  EXPECT_THAT(ExplainRecorded("scanner-not-loading/the-report-as-listed debug=1"),
              HasSubstr("the first pass counted 2, all of one id: the same backend was loaded more "
                        "than once, as a link or a copy of it in the "
                        "top directory makes it; the GPU is one"));
  if (!Stages()) GTEST_SKIP();
  const std::string says = Trace("report-history/state-23-top-level-link@link=with,stack=ollama-12",
                                 {"--scanner", "ollama-model", "--kind", "log"});
  EXPECT_THAT(Unwrapped(says), AllOf(HasSubstr("No device."), HasSubstr("initial_count=0"),
                                     HasSubstr("initial_count=2")));
}

TEST_F(Question, 7_WhatDoVariablesOfTheUnitDo) {
  const std::string says =
      ExplainRecorded("scanner-not-loading/the-report@cause=B1-no-libcudart debug=1");
  EXPECT_THAT(says, HasSubstr("OLLAMA_NUM_GPU=999 is read by no part of Ollama"));
  EXPECT_THAT(says, HasSubstr("OLLAMA_LIBRARY_PATH is the server's own, whatever the unit sets"));
}

TEST_F(Question, 9_WhyIsInitialCount0WhenTheServerCounts1) {
  if (!Stages()) GTEST_SKIP();
  const std::string says =
      Unwrapped(Trace("report-history/state-20-21-server-counts@order=counting-first"));
  EXPECT_THAT(says, testing::ContainsRegex(
                        "lost at \"initialised\" in runner [0-9]+ \\(child of serve [0-9]+\\)"));
  EXPECT_THAT(
      says, testing::ContainsRegex("ollama serve \\(pid [0-9]+\\) counted a device \\(#[0-9]+\\); "
                                   "what another process counts does not help this one"));
}

TEST_F(Question, 11_WhatDoesAMissingCuGetErrorStringDo) {
  if (!Stages()) GTEST_SKIP();
  const std::string says = Unwrapped(Trace("report-history/state-43-missing-export@stack=ollama-12",
                                           {"--scanner", "ollama-model"}));
  EXPECT_THAT(says, HasSubstr("and no log line says so"));
  EXPECT_THAT(says, HasSubstr("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so needs "
                              "cuGetErrorString, and /lib/x86_64-linux-gnu/libcuda.so.1, found by "
                              "ld.so.cache, does not have it"));
  EXPECT_THAT(says, HasSubstr("undefined symbol: cuGetErrorString"));
}

TEST_F(Question, 12_WhyIsAFunctionUndefinedThatIsThere) {
  if (!Stages()) GTEST_SKIP();
  const std::string says =
      Unwrapped(Trace("report-history/state-40-cublas-node", {"--filter", "ggml"}));
  if (says.find("Nothing ran") != std::string::npos) GTEST_SKIP() << "no real ggml here";
  EXPECT_THAT(
      says,
      HasSubstr("of version libcublas.so.12, and /usr/local/lib/ollama/cuda_v12/libcublas.so.12, "
                "found by LD_LIBRARY_PATH[2], has it in "
                "version CUBLAS_12.0 alone"));
}

TEST_F(Question, 13_WhatDoesALibcudartWithoutVersionsDo) {
  EXPECT_THAT(ExplainRecorded("report-history/state-14-version-script@script=none debug=1"),
              HasSubstr("S2-unversioned-libcudart"));
  const std::string traced =
      ExplainRecorded("scanner-not-loading/the-report@cause=S2-unversioned-libcudart debug=2");
  EXPECT_THAT(traced, HasSubstr("The log names the cause: S2-unversioned-libcudart a home-made "
                                "libcudart has no versions at all, and ld.so ends the child"));
  if (!Stages()) GTEST_SKIP();
  for (const char* script : {"none", "none-and-preloaded"})
    EXPECT_THAT(
        Unwrapped(Trace(std::string("report-history/state-14-version-script@script=") + script)),
        HasSubstr("loading it ends the process with exit status 127, by the hand of ld.so"));
}

TEST_F(Question, 15_WhoFailsOverAPartialLibcublasLt) {
  if (!Stages()) GTEST_SKIP();
  const std::string says = Unwrapped(Trace(
      "report-history/state-53-partial-cublaslt@stack=ollama-12", {"--scanner", "ollama-model"}));
  EXPECT_THAT(says, HasSubstr("/usr/local/lib/ollama/cuda_v12/libcublas.so.12 needs cublasLtCreate "
                              "of version libcublasLt.so.12, and "
                              "/usr/local/lib/ollama/libcublasLt.so.12, found by "
                              "LD_LIBRARY_PATH[1], does not have it"));
}

TEST_F(Question, 17_WhereShouldMajorBe) {
  EXPECT_THAT(ExplainRecorded("scanner-not-loading/the-working-state debug=1"),
              AllOf(HasSubstr("major at 360 (0x168)"),
                    HasSubstr("this one was written with the memory at 256 and major at 264")));
  EXPECT_THAT(
      ExplainRecorded("report-history/state-57-still-filtered@cause=struct-without-uuid debug=1"),
      AllOf(HasSubstr("major at 360 (0x168)"), HasSubstr("major at 328")));
  if (!Stages()) GTEST_SKIP();
  EXPECT_THAT(Unwrapped(Trace("scanner-not-loading/the-working-state")),
              HasSubstr("compute capability 0.0 (nothing at offset 360, where major stands)"));
}

TEST_F(Question, 18_WhyAre2OfTheFirstPass0AtTheEnd) {
  const std::string says = ExplainRecorded("report-history/state-50-second-pass-dies debug=1");
  EXPECT_THAT(says, HasSubstr("the first pass counted 2"));
  EXPECT_THAT(says, HasSubstr("the second pass dropped it: a child for this device alone, with "
                              "GGML_CUDA_INIT=1, which makes the backend abort on a "
                              "compute capability that it was not built for, gave no device; "
                              "whether it died is in no log below OLLAMA_DEBUG=2"));
  EXPECT_THAT(
      ExplainRecorded("scanner-not-loading/the-report@cause=S9-not-built-for-the-device debug=2"),
      HasSubstr("gave no device; it died, with exit code 2"));
}

// In no log that Ollama left is the cause that was staged ruled out.
TEST_F(Question, WhichCauseWasIt) {
  const auto json =
      ReadFile(InSources("/fixtures/recordings/ollama-0.17.4/scanner-not-loading/the-report.json"));
  ASSERT_THAT(json, IsOk());
  const auto recordings = ParseRecordings(*json);
  ASSERT_THAT(recordings, IsOk());
  size_t looked = 0;
  for (const auto& [key, recording] : recordings->of) {
    if (key.find('#') != std::string::npos || !key.ends_with("debug=2")) continue;
    const std::string says = ExplainRecorded(key),
                      cause = key.substr(key.find('=') + 1, key.find(' ') - key.find('=') - 1);
    EXPECT_THAT(says.substr(0, says.find("Ruled out:")), HasSubstr(" " + cause + " ")) << key;
    ++looked;
  }
  EXPECT_EQ(looked, 34u) << "all but A6, which needs another processor";
}

// A6 needs another processor, so no Ollama was recorded in it; the model, told that it is on one,
// has its log.
TEST_F(Question, WasItAJetson) {
  if (!Stages()) GTEST_SKIP();
  const auto trace =
      nlohmann::json::parse(Trace("scanner-not-loading/the-report@cause=A6-jetpack",
                                  {"--filter", "service", "--kind", "log", "--json"}));
  std::string log, usual;
  for (const auto& event : trace.at("runs").at(0).at("timeline")) {
    std::string line = event.at("subject").get<std::string>() + "\n";
    log += line;
    if (line.find("level=INFO") == std::string::npos) continue;
    if (const size_t at = line.find("OLLAMA_DEBUG:DEBUG"); at != std::string::npos)
      line.replace(at, 18, "OLLAMA_DEBUG:INFO");
    usual += line;
  }
  for (const std::string& text : {log, usual}) {
    const std::string says = Explain(text);
    EXPECT_THAT(says.substr(0, says.find("Ruled out:")), HasSubstr(" A6-jetpack ")) << text;
  }
  EXPECT_THAT(Explain(usual), Not(HasSubstr(" B1-no-libcudart "))) << "no child was started";
}

// A maintainer who pastes the report gets the shortlist, and before it what to do first.
TEST_F(Question, WhatNow) {
  const std::string says = Explain(kTheReport);
  EXPECT_THAT(says, testing::ContainsRegex("This log cannot tell the cause: [23][0-9] causes are "
                                           "possible\\. next: .*OLLAMA_DEBUG=2.* now: sudo -u "
                                           "ollama env LD_LIBRARY_PATH="));
  EXPECT_LT(says.find("now: "), says.find("B1-no-libcudart"));
  EXPECT_LT(says.find("B1-no-libcudart"), says.find("Ruled out: A1-unlistable, A2-other-tree"));
}

// Nothing is said of a log that it does not show.
TEST_F(Question, WhatALogDoesNotSay) {
  const auto times = [](const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++count;
    return count;
  };
  const std::string healthy = ExplainRecorded("first-steps/healthy@gpus=1,stack=ollama-12 debug=1");
  EXPECT_THAT(healthy,
              AllOf(HasSubstr("Discovery is healthy"), HasSubstr("the first pass counted 1")));
  EXPECT_THAT(healthy, Not(HasSubstr("all of one id"))) << "one GPU is no copy of itself";
  EXPECT_THAT(healthy, Not(HasSubstr("the line of the CPU")));
  // A child of the second pass is for a device and tries no directory.
  const std::string dropped = ExplainRecorded("report-history/state-50-second-pass-dies debug=1");
  EXPECT_EQ(times(dropped, "cuda_v12 was tried"), 1u) << dropped;
  // A device that is verified again, as after a restart, is misread in the same way.
  const std::string misread = RecordedLog("scanner-not-loading/the-working-state debug=1");
  EXPECT_EQ(times(Explain(misread + misread), "the backend was asked"), 1u);
  const std::string report = kTheReport;
  EXPECT_THAT(Explain(report), HasSubstr("discovery is whole"));
  EXPECT_THAT(Explain(report.substr(report.find('\n') + 1)),
              HasSubstr("a part of discovery is not in it"));
}

// A reader sees at the top of each what was seen then, what was announced, and what it was.
TEST(ReportHistory, IsToldInEveryState) {
  const auto files = FilesBelow(InSources("/scenarios/report-history"), ".yaml");
  ASSERT_THAT(files, IsOk());
  std::set<std::string> states;
  for (const std::string& file : *files) {
    const auto text = ReadFile(file);
    ASSERT_THAT(text, IsOk());
    size_t last = 0;
    for (const char* word :
         {"# State", "\n# then:      ", "\n# announced: ", "\n# in truth:  ", "\nclaim: "}) {
      const size_t at = text->find(word);
      ASSERT_NE(at, std::string::npos) << file << word;
      EXPECT_GE(at, last) << file << word;
      last = at;
    }
    const size_t tags = text->find("\ntags: [");
    for (size_t at = text->find("state-", tags); at < text->find('\n', tags + 1);
         at = text->find("state-", at + 1))
      states.insert(text->substr(at + 6, 2));
  }
  EXPECT_THAT(states,
              testing::ElementsAre("11", "14", "15", "18", "20", "21", "23", "25", "27", "32", "34",
                                   "36", "40", "43", "48", "49", "50", "51", "53", "57", "60"));
}

}  // namespace
}  // namespace gpustage
