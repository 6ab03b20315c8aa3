// Who may write all of a tree has it on a file system of its own.
#include "tests/cli/cli_test.h"
#include "tests/hostile/hostile.h"

namespace gpustage {
namespace {

class HostileTreeSpace : public StagedCliTest {};

TEST_F(HostileTreeSpace, IsItsOwnWhereAScannerMayWriteAllOfIt) {
  Write("hostile.yaml",
        "scanner: hostile\nabout: it asks for room\nprogram: {path: " + HostileScanner() +
            "}\nat: /bin/hostile\nargv: [/bin/hostile]\nfits: nothing\ndevices: "
            "{read: none}\nlog: {stream: stdout, format: plain}\n");
  // 4 GiB are shared by the trees that nobody else may write to.
  Write("room.yaml",
        "claim: root has room of its own\nmachine: {devices: []}\nlayout: []\nruns: [{scanner: "
        "hostile, args: [space, /]}]\nmatrix: {who: {set: user, to: [root, nobody]}}\n"
        "expect:\n  - {when: {who: root}, log: {has: [\"space 3072 MiB\"]}}\n"
        "  - {when: {who: nobody}, log: {has: [\"space 4096 MiB\"]}}\n");
  const Ran ran = Run({"run", Path("room.yaml"), "--scanner", Path("hostile.yaml")});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
}

}  // namespace
}  // namespace gpustage
