// A hundred runs of the same subject in the same tree say the same. Masked: times, pids and thread
// ids (processes and threads stand in the order in which they first did something), the loader's
// ids of objects, and the environment's own addresses.
#include <map>

#include "tests/proof/proof_test.h"

namespace gpustage {
namespace {

constexpr int kRuns = 100;

class Repeats : public ProofTest, public testing::WithParamInterface<Subject> {
 protected:
  // The events of each thread in their order, or, where threads race, those of each process sorted.
  static std::vector<std::vector<std::string>> Masked(const Evidence& evidence, bool threads) {
    std::map<std::pair<int, int>, std::vector<std::string>> by_thread;
    for (const Event& event : evidence.events) {
      if (event.kind == EventKind::kLog || event.kind == EventKind::kOutcome)
        continue;  // the parent's and the child's lines race
      const std::string value =
          event.kind == EventKind::kProcess ? "" : std::to_string(event.value != 0);
      by_thread[{event.pid, threads ? 0 : event.tid}].push_back(
          ToString(event.kind) + "|" + event.subject + "|" + event.detail + "|" + value);
    }
    std::vector<std::vector<std::string>> lists;
    for (auto& [thread, words] : by_thread) {
      if (threads) std::sort(words.begin(), words.end());
      lists.push_back(std::move(words));
    }
    return lists;
  }
};

TEST_P(Repeats, AHundredTimesTheSame) {
  ASSERT_NO_FATAL_FAILURE(Stage(GetParam()));
  if (IsSkipped()) return;
  if (GetParam().name == "python")
    start_.argv.push_back("child");  // alone: a hundred times two interpreters take too long
  const auto first = Masked(Watch(), GetParam().threads);
  size_t events = 0;
  for (const auto& list : first) events += list.size();
  EXPECT_GT(events, 20u);
  for (int i = 1; i < kRuns && !HasFailure(); ++i)
    EXPECT_EQ(Masked(Watch(), GetParam().threads), first) << "run " << i;
}

INSTANTIATE_TEST_SUITE_P(Evidence, Repeats,
                         testing::Values(CppSubject(), PythonSubject(), GoSubject()), SubjectName);

}  // namespace
}  // namespace gpustage
