// Which runs show the root cause of which public report, for whoever draws some of them
// (tests/proof/blind.py): a line "REPORT CASE<tab>RUN" each. A report whose root cause is only near
// has none.
#include <iostream>

#include "tests/collection/collection.h"

int main() {
  using namespace gpustage;
  const ByThread by_thread = ScenariosByThread(AllScenarioFiles());
  std::map<std::string, std::string> threads;  // id -> thread
  for (const Thread& thread : Threads()) threads[thread.id] = thread.source;
  for (const RootCause& cause : RootCauses())
    if (const auto own = by_thread.find(threads[cause.id]); own != by_thread.end())
      for (const ClaimedChain& one : RunsThatShow(cause, own->second))
        std::cout << cause.id << " " << one.id << "\t" << one.run << "\n";
}
