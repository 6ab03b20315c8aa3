// Boxes for tests: a root that holds the actor, and what it printed.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "harness/run/box.h"
#include "harness/stage/shared_files.h"
#include "tests/support/workspace.h"

namespace gpustage {

// tests/subjects/actor.c, as it was built; GPUSTAGE_ACTOR names a copy.
inline std::string ActorProgram() {
  const char* chosen = std::getenv("GPUSTAGE_ACTOR");
  return chosen != nullptr ? chosen : GPUSTAGE_ACTOR;
}

// A test that starts the actor in a box of its own.
class BoxTest : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped()) return;
    spec_.root = NewDirectory();
    spec_.uid = spec_.gid = 65534;
    spec_.time_limit = std::chrono::seconds(20);
    ASSERT_THAT(CopyFile(ActorProgram(), spec_.root + "/actor"), IsOk());
  }

  // What the actor is to do, word by word.
  RawRun Act(const std::vector<std::string>& words) {
    spec_.argv = {"/actor"};
    spec_.argv.insert(spec_.argv.end(), words.begin(), words.end());
    return RunInBox(spec_, isolation());
  }

  BoxSpec spec_;
};

inline std::string Printed(const RawRun& run, Stream stream) {
  std::string text;
  for (const OutputChunk& chunk : run.output)
    if (chunk.stream == stream) text += chunk.bytes;
  return text;
}
inline std::string Out(const RawRun& run) { return Printed(run, Stream::kStdout); }
inline std::string Err(const RawRun& run) { return Printed(run, Stream::kStderr); }

}  // namespace gpustage
