// Which runs share a tree, and what is changed in it before each.
#include "harness/scenario/model/tree_group.h"

#include <gmock/gmock.h>

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kDriver[] = "/usr/lib/libcuda.so.1";

RunSpec Named(const std::string& name, const std::string& change = "") {
  RunSpec run;
  run.name = name;
  if (!change.empty()) run.change = {{RemoveOp{change}, {}}};
  return run;
}
// Its scanner wants another of our fakes in the driver's place.
RunSpec WithStandIn(RunSpec run) {
  run.scanner.stand_ins = {{"cuda", {LibrarySource::Kind::kFake, "cuda-without-devices", "", ""}}};
  return run;
}
RunSpec Missing(RunSpec run) {
  run.scanner.missing = "no such program here";
  return run;
}

Case Of(std::vector<RunSpec> runs) {
  Case c;
  c.tree = {{PlaceLibraryOp{kDriver, {LibrarySource::Kind::kFake, "cuda", "", ""}, {}, 0755}, {}}};
  c.runs = std::move(runs);
  return c;
}

std::vector<std::string> Names(const TreeGroup& group) {
  std::vector<std::string> names;
  for (const RunSpec& run : group.c.runs) names.push_back(run.name);
  return names;
}
std::vector<std::string> Removed(const RunSpec& run) {
  std::vector<std::string> paths;
  for (const TreeOp& op : run.change) paths.push_back(std::get<RemoveOp>(op.what).path);
  return paths;
}
std::string DriverOf(const TreeGroup& group) {
  return std::get<PlaceLibraryOp>(group.c.tree.front().what).source.name;
}

TEST(TreeGroup, IsOneOfRunsThatWantNothingOfTheirOwn) {
  const Case c = Of({Named("a"), Named("b", "/x")});
  const std::vector<TreeGroup> groups = GroupByTree(c);
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0].places, ElementsAre(0, 1));
  EXPECT_EQ(groups[0].c, c);
}

TEST(TreeGroup, IsAnotherOfRunsThatWantAnotherFake) {
  const std::vector<TreeGroup> groups =
      GroupByTree(Of({Named("a"), WithStandIn(Named("b")), Named("c")}));
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_THAT(Names(groups[0]), ElementsAre("b"));
  EXPECT_THAT(groups[0].places, ElementsAre(1));
  EXPECT_EQ(DriverOf(groups[0]), "cuda-without-devices");
  EXPECT_THAT(Names(groups[1]), ElementsAre("a", "c"));
  EXPECT_THAT(groups[1].places, ElementsAre(0, 2));
  EXPECT_EQ(DriverOf(groups[1]), "cuda");
}

// What a run of the other tree, or of none, would have changed before.
TEST(TreeGroup, ChangesWhatOthersWouldHaveChanged) {
  const std::vector<TreeGroup> groups =
      GroupByTree(Of({Named("a", "/1"), WithStandIn(Named("b", "/2")), Missing(Named("c", "/3")),
                      Named("d", "/4"), WithStandIn(Named("e", "/5"))}));
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_THAT(Removed(groups[0].c.runs[0]), ElementsAre("/1", "/2"));
  EXPECT_THAT(Removed(groups[0].c.runs[1]), ElementsAre("/3", "/4", "/5"));
  EXPECT_THAT(Removed(groups[1].c.runs[0]), ElementsAre("/1"));
  EXPECT_THAT(Removed(groups[1].c.runs[1]), ElementsAre("/2", "/3", "/4"));
}

TEST(TreeGroup, IsNoneWhereNoProgramIs) {
  EXPECT_THAT(GroupByTree(Of({Missing(Named("a")), Missing(WithStandIn(Named("b")))})), IsEmpty());
}

}  // namespace
}  // namespace gpustage
