// Every search of the loader, held against what glibc itself writes of it (LD_DEBUG=libs,files) in
// a run of the same tree that nothing of ours watches.
#include <dirent.h>
#include <fcntl.h>
#include <re2/re2.h>

#include <map>
#include <sstream>

#include "tests/proof/proof_test.h"
#include "tests/support/processes.h"

namespace gpustage {
namespace {

// By pid: "asks NAME for FILE", "tries PATH", "maps NAME", in their order. FILE "" is the program.
using Words = std::map<int, std::vector<std::string>>;

class AgainstLdDebug : public ProofTest, public testing::WithParamInterface<Subject> {
 protected:
  // What our events say in the words above.
  static Words Ours(const Evidence& evidence) {
    Words words;
    std::map<int, std::string> asked;  // the name that a load answers
    for (const Event& event : evidence.events) {
      std::vector<std::string>& mine = words[event.pid];
      if (event.kind == EventKind::kSearch && event.first_name) {
        asked[event.pid] = event.subject;
        mine.push_back("asks " + event.subject + " for " + event.by);
      } else if (event.kind == EventKind::kSearch) {
        mine.push_back("tries " + event.subject);
      } else if (event.kind == EventKind::kLoad) {
        // LD_DEBUG does not speak of these: the kernel maps the program, the loader and the vdso
        // before it begins.
        if (event.subject.empty() || event.subject == "linux-vdso.so.1" ||
            event.subject == "/lib64/ld-linux-x86-64.so.2")
          continue;
        mine.push_back("maps " + asked[event.pid]);
      }
    }
    std::erase_if(words, [](const auto& entry) { return entry.second.empty(); });
    return words;
  }

  // What glibc wrote into /tmp/ld.PID, in the same words. The program is named there as it was
  // started, which is argv[0].
  Words Theirs() const {
    Words words;
    const Fd directory = tree_->root.At("/tmp", O_RDONLY | O_DIRECTORY);
    DIR* const listed = fdopendir(dup(directory.get()));
    while (const dirent* entry = readdir(listed)) {
      const std::string name = entry->d_name;
      if (name.starts_with("ld."))
        words[std::stoi(name.substr(3))] =
            WordsOf(WholeFile(tree_->root.host_path() + "/tmp/" + name));
    }
    closedir(listed);
    return words;
  }

  std::vector<std::string> WordsOf(const std::string& text) const {
    static const RE2 asks(
        R"(\s+\d+:\tfile=(\S+) \[0\];  (?:needed|dynamically loaded) by (\S+) \[0\].*)");
    static const RE2 tries(R"(\s+\d+:\t  trying file=(\S+))");
    static const RE2 maps(R"(\s+\d+:\tfile=(\S+) \[0\];  generating link map)");
    std::vector<std::string> words;
    std::istringstream lines(text);
    std::string name, by;
    for (std::string line; std::getline(lines, line);) {
      if (RE2::FullMatch(line, asks, &name, &by))
        words.push_back("asks " + name + " for " + (IsProgram(by) ? "" : by));
      else if (RE2::FullMatch(line, tries, &name))
        words.push_back("tries " + name);
      else if (RE2::FullMatch(line, maps, &name))
        words.push_back("maps " + name);
    }
    return words;
  }

  bool IsProgram(const std::string& name) const {
    return name == start_.argv[0] || name == "/proc/self/exe";
  }

  // Processes are numbered as they start; threads take numbers too, and not always the same, so
  // they are compared by their order.
  static std::vector<std::vector<std::string>> InOrder(const Words& words) {
    std::vector<std::vector<std::string>> list;
    for (const auto& [pid, of_process] : words) list.push_back(of_process);
    return list;
  }
};

TEST_P(AgainstLdDebug, SeesEveryCandidateInOrderAndNothingElse) {
  ASSERT_NO_FATAL_FAILURE(Stage(GetParam()));
  if (IsSkipped()) return;
  const Words ours = Ours(Watch());
  start_.record_loader = false;
  start_.environment.insert(start_.environment.end(),
                            {"LD_DEBUG=libs,files", "LD_DEBUG_OUTPUT=/tmp/ld"});
  const RawRun run = Run();
  EXPECT_EQ(ToString(run.outcome), "exited 0") << PrintedBy(run);
  const Words theirs = Theirs();
  size_t candidates = 0;
  for (const auto& [pid, words] : theirs) candidates += words.size();
  EXPECT_EQ(theirs.size(), 2u);
  EXPECT_GT(candidates, 100u);
  EXPECT_EQ(InOrder(ours), InOrder(theirs));
}

INSTANTIATE_TEST_SUITE_P(Loader, AgainstLdDebug, testing::ValuesIn(DynamicSubjects()), SubjectName);

}  // namespace
}  // namespace gpustage
