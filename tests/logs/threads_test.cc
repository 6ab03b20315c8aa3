// Logs of public threads (fixtures/logs/threads), each beside the cause that its thread came to.
#include "harness/base/files.h"
#include "harness/scenario/yaml/fields.h"
#include "tests/logs/logs.h"

namespace gpustage {
namespace {

constexpr size_t kShortList = 5;  // so few causes are an explanation; the look tells them apart

struct Thread {
  std::string name, stated, cause, log;
  bool cannot_tell = false;
  int devices = 0;
};

Result<Thread> ReadThread(const std::string& path) {
  TRY(const YamlNode file, ReadYamlFile(path));
  TRY(CheckKeys(
      file, "a thread",
      {"thread", "stated", "cause", "log", "cannot_tell", "devices", "completed", "held_out"}));
  Thread thread;
  TRY(const YamlNode* name, Require(file, "a thread", "thread"));
  TRY(thread.name, ReadNonEmpty(*name, "a thread"));
  TRY(const YamlNode* stated, Require(file, "a thread", "stated"));
  TRY(thread.stated, ReadNonEmpty(*stated, "what the thread says"));
  TRY(const YamlNode* log, Require(file, "a thread", "log"));
  TRY(thread.log, ReadNonEmpty(*log, "a log"));
  if (const YamlNode* cause = file.Find("cause")) {
    TRY(thread.cause, ReadName(*cause, "a cause"));
    if (Known().Find(thread.cause) == nullptr) return ErrorAt(*cause, "no such cause");
  }
  if (const YamlNode* cannot = file.Find("cannot_tell")) {
    TRY(thread.cannot_tell, ReadBool(*cannot, "cannot_tell"));
  }
  if (const YamlNode* devices = file.Find("devices")) {
    TRY(thread.devices, ReadInt(*devices, "devices", 1, 16));
  }
  return thread;
}

TEST(Threads, AreExplainedAsTheyEnded) {
  const auto files = FilesBelow(InSources("/fixtures/logs/threads"), ".yaml");
  ASSERT_THAT(files, IsOk());
  int explained = 0, cannot_tell = 0;
  for (const std::string& file : *files) {
    const auto thread = ReadThread(file);
    ASSERT_THAT(thread, IsOk()) << file;
    const Explained log(thread->log);
    const std::string text = thread->name + ": " + thread->stated + "\n" + log.Text();
    EXPECT_FALSE(log.RulesOut(thread->cause)) << text;
    if (thread->devices > 0) {
      EXPECT_EQ(log.explanation.outcome, LogOutcome::kHealthy) << text;
      EXPECT_EQ(log.explanation.devices.size(), static_cast<size_t>(thread->devices)) << text;
      ++explained;
    } else if (thread->cannot_tell) {
      EXPECT_TRUE(log.explanation.named.empty()) << text;
      EXPECT_TRUE(thread->cause.empty() || log.Leaves(thread->cause)) << text;
      ++cannot_tell;
    } else {
      EXPECT_TRUE(log.Names(thread->cause)) << text;
      EXPECT_LE(log.explanation.named.size(), kShortList) << text;
      ++explained;
    }
  }
  EXPECT_GE(files->size(), 80u);
  std::cout << files->size() << " threads: " << explained << " explained, " << cannot_tell
            << " of which the log cannot tell\n";
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin) + "\n");
    begin = end + 1;
  }
  return lines;
}

// Whatever is cut away at either end, the cause that the thread came to is named or remains, if
// anything is said of causes at all.
TEST(Threads, KeepTheirCauseHoweverTheyAreCut) {
  const auto files = FilesBelow(InSources("/fixtures/logs/threads"), ".yaml");
  ASSERT_THAT(files, IsOk());
  int cuts = 0, lost = 0;
  for (const std::string& file : *files) {
    const auto thread = ReadThread(file);
    ASSERT_THAT(thread, IsOk()) << file;
    if (thread->cause.empty()) continue;
    const std::vector<std::string> lines = LinesOf(thread->log);
    std::vector<std::string> parts;
    for (size_t cut = 1; cut < lines.size(); ++cut) {
      std::string front, back;
      for (size_t i = 0; i < lines.size(); ++i) (i < cut ? front : back) += lines[i];
      parts.insert(parts.end(), {front, back});
    }
    for (const std::string& part : parts) {
      const Explained log(part);
      const bool silent = log.explanation.outcome == LogOutcome::kNothing ||
                          log.explanation.outcome == LogOutcome::kHealthy ||
                          (log.explanation.named.empty() && log.explanation.left.empty());
      ++cuts;
      // What a release asks of a driver, and that the driver is too old, are one cause.
      const bool kept = silent || log.Names(thread->cause) || log.Leaves(thread->cause) ||
                        (thread->cause == "driver-550" && log.Names("B4-driver-too-old"));
      lost += !kept;
      EXPECT_TRUE(kept) << thread->name << ": " << thread->cause << "\n" << part << log.Text();
    }
  }
  EXPECT_GE(cuts, 300);
  std::cout << cuts << " cuts, " << lost << " lost the cause\n";
}

// A thread's numbers are nobody's: ids of devices are made up.
TEST(Threads, HaveNoUuidOfARealDevice) {
  const auto files = FilesBelow(InSources("/fixtures/logs/threads"), ".yaml");
  ASSERT_THAT(files, IsOk());
  for (const std::string& file : *files) {
    const auto text = ReadFile(file);
    ASSERT_THAT(text, IsOk());
    for (size_t at = text->find("GPU-"); at != std::string::npos; at = text->find("GPU-", at + 1)) {
      const std::string id = text->substr(at + 4, 8);
      EXPECT_TRUE(id.find_first_not_of("0123456789abcdef") != std::string::npos || id == "00000000")
          << file;
    }
  }
}

}  // namespace
}  // namespace gpustage
