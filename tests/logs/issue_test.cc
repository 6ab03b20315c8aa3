#include "harness/logs/issue.h"

#include "tests/logs/logs.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kLost[] = "Failed to initialize NVML: Driver/library version mismatch";

std::vector<Paste> Pastes(const std::string& issue) { return PastesOf(Known(), issue); }
std::string Comment(const std::string& issue) {
  return IssueComment(Known(), MarkdownOf(issue), Pastes(issue));
}

TEST(PastesOf, AreFencedOrNot) {
  const std::string lost = std::string(kLost) + "\n";
  EXPECT_THAT(Pastes("Hello\n```shell\n" + lost + "```\nbye\n"), ElementsAre(Paste{3, true, lost}));
  EXPECT_THAT(Pastes("Hello\n~~~~\n```\n" + lost + "~~~~\n"),
              ElementsAre(Paste{3, true, "```\n" + lost}));
  EXPECT_THAT(Pastes("It says\n\n" + lost + "\nand no more.\n"),
              ElementsAre(Paste{3, false, lost}));
  EXPECT_THAT(Pastes("A GPU is there, and Ollama does not use it.\n"), IsEmpty());
  EXPECT_THAT(Pastes("```\n" + lost), ElementsAre(Paste{2, true, lost}))
      << "a fence that is not closed";
}

TEST(PastesOf, OfOneLogStayTogetherAndOthersApart) {
  const std::string one = "level=INFO msg=a\n", other = "level=INFO msg=b\n";
  EXPECT_EQ(Pastes(one + "\n" + other).size(), 1u);
  EXPECT_EQ(Pastes(one + "\nThen I did much.\nAnd more.\nAnd then\n" + other).size(), 2u);
}

TEST(PastesOf, AreReadOutOfTheJsonOfAnEvent) {
  const std::string body = "before\\r\\n```\\r\\n" + std::string(kLost) + "\\r\\n```\\r\\n";
  for (const std::string& json :
       {"{\"issue\": {\"number\": 7, \"body\": \"" + body + "\"}}", "{\"body\": \"" + body + "\"}",
        "{\"issue\": {\"body\": null}, \"comment\": {\"body\": \"" + body + "\"}}"})
    EXPECT_THAT(Pastes(json), ElementsAre(testing::Field(&Paste::text, std::string(kLost) + "\n")))
        << json;
}

// Somebody puts the error into the title alone (YanWenKun/ComfyUI-Docker#5).
TEST(PastesOf, TakeTheTitleOfAnEventToo) {
  const std::string json =
      "{\"issue\": {\"title\": \"" + std::string(kLost) + "\", \"body\": \"one\\ntwo\"}}";
  EXPECT_THAT(Pastes(json), ElementsAre(testing::Field(&Paste::text, std::string(kLost) + "\n")));
  EXPECT_THAT(Pastes("{\"title\": \"a wish\"}"), IsEmpty());
}

// All libraries that are missing, and the command of the first.
TEST(IssueComment, NamesEachLibraryThatIsMissing) {
  const std::string line = "OSError: libcusolver.so.11: cannot open shared object file\n",
                    other = "OSError: libcudnn.so.8: cannot open shared object file\n";
  const std::string comment = Comment("```\n" + line + other + "```\n");
  EXPECT_THAT(comment, HasSubstr("than what is here): libcusolver.so.11 and libcudnn.so.8."));
  EXPECT_THAT(comment, HasSubstr("grep -F 'libcusolver.so.11'"));
}

TEST(IssueComment, SaysWhatTheLogSaysAndWhatMendsIt) {
  const std::string comment = Comment("```\n" + std::string(kLost) + "\n```\n");
  EXPECT_THAT(comment, HasSubstr("### Log 1 (line 2 of the issue)\n"));
  EXPECT_THAT(comment, HasSubstr("~~~text\n" + std::string(kLost) + "\n~~~\n"));
  EXPECT_THAT(comment, HasSubstr("- **B4-mismatch**: "));
  EXPECT_THAT(comment, HasSubstr("  - looks alike: `gpustage run scanner-not-loading/the-report "
                                 "--filter cause=B4-mismatch`\n"));
}

TEST(IssueComment, AsksBackForTheOneLogThatTellsMore) {
  const std::string comment = Comment(
      "```\nlevel=INFO msg=\"Listening on [::]:11434 (version 0.17.4)\"\n"
      "level=INFO msg=\"discovering available GPUs...\"\n"
      "level=INFO msg=\"inference compute\" id=cpu library=cpu compute=\"\"\n```\n");
  EXPECT_THAT(comment, HasSubstr("Please send a log that says more:\n\n~~~text\n"));
  EXPECT_THAT(comment, HasSubstr("OLLAMA_DEBUG=2"));
}

TEST(IssueComment, SaysNothingOfWhatSpeaksOfNoGpu) {
  EXPECT_EQ(Comment("```\n[GIN] 2024/01/01 - 10:00:00 | 200 | 1ms | ::1 | GET \"/\"\n```\n"), "");
  EXPECT_EQ(Comment("I like it.\n"), "");
}

// What a paste does not say the text around it may: nothing is said of what is not in it.
TEST(IssueComment, DeniesNothingOfWhatTheIssueMaySay) {
  for (const char* issue :
       {"I run pytorch 2.1:\n```\nlibcuda.so.1: cannot open shared object file\n```\n",
        "```\n$ rocminfo\nUnable to open /dev/kfd read-write: Cannot allocate memory\n```\n",
        "```\n>>> Installing\nWARNING: Unable to detect NVIDIA/AMD GPU. Install lspci or "
        "lshw\n```\n"
        "### Ollama version\n\n_No response_\n"}) {
    EXPECT_THAT(Comment(issue), Not(IsEmpty()));
    EXPECT_THAT(Comment(issue), Not(HasSubstr("not in it"))) << issue;
    EXPECT_THAT(Comment(issue), Not(HasSubstr("no version that it says"))) << issue;
  }
}

// The form of Ollama's issues has the version, and so has `ollama -v` (ollama/ollama#4659, #14661).
TEST(IssueComment, TakesTheVersionThatTheIssueNames) {
  const std::string log =
      "```\nlevel=INFO source=gpu.go:1 msg=\"looking for compatible GPUs\"\n"
      "level=INFO source=gpu.go:2 msg=\"no compatible GPUs were discovered\"\n"
      "```\n";
  EXPECT_THAT(Comment(log), HasSubstr("Ollama, of a version below 0.12.4"));
  EXPECT_THAT(Comment(log + "### Ollama version\n\n0.1.38\n"), HasSubstr("Ollama 0.1.38"));
  EXPECT_THAT(Comment(log + "Warning: client version is 0.9.2\n"), HasSubstr("Ollama 0.9.2"));
  EXPECT_THAT(Comment(log + "Client Version: v1.28.2\n"), HasSubstr("of a version below 0.12.4"))
      << "of kubectl";
  EXPECT_THAT(Comment(log + "It worked with ollama version 0.17.4\n"),
              HasSubstr("of a version below 0.12.4"))
      << "its lines say otherwise";
  EXPECT_THAT(Comment(log + "The CUDA version is 12.4.1, driver version 550.54.14\n"),
              Not(HasSubstr("12.4.1")));
  EXPECT_THAT(Comment(log + "ollama version 0.9.2 fails, ollama version 0.9.1 worked\n"),
              HasSubstr("of a version below 0.12.4"));
}

TEST(IssueComment, SaysTheCausesOfOneLogOnce) {
  const std::string comment = Comment("```\n" + std::string(kLost) +
                                      "\n```\nand in the container\n```\nx: " + kLost + "\n```\n");
  EXPECT_THAT(comment, HasSubstr("### Log 2 (line 6 of the issue)\n"));
  EXPECT_THAT(comment, HasSubstr("The same causes as of log 1.\n"));
  EXPECT_EQ(comment.find("**B4-mismatch**"), comment.rfind("**B4-mismatch**"));
}

// The platform and the version that the issue speaks of choose the way to a deeper log.
TEST(QuestionBack, AsksForTheOneLogOfTheProgramThatItSpeaksOf) {
  const auto back = [](const std::string& issue) { return QuestionBack(Known(), issue); };
  EXPECT_THAT(back("Ollama does not use my GPU.\n### Ollama version\n\n0.17.4\n"),
              HasSubstr("OLLAMA_DEBUG=2"));
  EXPECT_THAT(back("Ollama in docker loses the GPU.\n### Ollama version\n\n0.5.7\n"),
              HasSubstr("start the container with -e OLLAMA_DEBUG=1"));
  EXPECT_THAT(back("Ollama on Windows 11, no GPU"), HasSubstr("server.log"));
  EXPECT_THAT(back("torch.cuda.is_available() is False"), HasSubstr("torch.utils.collect_env"));
  EXPECT_THAT(back("my RX 580 is not found by ROCm"), HasSubstr("rocminfo; ls -l /dev/kfd"));
  EXPECT_THAT(back("no GPU in my program"), HasSubstr("nvidia-smi; ls -l /dev/nvidia*"));
  EXPECT_EQ(back("Ollama answers slowly in French."), "");
}

// What somebody pasted can neither end the fence nor be read as Markdown.
TEST(IssueComment, KeepsWhatWasPastedInItsFence) {
  const std::string comment = Comment("```\n" + std::string(kLost) + " ~~~ @everyone <b>\n```\n");
  EXPECT_THAT(comment, HasSubstr("~~~~text\n" + std::string(kLost) + " ~~~ @everyone <b>\n~~~~\n"));
}

}  // namespace
}  // namespace gpustage
